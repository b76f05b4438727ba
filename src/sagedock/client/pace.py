"""How often a client asks, and how long it puts up with a service that does not answer."""

from dataclasses import dataclass

__all__ = ["AWS", "LOCAL", "Pace"]


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Seconds: between two looks at a job; of silence after its end; of failing calls endured.

    ``quiet_s`` is there because CloudWatch shows a job's last lines some seconds after its end.
    """

    poll_s: float
    quiet_s: float
    patience_s: float


LOCAL = Pace(poll_s=0.2, quiet_s=0.0, patience_s=5.0)
AWS = Pace(poll_s=5.0, quiet_s=10.0, patience_s=900.0)
