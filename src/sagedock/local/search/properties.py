"""Properties of a resource by their names, as Search has them (``HyperParameters.lr``).

Names follow the shape of the resource's record in the service's model. Entries of maps may have
dots of their own; of a list each item counts. Names of members may be written in any case, as the
SDK v2's analytics writes them (``metrics.loss.max``); that the service takes any is unverified.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sagedock.api.model import Shape

__all__ = ["Found", "Kind", "found_in", "has_property", "lists_in"]

#: A value of a map of texts, as hyperparameters, is "loose": it may be a number, too.
Kind = Literal["text", "loose", "number", "boolean", "time", "whole"]

_KINDS: Mapping[str, Kind] = {
    "string": "text",
    "integer": "number",
    "long": "number",
    "float": "number",
    "double": "number",
    "boolean": "boolean",
    "timestamp": "time",
}
#: Lists whose items are asked for by what names them: the member of the name, and of the value
#: (None for the item's own members).
_NAMED_ITEMS: Mapping[str, tuple[str, str | None]] = {
    "TagList": ("Key", "Value"),
    "FinalMetricDataList": ("MetricName", "Value"),
    "TrialComponentMetricSummaries": ("MetricName", None),
    "ParameterList": ("Name", "Value"),
}
#: What filters call a list that the record calls otherwise.
_ALIASES = {"metrics": "FinalMetricDataList"}


@dataclass(frozen=True, kw_only=True)
class Found:
    """One value of a property. A "whole" is a structure, a map or a list."""

    kind: Kind
    value: Any


def has_property(shape: Shape, name: str) -> bool:
    """Say whether a record of that shape has a property of that name."""
    head, _, rest = name.partition(".")
    match shape.type_name:
        case "structure":
            member = _member(shape, head)
            return member is not None and (not rest or has_property(shape.members[member], rest))
        case "map":
            return bool(name)
        case "list":
            return shape.name in _NAMED_ITEMS or has_property(shape.member, name)
        case _:
            return False


def found_in(shape: Shape, value: Any, name: str) -> Iterator[Found]:
    """Yield the values of a property; none where the record has none."""
    if value is None:
        return
    if not name:
        yield from _whole(shape, value)
        return
    match shape.type_name:
        case "structure":
            head, _, rest = name.partition(".")
            member = _member(shape, head)
            if member is not None and member in value:
                yield from found_in(shape.members[member], value[member], rest)
        case "map":
            for key, rest in _splits(name):
                if key in value:
                    yield from _entry(shape.value, value[key], rest)
                    return
        case "list" if shape.name in _NAMED_ITEMS:
            yield from _named_items(shape, value, name)
        case "list":
            for item in value:
                yield from found_in(shape.member, item, name)


def lists_in(shape: Shape, value: Any, name: str) -> tuple[Shape, Sequence[Any]] | None:
    """Return the shape of a list property's items, and the items; None where it is no list."""
    head, _, rest = name.partition(".")
    if shape.type_name != "structure" or (member := _member(shape, head)) is None:
        return None
    below = shape.members[member]
    there = (value or {}).get(member)
    if rest:
        return lists_in(below, there, rest)
    return (below.member, there or ()) if below.type_name == "list" else None


def _member(shape: Shape, name: str) -> str | None:
    if name in shape.members:
        return name
    wanted = name.lower()
    if wanted in _ALIASES and _ALIASES[wanted] in shape.members:
        return _ALIASES[wanted]
    return next((each for each in shape.members if each.lower() == wanted), None)


def _splits(name: str) -> Iterator[tuple[str, str]]:
    """Yield the keys that a name may begin with, the longest first, and what is left of it."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        yield ".".join(parts[:count]), ".".join(parts[count:])


def _entry(shape: Shape, value: Any, rest: str) -> Iterator[Found]:
    """Yield the values of a map's entry; a union of a text and a number is its one value."""
    if shape.type_name == "structure" and not rest:
        for member, each in value.items():
            if member in ("NumberValue", "StringValue", "Value"):
                yield from _whole(shape.members[member], each)
        return
    for found in found_in(shape, value, rest):
        yield Found(kind="loose", value=found.value) if found.kind == "text" else found


def _named_items(shape: Shape, value: Sequence[Any], name: str) -> Iterator[Found]:
    by, of = _NAMED_ITEMS[shape.name]
    for key, rest in _splits(name):
        items = [item for item in value if item.get(by) == key]
        for item in items:
            if of is None:
                yield from found_in(shape.member, item, rest or "Last")
            elif of in item and not rest:
                yield from _whole(shape.member.members[of], item[of])
        if items:
            return


def _whole(shape: Shape, value: Any) -> Iterator[Found]:
    """Yield a value as it is; of a list of scalars each item."""
    if shape.type_name == "list" and shape.member.type_name in _KINDS:
        for item in value:
            yield Found(kind=_KINDS[shape.member.type_name], value=item)
    else:
        yield Found(kind=_KINDS.get(shape.type_name, "whole"), value=value)
