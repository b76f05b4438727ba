"""JSON bodies: what a client sent becomes Python values, and an answer becomes what AWS sends.

Only members that travel in the body; those of REST services that travel in the path, the query
or a header are the caller's.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sagedock.api.convert import reader, writer
from sagedock.api.model import error_shapes, protocol
from sagedock.api.service_error import ServiceError

__all__ = [
    "CONTENT_TYPE",
    "REST_CONTENT_TYPE",
    "MalformedBody",
    "decode",
    "encode",
    "error_body",
    "error_headers",
    "read_json",
]

#: Source: aws-answers row 122.
CONTENT_TYPE = "application/x-amz-json-1.1"
REST_CONTENT_TYPE = "application/json"

#: How errors that no model declares spell their text. Athena, of the same front, was measured.
_CAPITAL_MESSAGE = ("AccessDeniedException", "SerializationException")


class MalformedBody(ValueError):
    """The body is no JSON text. The service answers SerializationException without a message."""


def read_json(body: bytes) -> dict[str, Any] | list[Any]:
    """Return the JSON object or list in ``body``.

    Raises ``MalformedBody`` for anything else: no JSON, nothing at all, or a bare scalar or null.
    A list is left to ``type_problem``, which has the service's words for it. Half a surrogate pair,
    which no UTF-8 can hold, becomes ``?``, as Java writes it.
    """
    try:
        value = json.loads(body, parse_constant=_refuse_constant)
        if not body.isascii() or b"\\" in body:
            value = _without_half_pairs(value)
    except (ValueError, RecursionError) as error:
        raise MalformedBody(str(error)) from error
    if not isinstance(value, dict | list):
        raise MalformedBody("neither an object nor a list")
    return value


def _without_half_pairs(value: Any) -> Any:
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.loads(text.encode(errors="replace"))
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def decode(value: dict[str, Any] | list[Any], service: str, operation: str) -> dict[str, Any]:
    """Return the request in ``value``, as ``read_json`` returned it: datetimes for timestamps,
    bytes for blobs, nulls left out.

    Unknown members are left out, as the service does. Values of a wrong type stay as they are:
    ask ``type_problem`` first.
    """
    read = reader(service, operation)
    if read is None or isinstance(value, list):
        return {}
    request: dict[str, Any] = read(value)
    return request


def encode(service: str, operation: str, answer: Mapping[str, Any]) -> bytes:
    """Return the body of ``answer``: epoch seconds with milliseconds for moments, base64 for blobs.

    Members that are None or that the model lacks are left out. Raises ``ValueError`` for a datetime
    without a timezone. Source of the numbers: aws-answers row 122.
    """
    write = writer(service, operation)
    return _bytes({} if write is None else write(answer))


def error_body(error: ServiceError, service: str = "sagemaker") -> bytes:
    """Return the body of a refusal: ``{"__type": code, "message": text}``.

    Errors that the model declares call it ``Message``, as their shapes do, and so do a few others.
    """
    body = {} if protocol(service) == "rest-json" else {"__type": error.code}
    if error.message is not None:
        body[_message_key(error.code, service)] = error.message
    return _bytes(body)


def error_headers(error: ServiceError, service: str = "sagemaker") -> Mapping[str, str]:
    """Return the headers of a refusal. REST services name the code there and not in the body."""
    if protocol(service) == "rest-json":
        return MappingProxyType(
            {"Content-Type": REST_CONTENT_TYPE, "x-amzn-ErrorType": error.code},
        )
    return MappingProxyType({"Content-Type": CONTENT_TYPE})


def _bytes(value: Mapping[str, Any]) -> bytes:
    """Return compact JSON. Half a surrogate pair, which UTF-8 cannot hold, becomes ``?``."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode(errors="replace")


def _message_key(code: str, service: str) -> str:
    shape = error_shapes(service).get(code)
    names = ("Message",) if shape is None and code in _CAPITAL_MESSAGE else ()
    declared = () if shape is None else tuple(shape.members)
    return next((name for name in (*declared, *names) if name.lower() == "message"), "message")
