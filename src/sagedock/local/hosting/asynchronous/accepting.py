"""What InvokeEndpointAsync asks: checked, and made a request of the backlog."""

import time
import uuid
from collections.abc import Mapping
from functools import cache
from typing import Any

from sagedock import api
from sagedock.api import runtime_messages as words
from sagedock.api.model import Shape, header_members, input_shape, output_shape
from sagedock.contract import limits
from sagedock.local.async_requests import AsyncRequest
from sagedock.local.hosting.passing import Asked, Headers
from sagedock.local.refusal import Refused
from sagedock.local.uris import S3Uri

__all__ = ["accepted", "answer_headers"]

_OPERATION = "InvokeEndpointAsync"
_SERVICE = "sagemaker-runtime"


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
    told = {"OutputLocation": request.output_location, "FailureLocation": request.failure_location}
    return [
        (header, value.encode())
        for header, (member, _) in _headers(output_shape(_SERVICE, _OPERATION)).items()
        if (value := told.get(member)) is not None
    ]


@cache
def _headers(shape: Shape) -> Mapping[bytes, tuple[str, Shape]]:
    return header_members(shape)


def _members(asked: Asked, body: bytes) -> dict[str, Any]:
    members: dict[str, Any] = {"EndpointName": asked.endpoint}
    known = _headers(input_shape(_SERVICE, _OPERATION))
    for header, (name, shape) in known.items():
        if header not in asked.headers:
            continue
        text = asked.headers[header].decode("latin-1")
        is_number = shape.type_name == "integer" and text.isascii() and text.isdigit()
        members[name] = int(text) if is_number else text
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
