"""FailureReason, in the service's words."""

from sagedock.contract import limits, signals
from sagedock.engine import Exit

__all__ = [
    "IMAGE_NOT_PULLED",
    "INTERNAL_ERROR",
    "NO_CAPACITY",
    "OUT_OF_MEMORY",
    "algorithm_error",
    "container_failure",
    "download_failed",
    "is_internal",
    "upload_failed",
]

#: The two spaces are the service's.
INTERNAL_ERROR = "InternalServerError: We encountered an internal error.  Please try again."
NO_CAPACITY = (
    "CapacityError: Unable to provision requested ML compute capacity. Please retry using a "
    "different ML instance type."
)
IMAGE_NOT_PULLED = (
    "ClientError: Cannot pull algorithm container. Either the image does not exist or its "
    "permissions are incorrect."
)
OUT_OF_MEMORY = (
    "ClientError: Please use an instance type with more memory, or reduce the size of training "
    "data processed on an instance."
)


def is_internal(reason: str | None) -> bool:
    """Say whether a job failed by a fault of the platform, which RetryStrategy is for."""
    return reason is not None and reason.startswith(INTERNAL_ERROR.partition(":")[0])


def container_failure(ended: Exit, failure_file: bytes) -> str:
    """Return why a container that did not exit 0 failed the job.

    The kernel's kill for memory is told from another SIGKILL by the engine's word for it.
    """
    text = failure_file.decode("utf-8", errors="replace").strip()
    if ended.out_of_memory and ended.code == signals.EXIT_KILLED and not text:
        return OUT_OF_MEMORY
    return algorithm_error(text, ended.code)


def algorithm_error(text: str, code: int) -> str:
    """Return ``AlgorithmError: <text>, exit code: <code>``, cut within the text to 1024 characters.

    With no text the comma stays, as in the service's own answers.
    """
    head, tail = "AlgorithmError: ", f", exit code: {code}"
    room = int(limits.FAILURE_REASON_CHARACTERS) - len(head) - len(tail)
    return f"{head}{text[:room]}{tail}"


def download_failed(why: str) -> str:
    """Return the reason of a job whose data did not arrive (no space after the colon: AWS's)."""
    return _cut(f"ClientError: Data download failed:{why}")


def upload_failed(why: str) -> str:
    """Return the reason of a job whose artefacts could not be stored."""
    return _cut(f"ClientError: Artifact upload failed:{why}")


def _cut(text: str) -> str:
    return text[: int(limits.FAILURE_REASON_CHARACTERS)]
