"""Numbers of the contract, units in their names."""

from dataclasses import dataclass

from sagedock.contract import _sources as source

__all__ = [
    "FAILURE_REASON_CHARACTERS",
    "HOSTS_RESOLVE_S",
    "TRAINING_STOP_GRACE_S",
    "Limit",
]


@dataclass(frozen=True, kw_only=True)
class Limit:
    """One number: its value, its unit, and the page that says so."""

    value: int
    unit: str
    source: str

    def __int__(self) -> int:
        return self.value


TRAINING_STOP_GRACE_S = Limit(value=120, unit="seconds", source=source.STOP_TRAINING_JOB)
FAILURE_REASON_CHARACTERS = Limit(
    value=1024, unit="characters", source=source.DESCRIBE_TRAINING_JOB
)
HOSTS_RESOLVE_S = Limit(value=900, unit="seconds", source=source.TOOLKIT)
