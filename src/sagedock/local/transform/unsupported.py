"""What transform jobs cannot do here: refused clearly, never quietly left out."""

from collections.abc import Iterator, Mapping
from typing import Any

from sagedock.api import ServiceError, messages
from sagedock.local.hosting.parts import containers_of, is_direct, many_models
from sagedock.local.uris import S3Uri

__all__ = ["unsupported"]

Document = Mapping[str, Any]

_FIT = (
    "Name a model of one container, or of several in series (InferenceExecutionConfig.Mode Serial);"
    " each of Mode SingleModel."
)


def unsupported(request: Document, model: Document) -> ServiceError | None:
    """Return the refusal of a job that would not run here as on AWS, or None."""
    of_request, of_model = [*_of_request(request)], [*_of_model(model)]
    if not of_request and not of_model:
        return None
    instead = [
        *(["Leave it out locally, or run the job on AWS."] if of_request else []),
        *([_FIT] if of_model else []),
    ]
    return messages.not_carried_out("; ".join([*of_request, *of_model]), " ".join(instead))


def _of_request(request: Document) -> Iterator[str]:
    if request.get("DataCaptureConfig"):
        yield "DataCaptureConfig"
    if not S3Uri.parse(request["TransformOutput"]["S3OutputPath"]).bucket:
        yield f"TransformOutput.S3OutputPath {request['TransformOutput']['S3OutputPath']}"


def _of_model(model: Document) -> Iterator[str]:
    """Yield what a model is that has no one way for a payload; that AWS refuses these, too, is
    unverified.
    """
    if is_direct(model):
        yield f"model {model['ModelName']} of InferenceExecutionConfig.Mode Direct"
    if any(many_models(each) for each in containers_of(model)):
        yield f"model {model['ModelName']} of Mode MultiModel"
