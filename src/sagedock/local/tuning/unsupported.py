"""What tuning jobs cannot do here: refused clearly, never quietly left out."""

from collections.abc import Iterator, Mapping
from typing import Any

from sagedock.api import ServiceError, messages, tuning

__all__ = ["unsupported"]

Request = Mapping[str, Any]


def unsupported(request: Request) -> ServiceError | None:
    """Return the refusal of a job that would not run here as on AWS, or None. What its training
    jobs cannot do is refused as theirs.
    """
    wishes = [*_wishes(request)]
    if not wishes:
        return None
    return messages.not_carried_out(
        "; ".join(wishes), "Give a TrainingImage locally, or run the job on AWS."
    )


def _wishes(request: Request) -> Iterator[str]:
    for number, each in enumerate(tuning.definitions(request)):
        if "TrainingImage" not in each["AlgorithmSpecification"]:
            several = "TrainingJobDefinition" not in request
            place = f"TrainingJobDefinitions[{number}]" if several else "TrainingJobDefinition"
            yield f"{place}.AlgorithmSpecification without TrainingImage"
