"""What a value holds, shape by shape."""

from collections.abc import Iterator
from typing import Any

from sagedock.api.model import Shape
from sagedock.api.place import Place

__all__ = ["children"]


def children(shape: Shape, value: Any, place: Place) -> Iterator[tuple[Shape, Any, Place]]:
    """Yield the shape, value and place of each thing in ``value``, in the value's own order.

    Members that the model lacks are passed by. ``value`` must be of the container that ``shape``
    is; scalars hold nothing.
    """
    match shape.type_name:
        case "structure":
            for name, item in value.items():
                if name in shape.members:
                    yield shape.members[name], item, place.of_member(name)
        case "list":
            for index, item in enumerate(value):
                yield shape.member, item, place.of_item(index)
        case "map":
            for key, item in value.items():
                yield shape.value, item, place.of_entry(key)
