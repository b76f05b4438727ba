"""Numbers of the contract, units in their names."""

from dataclasses import dataclass

from sagedock.contract import _sources as source

__all__ = [
    "FAILURE_REASON_CHARACTERS",
    "HOSTS_RESOLVE_S",
    "INVOCATION_S",
    "MODEL_DOWNLOAD_S",
    "PAYLOAD_BYTES",
    "PING_ANSWER_S",
    "SERVING_STARTUP_S",
    "SERVING_STOP_GRACE_S",
    "STREAM_S",
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
#: Serving: how long /ping may take to answer, how long it may take to answer 200 at all, how long
#: an answer or a whole stream may take, and what lies between SIGTERM and SIGKILL.
PING_ANSWER_S = Limit(value=2, unit="seconds", source=source.INFERENCE)
SERVING_STARTUP_S = Limit(value=480, unit="seconds", source=source.INFERENCE)
INVOCATION_S = Limit(value=60, unit="seconds", source=source.INFERENCE)
STREAM_S = Limit(value=480, unit="seconds", source=source.INFERENCE)
SERVING_STOP_GRACE_S = Limit(value=30, unit="seconds", source=source.INFERENCE)
#: The most that a variant may ask for; what it has without asking is not told.
MODEL_DOWNLOAD_S = Limit(value=3600, unit="seconds", source=source.PRODUCTION_VARIANT)
PAYLOAD_BYTES = Limit(value=25 * 1024 * 1024, unit="bytes", source=source.HOSTING_QUESTIONS)
