"""FailureReason of a processing job, in the service's words."""

from sagedock.contract import limits, paths
from sagedock.local.training.reasons import INTERNAL_ERROR, NO_CAPACITY

__all__ = [
    "INTERNAL_ERROR",
    "MESSAGE_NOT_TEXT",
    "NO_CAPACITY",
    "SEE_LOGS",
    "download_failed",
    "image_not_found",
    "upload_failed",
]

#: A container did not exit 0. Source: row 78 of the fidelity corpus.
SEE_LOGS = "AlgorithmError: See job logs for more information"
#: The page of ``paths.EXIT_MESSAGE`` has the kind of error; the words are unverified.
MESSAGE_NOT_TEXT = f"ClientError: {paths.EXIT_MESSAGE} is not UTF-8 encoded"


def image_not_found(image: str) -> str:
    """The image is not there when it is pulled: nobody looks for it before. Source: row 82."""
    return _cut(
        f"ClientError: API error (404): manifest for {image} not found: manifest unknown: "
        "Requested image not found"
    )


def download_failed(why: str) -> str:
    """An input did not arrive; ``why`` begins as row 81 does."""
    return _cut(f"ClientError: {why}")


def upload_failed(why: str, uri: str) -> str:
    """An output could not be stored below ``uri``. Unverified."""
    return _cut(f"ClientError: Failed to upload data. {why.rstrip('.')}: {uri}")


def _cut(text: str) -> str:
    return text[: int(limits.FAILURE_REASON_CHARACTERS)]
