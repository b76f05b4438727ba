"""FailureReason of an endpoint, in the service's words. Sources are rows of the fidelity corpus'
page on the rest.
"""

from collections.abc import Sequence

from sagedock.contract import limits

__all__ = [
    "INTERNAL_ERROR",
    "NO_CAPACITY",
    "ONLY_CONTAINER",
    "cannot_start",
    "data_inaccessible",
    "data_not_extracted",
    "data_not_found",
    "deleted_meanwhile",
    "explained",
    "image_too_large",
    "no_ping",
]

#: The longest FailureReason. Source: the service's model.
_LONGEST = 1024

#: Source: row 44.
NO_CAPACITY = (
    "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error."
)
#: Source: public notes on endpoints that failed so (2026); what on AWS leads to it is not told.
INTERNAL_ERROR = (
    "Request to service failed. If failure persists after retry, contact customer support."
)
#: What the only container of a model is called where data is told of.
ONLY_CONTAINER = "container_1"


def no_ping(variant: str, container: str | None = None) -> str:
    """/ping did not answer 200 in time. Sources: rows 36 to 38; for one of several
    aws/amazon-sagemaker-examples#1072.
    """
    which = "primary container" if container is None else container
    return (
        f"The {which} for production variant {variant} did not pass the ping health "
        "check. Please check CloudWatch logs for this endpoint."
    )


def cannot_start(variant: str, image: str) -> str:
    """The container could not be started. Source: row 41."""
    return (
        f"CannotStartContainerError. Please ensure the model container for variant {variant} "
        f"starts correctly when invoked with 'docker run {image} serve'"
    )


def data_not_extracted(uri: str, container: str) -> str:
    """The model data is no archive. Source: aws/deep-learning-containers#569, of one container."""
    return (
        f'Failed to extract model data archive for container "{container}" from URL "{uri}". '
        "Please ensure that the object located at the URL is a valid tar.gz archive."
    )


def data_inaccessible(uri: str) -> str:
    """The model data is gone since the model was created. Source: row 48, which is cut after "can
    access it"; the rest is unverified.
    """
    return (
        f"Could not access model data at {uri}. Please ensure that the role can access it, and "
        "that there is an object located at the URL."
    )


def data_not_found(uri: str, container: str) -> str:
    """The model data did not arrive in time. Source: issue 9 of
    aws-solutions-library-samples/fraud-detection-using-machine-learning; for the time unverified.
    """
    return (
        f'Failed to download model data for container "{container}" from URL: "{uri}". Please '
        "ensure that there is an object located at the URL and that the role passed to CreateModel "
        "has permissions to download the object."
    )


def deleted_meanwhile(kind: str, name: str) -> str:
    """What the endpoint is made of was deleted while it was created. Unverified: row 49 tells that
    it fails, and not in which words.
    """
    return f"{INTERNAL_ERROR} (The {kind} {name} was deleted while the endpoint was created)"


def image_too_large(size: int) -> str:
    """The image of a serverless variant has more bytes than it may have. Source: row 46."""
    return f"Image size {size} is greater than supported size {int(limits.SERVERLESS_IMAGE_BYTES)}"


def explained(reason: str, why: str, lines: Sequence[str] = ()) -> str:
    """Return a reason with more than the service says: why in our words, and the last lines of the
    container, as many as there is room for; of one that is longer than that, the beginning.
    """
    text = f"{reason} ({why}."
    if not lines:
        return f"{text})"
    head, tail = f"{text} It said last:", ")"
    room = _LONGEST - len(head) - len(tail)
    said = f"\n{lines[-1]}"[:room]
    for line in reversed(lines[:-1]):
        if len(longer := f"\n{line}{said}") > room:
            break
        said = longer
    return f"{head}{said}{tail}"
