"""Values between JSON and Python, shape by shape, worked out once for each operation.

An answer may hold thousands of values, most of which are the same in both.
"""

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import Any

from sagedock.api.json_types import fits
from sagedock.api.model import Shape, input_shape, output_shape

__all__ = ["Converter", "reader", "writer"]

Converter = Callable[[Any], Any]
#: What converts each type of scalar; one that is not there stays as it is.
_Leaves = Mapping[str, Converter]


@cache
def reader(service: str, operation: str) -> Converter | None:
    """Return what makes Python values of a request's JSON, or None for one without input."""
    shape = input_shape(service, operation)
    return None if shape is None else _converter(shape, _READ)


@cache
def writer(service: str, operation: str) -> Converter | None:
    """Return what makes JSON of an answer, or None for an operation that answers nothing."""
    shape = output_shape(service, operation)
    return None if shape is None else _converter(shape, _WRITE)


def _converter(shape: Shape, leaves: _Leaves) -> Converter | None:
    """Return what converts values of ``shape``; None where they stay as they are."""
    match shape.type_name:
        case "structure":
            return _Members(shape, leaves)
        case "list":
            return _items(_converter(shape.member, leaves))
        case "map":
            return _values(_converter(shape.value, leaves))
        case _:
            return leaves.get(shape.type_name)


class _Members:
    """Converts a structure: nulls, unknown members and those outside the body are left out.

    Its members are worked out when the first one comes, for a shape may hold itself.
    """

    def __init__(self, shape: Shape, leaves: _Leaves) -> None:
        self._shape, self._leaves = shape, leaves

    @cached_property
    def _members(self) -> Mapping[str, Converter | None]:
        return {
            name: _converter(member, self._leaves)
            for name, member in self._shape.members.items()
            if "location" not in member.serialization
        }

    def __call__(self, value: Any) -> Any:
        if not isinstance(value, dict) and not fits("structure", value):
            return value
        members = self._members
        return {
            name: item if (convert := members[name]) is None else convert(item)
            for name, item in value.items()
            if item is not None and name in members
        }


def _items(convert: Converter | None) -> Converter | None:
    def converted(value: Any) -> Any:
        if convert is None or not fits("list", value):
            return value
        return [None if item is None else convert(item) for item in value]

    return convert and converted


def _values(convert: Converter | None) -> Converter | None:
    def converted(value: Any) -> Any:
        if convert is None or not fits("map", value):
            return value
        return {key: None if item is None else convert(item) for key, item in value.items()}

    return convert and converted


def _where_it_fits(type_name: str, read: Converter) -> Converter:
    """Return ``read`` for values that the service can read as ``type_name``; others stay."""
    return lambda value: read(value) if fits(type_name, value) else value


def _moment(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromtimestamp(value, UTC)


def _unpacked(value: Any) -> Any:
    return base64.b64decode(value) if isinstance(value, str) else value


def _packed(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes | bytearray) else value


def _epoch_seconds(value: Any) -> Any:
    if not isinstance(value, datetime):
        return value
    if value.tzinfo is None:
        raise ValueError(f"{value}: a moment needs a timezone; use datetime.now(UTC)")
    return round(value.timestamp(), 3)


_READ: _Leaves = {
    "timestamp": _where_it_fits("timestamp", _moment),
    "integer": _where_it_fits("integer", int),
    "long": _where_it_fits("long", int),
    "float": _where_it_fits("float", float),
    "double": _where_it_fits("double", float),
    "blob": _where_it_fits("blob", _unpacked),
}
_WRITE: _Leaves = {"timestamp": _epoch_seconds, "blob": _packed}
