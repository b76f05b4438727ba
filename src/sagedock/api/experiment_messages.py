"""Refusals about experiments, trials, trial components and their lineage that need the world.

As in ``messages``: each names its source, and ``unverified`` marks words that nobody was seen to
receive.
"""

from sagedock.api.messages import validation
from sagedock.api.service_error import ServiceError

__all__ = [
    "artifact_exists",
    "association_exists",
    "association_not_found",
    "entity_exists",
    "entity_not_found",
    "entity_still_used",
    "nothing_named",
    "several_filters",
]


def entity_exists(kind: str, name: str) -> ServiceError:
    """The name of an experiment, a trial or a trial component is taken. Sources: the second
    sentence is a trial's in aws/deep-learning-containers#155; that the first one came before it
    since: aws/sagemaker-python-sdk#6256, in the words of row 136.
    """
    return validation(
        f"{kind} names must be unique within an AWS account and region. {kind} with name ({name}) "
        "already exists."
    )


def entity_not_found(kind: str, arn: str) -> ServiceError:
    """No such experiment, trial or trial component, whoever names it. Source of the code: clients
    that look for it (aws/sagemaker-experiments); the words are unverified.
    """
    return ServiceError(code="ResourceNotFound", message=f"{kind} '{arn}' does not exist.")


def entity_still_used(kind: str, arn: str, by: str) -> ServiceError:
    """A deletion of what others are part of, or associated with. That it is refused: the model's
    words on the three Delete operations; the words of the refusal are unverified.
    """
    return validation(f"{kind} '{arn}' cannot be deleted: it still has {by}.")


def several_filters(names: str) -> ServiceError:
    """ListTrialComponents by more than one of its filters. That they exclude each other: the
    model's words on them; the words of the refusal are unverified.
    """
    return validation(f"Only one of these filters can be specified: {names}.")


def artifact_exists(uri: str) -> ServiceError:
    """CreateArtifact of a source that one has already. Source of the last words: the SDK v2, which
    looks for them; the rest is unverified.
    """
    return validation(f"Artifact with source ({uri}) already exists.")


def association_exists(source: str, destination: str) -> ServiceError:
    """AddAssociation of what is associated already. As ``artifact_exists``: unverified."""
    return validation(f"Association from {source} to {destination} already exists.")


def association_not_found(source: str, destination: str) -> ServiceError:
    """DeleteAssociation of what is not associated. The code is the model's; unverified."""
    return ServiceError(
        code="ResourceNotFound",
        message=f"Association from {source} to {destination} does not exist.",
    )


def nothing_named(operation: str, names: str) -> ServiceError:
    """A call that names nothing by any of its members. Unverified."""
    return validation(f"{operation} needs one of: {names}.")
