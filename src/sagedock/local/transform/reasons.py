"""FailureReason of a transform job, in the service's words."""

from sagedock.local.transform.failures import Blame

__all__ = [
    "IMAGE_NOT_PULLED",
    "INTERNAL_ERROR",
    "model_data_unusable",
    "see_logs",
]

#: Source: row 114 of the fidelity corpus, which is paraphrased.
INTERNAL_ERROR = "Internal error. Please try again"
#: The image was there when the model was made, and is not any more. The words of training jobs
#: (row 50); for transform jobs unverified.
IMAGE_NOT_PULLED = (
    "ClientError: Cannot pull algorithm container. Either the image does not exist or its "
    "permissions are incorrect."
)


def see_logs(blame: Blame) -> str:
    """The container, or the data, failed an object. Sources: rows 112 and 113."""
    return f"{blame}: See job logs for more information"


def model_data_unusable(reason: str) -> str:
    """The model's data is of no use. ``reason`` is an endpoint's; for these jobs unverified."""
    return f"ClientError: {reason}"
