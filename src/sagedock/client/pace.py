"""How often a client asks, and how long it puts up with a service that does not answer."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["AWS", "LOCAL", "Pace"]


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Seconds: between two looks at a job; of silence after its end; of failing calls endured.

    ``quiet_s`` is there because CloudWatch shows a job's last lines some seconds after its end.
    ``table_s`` is how often a table of jobs is drawn anew. ``periods_s`` are the finest periods
    that metrics are kept in: (age, period), the youngest first.
    """

    poll_s: float
    quiet_s: float
    patience_s: float
    table_s: float = 1.0
    periods_s: Sequence[tuple[float, int]] = ((math.inf, 1),)

    def period_s(self, age_s: float) -> int:
        """Return the finest period of metrics that began ``age_s`` ago."""
        return next(period for age, period in self.periods_s if age_s <= age)


_DAY_S = 24 * 60 * 60

LOCAL = Pace(poll_s=0.2, quiet_s=0.0, patience_s=15.0)
#: Source of the periods: API_GetMetricData, "Period" and "StartTime".
AWS = Pace(
    poll_s=5.0,
    quiet_s=10.0,
    patience_s=900.0,
    table_s=15.0,
    periods_s=((15 * _DAY_S, 60), (63 * _DAY_S, 300), (math.inf, 3600)),
)
