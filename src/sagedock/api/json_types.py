"""Values of a wrong JSON type, which the service refuses while it still reads the request.

It answers one SerializationException for the first of them, before any validation. The wordings
are those of Amazon's common JSON 1.1 front as measured on Athena in 2026 and, for maps, blobs and
timestamps, on Kinesis; for SageMaker itself they are unverified.
"""

import sys
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TypeGuard

from sagedock.api.model import Shape, input_shape
from sagedock.api.place import TOP, Place
from sagedock.api.walk import children

__all__ = ["TypeProblem", "fits", "type_problem", "type_problems"]

_LIST_FOUND = "Start of list found where not expected"
_OBJECT_FOUND = "Start of structure or map found where not expected."
#: What is said of a scalar where a container is due.
_EXPECTED: Mapping[str, str] = MappingProxyType(
    {"structure": "Expected null", "list": "Expected list or null", "map": "Expected map or null"}
)
#: How each scalar type is named after "can not be converted to".
_NAMED: Mapping[str, str] = MappingProxyType(
    {
        "string": "a String",
        "character": "a Character",
        "integer": "an Integer",
        "long": "a Long",
        "float": "a Float",
        "double": "a Double",
        "boolean": "a Boolean",
        "timestamp": "milliseconds since epoch",
        "blob": "a Blob",
    }
)
_NUMBERS_AS_TEXT = ("NaN", "Infinity", "-Infinity")
#: Year 1 to year 9999, in seconds from 1970: what a datetime holds.
_EARLIEST_S, _LATEST_S = -62_135_596_800, 253_402_300_799
_LARGEST = sys.float_info.max
#: Java's int and long. How the service words a number beyond them is unverified.
_BEYOND: Mapping[str, int] = MappingProxyType({"integer": 2**31, "long": 2**63})


@dataclass(frozen=True, kw_only=True)
class TypeProblem:
    """One value of a wrong type: where (API casing, Python's indices), and the service's words."""

    member: str
    message: str


def type_problem(service: str, operation: str, request: object) -> str | None:
    """Return the message of the SerializationException, or None where every type fits."""
    return next((found.message for found in type_problems(service, operation, request)), None)


def type_problems(service: str, operation: str, request: object) -> tuple[TypeProblem, ...]:
    """Return every value of a wrong type, in the order of the request's own members."""
    shape = input_shape(service, operation)
    return () if shape is None else tuple(_problems(shape, request, TOP))


def _problems(shape: Shape, value: object, place: Place) -> Iterator[TypeProblem]:
    if value is None:
        return
    message = _complaint(shape, value)
    if message is not None:
        yield TypeProblem(member=place.member, message=message)
        return
    for child, item, where in children(shape, value, place):
        yield from _problems(child, item, where)


def _complaint(shape: Shape, value: object) -> str | None:
    if fits(shape.type_name, value):
        return None
    if isinstance(value, Mapping):
        return _OBJECT_FOUND
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return _LIST_FOUND
    if shape.type_name in _EXPECTED:
        return _EXPECTED[shape.type_name]
    return f"{_token(value)} can not be converted to {_NAMED[shape.type_name]}"


def _token(value: object) -> str:
    """Return the name that the service's JSON reader gives a scalar."""
    match value:
        case bool():
            return f"{value!s}_VALUE".upper()
        case int() | float():
            return "NUMBER_VALUE"
        case _:
            return "STRING_VALUE"


def fits(type_name: str, value: object) -> bool:
    """Say whether the service can read ``value`` as ``type_name``.

    Fractions are cut off where an integer is due; a timestamp is a number in JSON, and may be a
    datetime in Python.
    """
    match type_name:
        case "structure" | "map":
            return isinstance(value, Mapping)
        case "list":
            return isinstance(value, Sequence) and not isinstance(value, str | bytes)
        case "boolean":
            return isinstance(value, bool)
        case "string" | "character":
            return isinstance(value, str)
        case "blob":
            return isinstance(value, bytes | bytearray) or _is_base64(value)
        case "timestamp":
            return isinstance(value, datetime) or _is_moment(value)
        case "float" | "double":
            return _is_number(value) or value in _NUMBERS_AS_TEXT
        case _:
            return _is_number(value) and -_BEYOND[type_name] <= int(value) < _BEYOND[type_name]


def _is_number(value: object) -> TypeGuard[int | float]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= _LARGEST


def _is_moment(value: object) -> bool:
    return _is_number(value) and _EARLIEST_S <= value <= _LATEST_S


def _is_base64(value: object) -> bool:
    try:
        return isinstance(value, str) and b64decode(value, validate=True) is not None
    except ValueError:
        return False
