"""What transform jobs cannot do here: refused clearly, never quietly left out."""

from collections.abc import Iterator, Mapping
from typing import Any

from sagedock.api import ServiceError, messages
from sagedock.local.uris import S3Uri

__all__ = ["unsupported"]

Document = Mapping[str, Any]


def unsupported(request: Document, model: Document) -> ServiceError | None:
    """Return the refusal of a job that would not run here as on AWS, or None."""
    wishes = [*_of_request(request), *_of_model(model)]
    if not wishes:
        return None
    instead = "Leave it out locally, or run the job on AWS."
    return messages.not_carried_out("; ".join(wishes), instead)


def _of_request(request: Document) -> Iterator[str]:
    if request.get("DataCaptureConfig"):
        yield "DataCaptureConfig"
    if not S3Uri.parse(request["TransformOutput"]["S3OutputPath"]).bucket:
        yield f"TransformOutput.S3OutputPath {request['TransformOutput']['S3OutputPath']}"


def _of_model(model: Document) -> Iterator[str]:
    containers = [model["PrimaryContainer"]] if model.get("PrimaryContainer") else []
    containers = containers or list(model.get("Containers") or ())
    if len(containers) > 1:
        yield f"model {model['ModelName']} of {len(containers)} containers"
    yield from (
        f"model {model['ModelName']} of Mode MultiModel"
        for each in containers
        if each.get("Mode") == "MultiModel"
    )
