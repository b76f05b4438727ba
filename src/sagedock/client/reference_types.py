"""References of another type than the API wants where they stand, as far as their types are known
before the pipeline runs.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sagedock.client.words import word_of
from sagedock.jobs import Request
from sagedock.jobs.pipeline import Execution, Join, Parameter, Reference

if TYPE_CHECKING:
    from sagedock.api.model import Shape
    from sagedock.api.place import Place

__all__ = ["problems_of_types"]

#: A value of each type that parameters have.
_SAMPLES: Mapping[str, object] = MappingProxyType(
    {"String": "text", "Integer": 1, "Float": 0.5, "Boolean": True}
)
#: What is due, by the service's name of a type; all others are numbers.
_DUE: Mapping[str, str] = MappingProxyType(
    {
        "string": "text",
        "boolean": "true or false",
        "list": "a list",
        "map": "a map",
        "structure": "an object",
    }
)


def problems_of_types(request: Request) -> Iterator[str]:
    """Yield a line for each reference that the service could not convert to what is due there."""
    from sagedock.api.json_types import fits
    from sagedock.api.model import input_shape
    from sagedock.api.place import TOP

    shape = input_shape(request.service, request.operation)
    for kind, reference, place in _references(shape, request.parameters, TOP):
        known = _type_of(reference)
        if known is None or fits(kind, _SAMPLES[known]):
            continue
        due = _DUE.get(kind, "a number")
        named = _named(reference)
        remedy = f"write Join([{named}])" if kind == "string" else "give what is due"
        if isinstance(reference, Parameter) and due in ("a number", "true or false"):
            remedy = f"declare it with type={_type_for(kind)!r}"
        yield (
            f"{word_of(place.member, request.parameters)}: {named} is of the type {known}, and "
            f"{due} is due: {remedy}"
        )


def _references(
    shape: "Shape", value: Any, place: "Place"
) -> Iterator[tuple[str, Reference, "Place"]]:
    """Yield the references in a value, each with the type that is due there."""
    from sagedock.api.json_types import fits
    from sagedock.api.walk import children

    if isinstance(value, Reference):
        yield shape.type_name, value, place
    elif fits(shape.type_name, value):
        for child, item, where in children(shape, value, place):
            yield from _references(child, item, where)


def _type_of(reference: Reference) -> str | None:
    if isinstance(reference, Parameter):
        return reference.kind
    return "String" if isinstance(reference, Execution | Join) else None


def _type_for(kind: str) -> str:
    if kind == "boolean":
        return "Boolean"
    return "Float" if kind in ("float", "double") else "Integer"


def _named(reference: Reference) -> str:
    if isinstance(reference, Parameter):
        return f"Parameter({reference.name!r})"
    return str(reference) if isinstance(reference, Execution) else "Join(...)"
