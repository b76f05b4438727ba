"""Numbers of the contract, units in their names."""

from dataclasses import dataclass

from sagedock.contract import _sources as source

__all__ = [
    "ASYNC_INPUT_MB",
    "ASYNC_INVOCATION_S",
    "ASYNC_LONGEST_S",
    "ASYNC_QUEUED_S",
    "BATCH_PAYLOAD_MB",
    "EXIT_MESSAGE_BYTES",
    "FAILURE_REASON_CHARACTERS",
    "HOSTS_RESOLVE_S",
    "IMAGE_DOWNLOAD_S",
    "INVOCATION_PAYLOAD_MB",
    "INVOCATION_TIMEOUT_S",
    "MODEL_DOWNLOAD_S",
    "MODEL_LOAD_S",
    "PING_ANSWER_S",
    "PING_EVERY_S",
    "SERVERLESS_IMAGE_BYTES",
    "SERVERLESS_PAYLOAD_MB",
    "SERVERLESS_STARTUP_S",
    "SERVING_STARTUP_S",
    "SERVING_STOP_GRACE_S",
    "STREAM_TIMEOUT_S",
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
EXIT_MESSAGE_BYTES = Limit(value=1024, unit="bytes", source=source.PROCESSING_MESSAGE)
HOSTS_RESOLVE_S = Limit(value=900, unit="seconds", source=source.TOOLKIT)
#: How long an instance that starts was seen to take for each GB of an image, compressed.
IMAGE_DOWNLOAD_S = Limit(value=19, unit="seconds per GB", source=source.IMAGE_DOWNLOAD)
#: Serving: how long /ping may take to answer, and how long it may take to answer 200 at all.
PING_ANSWER_S = Limit(value=2, unit="seconds", source=source.HOSTING)
#: How often it was seen to be asked, also once the container serves.
PING_EVERY_S = Limit(value=5, unit="seconds", source=source.PINGS)
SERVING_STARTUP_S = Limit(value=480, unit="seconds", source=source.HOSTING)
#: The most that a variant may ask for; what it has without asking is not told.
MODEL_DOWNLOAD_S = Limit(value=3600, unit="seconds", source=source.PRODUCTION_VARIANT)
#: How long one of many models may take to be downloaded and loaded.
MODEL_LOAD_S = Limit(value=360, unit="seconds", source=source.INVOKE_MULTI_MODEL)
SERVING_STOP_GRACE_S = Limit(value=30, unit="seconds", source=source.HOSTING)
#: How long a container may take to answer, and to end an answer that it streams.
INVOCATION_TIMEOUT_S = Limit(value=60, unit="seconds", source=source.HOSTING)
STREAM_TIMEOUT_S = Limit(value=480, unit="seconds", source=source.HOSTING_QUESTIONS)
#: A megabyte is 1024 * 1024 bytes here: nobody was seen to be refused between the two.
INVOCATION_PAYLOAD_MB = Limit(value=25, unit="megabytes", source=source.HOSTING_QUESTIONS)
#: Batch transform: the payload, and the payload times the concurrent requests; also source:
#: API_CreateTransformJob.
BATCH_PAYLOAD_MB = Limit(value=100, unit="megabytes", source=source.BATCH)
#: Asynchronous inference: the most that an input may have, how long a container may take unless the
#: request says otherwise, and at most, and how long a request may wait.
ASYNC_INPUT_MB = Limit(value=1024, unit="megabytes", source=source.HOSTING_QUESTIONS)
ASYNC_INVOCATION_S = Limit(value=900, unit="seconds", source=source.INVOKE_ASYNC)
ASYNC_LONGEST_S = Limit(value=3600, unit="seconds", source=source.INVOKE_ASYNC)
ASYNC_QUEUED_S = Limit(value=21_600, unit="seconds", source=source.INVOKE_ASYNC)
#: Serverless: the image (as a FailureReason was seen to tell), the payload, and how long /ping may
#: take to answer 200 after a cold start.
SERVERLESS_IMAGE_BYTES = Limit(value=10_737_418_240, unit="bytes", source=source.SERVERLESS)
SERVERLESS_PAYLOAD_MB = Limit(value=4, unit="megabytes", source=source.SERVERLESS)
SERVERLESS_STARTUP_S = Limit(value=180, unit="seconds", source=source.SERVERLESS)
