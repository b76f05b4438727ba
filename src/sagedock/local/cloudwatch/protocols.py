"""CloudWatch's three protocols: what came becomes JSON, and a JSON answer what the client reads.

boto3 of 2026 speaks JSON, other SDKs of today CBOR, and every older client the query protocol.
Sources: https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html,
https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
"""

import json
import re
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl

from sagedock import api
from sagedock.api.model import error_shapes, input_shape
from sagedock.local.body import LARGEST_BODY
from sagedock.local.cloudwatch.query import read_query, write_query
from sagedock.local.json_service import Reply

if TYPE_CHECKING:
    from botocore.model import OperationModel

__all__ = ["SERVICE", "Call", "is_call", "read_call", "write_reply"]

SERVICE = "cloudwatch"
_SIGNED_AS = "monitoring"
_JSON_TYPE = "application/x-amz-json-1.0"
_CBOR_TYPE = "application/cbor"
_QUERY_ERROR = "x-amzn-query-error"
_NAME = "GraniteServiceVersion20100801"
_RPC_PATH = re.compile(rf"/service/{_NAME}/operation/(?P<name>[A-Za-z]+)")
#: The name of an operation whose input is an error: errors are written as requests are.
_ERROR = "SagedockError"
#: A request's refusal by the model has another name here than in SageMaker.
#: Source: API_GetMetricData, Common Errors.
_CODES = {"ValidationException": "ValidationError"}


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request: the operation, and its body as JSON, whatever it came as."""

    protocol: Literal["cbor", "json", "query"]
    operation: str
    body: bytes


def is_call(service: str | None, path: str, headers: Mapping[str, str]) -> bool:
    """Say whether a request is one of CloudWatch's, by its signature or, unsigned, by its form."""
    target = headers.get("x-amz-target", "")
    return service == _SIGNED_AS or (
        service is None
        and (target.startswith(f"{_NAME}.") or _RPC_PATH.fullmatch(path) is not None)
    )


def read_call(path: str, query: str, headers: Mapping[str, str], body: bytes) -> Call | None:
    """Return the call that a request is, or None if it is in no protocol of CloudWatch's.

    A body that cannot be read becomes an empty one, which is no JSON and is refused as such.
    """
    if target := headers.get("x-amz-target"):
        operation = target.rpartition(".")[2]
        return Call(protocol="json", operation=operation, body=_read(_unpacked, headers, body))
    if rpc := _RPC_PATH.fullmatch(path):
        plain = _read(_unpacked, headers, body)
        read = _read(_read_cbor, rpc["name"], plain) if plain or not body else b""
        return Call(protocol="cbor", operation=rpc["name"], body=read)
    text = _read(_unpacked, headers, body) if body else query.encode()
    form = dict(parse_qsl(text.decode(errors="replace"), keep_blank_values=True))
    operation = form.pop("Action", "")
    if not operation:
        return None
    return Call(protocol="query", operation=operation, body=_read(_read_form, operation, form))


def write_reply(call: Call, reply: Reply) -> Reply:
    """Return a JSON reply in the protocol of the call."""
    failed = reply.status >= 400
    value = json.loads(reply.body or b"{}")
    headers = {k.lower(): v for k, v in reply.headers.items() if k.lower() == "x-amzn-requestid"}
    if failed:
        code = str(reply.headers.get(_QUERY_ERROR) or value.get("__type", "")).partition(";")[0]
        code = _CODES.get(code, code)
        fault = "Sender" if reply.status < 500 else "Receiver"
        headers[_QUERY_ERROR] = f"{code};{fault}"
        value = {"__type": _shape_name(code), "message": _message(value)}
    match call.protocol:
        case "json":
            headers["content-type"] = _JSON_TYPE
            body = json.dumps(value).encode() if failed else reply.body
        case "cbor":
            headers |= {"content-type": _CBOR_TYPE, "smithy-protocol": "rpc-v2-cbor"}
            body = _write_cbor(_ERROR if failed else call.operation, value)
        case "query":
            headers["content-type"] = "text/xml"
            error = (headers[_QUERY_ERROR], value["message"]) if failed else None
            body = write_query(call.operation, value, headers.get("x-amzn-requestid", ""), error)
    return Reply(status=reply.status, headers=headers, body=body)


def _read(reading: Callable[..., bytes], *arguments: Any) -> bytes:
    """Return what ``reading`` makes of a body, or nothing if it is malformed."""
    from botocore.parsers import ResponseParserError

    try:
        return reading(*arguments)
    except (
        *(LookupError, TypeError, AttributeError, ValueError, OverflowError, RecursionError),
        *(struct.error, zlib.error, ResponseParserError),
    ):
        return b""


def _unpacked(headers: Mapping[str, str], body: bytes) -> bytes:
    """Return a body that may be compressed, as SDKs do with large ones of PutMetricData."""
    if headers.get("content-encoding") != "gzip":
        return body
    unpacking = zlib.decompressobj(wbits=31)
    whole = unpacking.decompress(body, LARGEST_BODY)
    if unpacking.unconsumed_tail:
        raise ValueError(f"a body of over {LARGEST_BODY} bytes")
    return whole


def _read_form(operation: str, form: Mapping[str, str]) -> bytes:
    shape = input_shape(SERVICE, operation) if operation in api.operations(SERVICE) else None
    return json.dumps({} if shape is None else read_query(shape, form)).encode()


def _read_cbor(operation: str, body: bytes) -> bytes:
    from botocore.parsers import create_parser

    if not body or operation not in api.operations(SERVICE):
        return b"{}"
    found = create_parser("smithy-rpc-v2-cbor").parse(
        {"headers": {}, "body": body, "status_code": 200}, input_shape(SERVICE, operation)
    )
    found.pop("ResponseMetadata", None)
    return json.dumps(found, default=_plain).encode()


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{type(value).__name__} is in no request of CloudWatch's")


def _write_cbor(operation: str, value: Mapping[str, Any]) -> bytes:
    from botocore.serialize import create_serializer

    serializer = create_serializer("smithy-rpc-v2-cbor", include_validation=False)
    written: bytes = serializer.serialize_to_request(value, _turned_round(operation))["body"]
    return written or b"\xa0"  # an empty map


@cache
def _turned_round(operation: str) -> "OperationModel":
    """Return an operation whose request is the answer, so that botocore writes answers."""
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    description = dict(Loader().load_service_model(SERVICE, "service-2"))
    text = {"shape": "SagedockText"}
    description["shapes"] = {
        **description["shapes"],
        "SagedockText": {"type": "string"},
        _ERROR: {"type": "structure", "members": {"__type": text, "message": text}},
    }
    answers = {
        name: {"input": made["output"]} if "output" in made else {}
        for name, made in description["operations"].items()
    }
    answers[_ERROR] = {"input": {"shape": _ERROR}}
    description["operations"] = {
        name: {"name": name, "http": {"method": "POST", "requestUri": "/"}, **made}
        for name, made in answers.items()
    }
    return ServiceModel(description, SERVICE).operation_model(operation)


def _message(value: Mapping[str, Any]) -> str:
    return str(value.get("message") or value.get("Message") or "")


def _shape_name(code: str) -> str:
    shape = error_shapes(SERVICE).get(code)
    return code if shape is None else str(shape.name)
