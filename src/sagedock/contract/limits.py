"""Numbers of the contract, units in their names."""

from dataclasses import dataclass

from sagedock.contract import _sources as source

__all__ = [
    "FAILURE_REASON_CHARACTERS",
    "HOSTS_RESOLVE_S",
    "HYPERPARAMETERS",
    "HYPERPARAMETER_KEY_CHARACTERS",
    "HYPERPARAMETER_VALUE_CHARACTERS",
    "METRIC_DEFINITIONS",
    "PROCESSING_STOP_GRACE_S",
    "SERVING_STOP_GRACE_S",
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
SERVING_STOP_GRACE_S = Limit(value=30, unit="seconds", source=source.INFERENCE)
PROCESSING_STOP_GRACE_S = Limit(value=120, unit="seconds", source=source.PROCESSING)
FAILURE_REASON_CHARACTERS = Limit(
    value=1024, unit="characters", source=source.DESCRIBE_TRAINING_JOB
)
HYPERPARAMETERS = Limit(value=100, unit="entries", source=source.CREATE_TRAINING_JOB)
HYPERPARAMETER_KEY_CHARACTERS = Limit(
    value=256, unit="characters", source=source.CREATE_TRAINING_JOB
)
HYPERPARAMETER_VALUE_CHARACTERS = Limit(
    value=2500, unit="characters", source=source.CREATE_TRAINING_JOB
)
HOSTS_RESOLVE_S = Limit(value=900, unit="seconds", source=source.TOOLKIT)
METRIC_DEFINITIONS = Limit(value=40, unit="entries", source=source.METRICS)
