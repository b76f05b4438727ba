"""Members that the service does not know.

The service drops them in silence; a client that checks before it sends must not, for a member
misspelt is a member lost.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sagedock.api.json_types import fits
from sagedock.api.model import Shape, input_shape
from sagedock.api.place import TOP, Place
from sagedock.api.walk import children

__all__ = ["unknown_in_value", "unknown_members"]


def unknown_members(service: str, operation: str, request: Mapping[str, Any]) -> tuple[str, ...]:
    """Return each member of ``request`` that the model lacks: ``InputDataConfig[0].Chanel``."""
    shape = input_shape(service, operation)
    return tuple(request) if shape is None else tuple(unknown_in_value(shape, request, TOP))


def unknown_in_value(shape: Shape, value: Any, place: Place) -> Iterator[str]:
    """Yield the place of each unknown member of ``value``; values of a wrong type are passed by."""
    if value is None or not fits(shape.type_name, value):
        return
    if shape.type_name == "structure":
        yield from (place.of_member(name).member for name in value if name not in shape.members)
    for child, item, where in children(shape, value, place):
        yield from unknown_in_value(child, item, where)
