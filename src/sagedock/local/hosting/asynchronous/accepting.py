"""What InvokeEndpointAsync asks: checked, and made a request of the backlog."""

import time
import uuid
from collections.abc import Mapping
from typing import Any

from sagedock import api
from sagedock.api import runtime_messages as words
from sagedock.contract import limits
from sagedock.local.async_requests import AsyncRequest
from sagedock.local.hosting.passing import Asked, Headers
from sagedock.local.refusal import Refused
from sagedock.local.uris import S3Uri

__all__ = ["accepted", "answer_headers"]

_OPERATION = "InvokeEndpointAsync"
_SERVICE = "sagemaker-runtime"
_OURS = b"x-amzn-sagemaker-"
#: The members of a request that travel in headers; those with numbers apart.
_TEXTS = {
    _OURS + b"content-type": "ContentType",
    _OURS + b"accept": "Accept",
    _OURS + b"custom-attributes": "CustomAttributes",
    _OURS + b"inference-id": "InferenceId",
    _OURS + b"inputlocation": "InputLocation",
    _OURS + b"s3outputpathextension": "S3OutputPathExtension",
    _OURS + b"filename": "Filename",
}
_NUMBERS = {
    _OURS + b"requestttlseconds": "RequestTTLSeconds",
    _OURS + b"invocationtimeoutseconds": "InvocationTimeoutSeconds",
}


def accepted(asked: Asked, body: bytes, config: Mapping[str, Any]) -> AsyncRequest:
    """Return the request that waits from now on, or refuse it.

    ``config`` is the endpoint's AsyncInferenceConfig. That the input exists is not asked here: the
    service finds out when it is the request's turn.
    """
    members = _members(asked, body)
    problems = tuple(api.problems_in_request(_SERVICE, _OPERATION, members))
    if problems:
        raise Refused(words.bad_request(str(api.validation_error(_SERVICE, problems).message)))
    if ("InputLocation" in members) == ("Body" in members):
        raise Refused(words.not_one_input(asked.request_id))
    now, output = time.time(), config["OutputConfig"]
    name = str(uuid.uuid4())
    return AsyncRequest(
        region=asked.region,
        endpoint=asked.endpoint,
        inference_id=members.get("InferenceId", str(uuid.uuid4())),
        received=now,
        expires=now + members.get("RequestTTLSeconds", int(limits.ASYNC_QUEUED_S)),
        timeout_s=members.get("InvocationTimeoutSeconds", int(limits.ASYNC_INVOCATION_S)),
        input_location=members.get("InputLocation"),
        output_location=_location(output.get("S3OutputPath"), members, f"{name}.out"),
        failure_location=_location(output.get("S3FailurePath"), members, f"{name}-error.out"),
        content_type=members.get("ContentType"),
        accept=members.get("Accept"),
        custom_attributes=members.get("CustomAttributes"),
        body=members.get("Body"),
    )


def answer_headers(request: AsyncRequest) -> Headers:
    """Return the headers that tell where the results will be."""
    told = (
        (_OURS + b"outputlocation", request.output_location),
        (_OURS + b"failurelocation", request.failure_location),
    )
    return [(name, value.encode()) for name, value in told if value is not None]


def _members(asked: Asked, body: bytes) -> dict[str, Any]:
    members: dict[str, Any] = {"EndpointName": asked.endpoint}
    for name, value in asked.headers.items():
        text = value.decode("latin-1")
        if name in _TEXTS:
            members[_TEXTS[name]] = text
        elif name in _NUMBERS:
            members[_NUMBERS[name]] = int(text) if text.isascii() and text.isdigit() else text
    if body:
        members["Body"] = body
    return members


def _location(root: str | None, members: Mapping[str, Any], name: str) -> str | None:
    """Return where a result will be. Source of the names: a message of the service in a public
    file (2023-05-23) for the result, for the failure unverified; the request's own wins.
    """
    if not root:
        return None
    folder = S3Uri.parse(root)
    if extension := members.get("S3OutputPathExtension", "").strip("/"):
        folder = folder / extension
    return str(folder / members.get("Filename", name))
