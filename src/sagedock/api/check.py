"""The full check of a request against the service's model: every problem, in the service's words.

botocore's own validator knows types, required members and minima; the service also demands
patterns, enums and maxima, and says so only after the call. Here it is said before.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sagedock.api.constraints import MUST_NOT_BE_NULL, Kind, constraints, in_order_of_report
from sagedock.api.java import quoted
from sagedock.api.json_types import fits
from sagedock.api.model import Shape, input_shape
from sagedock.api.place import TOP, Place
from sagedock.api.service_error import ServiceError

__all__ = [
    "Problem",
    "problems_in_request",
    "problems_in_value",
    "validation_error",
    "validation_message",
]

#: What a service calls a request that its model forbids, where that is not ValidationException.
#: The words are the same. Source: cisagov/crossfeed#374 (2020).
_INVALID: Mapping[str, str] = MappingProxyType(
    {"ecr": "InvalidParameterException", "logs": "InvalidParameterException"}
)

#: Shapes that are reported member by member; lists and maps of anything else are reported whole.
_NESTED = ("structure", "list", "map")


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One demand that a request fails.

    ``path`` is as the service prints it (``inputDataConfig.1.member.channelName``), ``member`` as
    the caller wrote it (``InputDataConfig[0].ChannelName``); ``shown`` is the value as the service
    prints it with a blank behind, empty for a secret; ``constraint`` is the demand in its words.
    ``may_be_newer`` marks an instance type outside the enum, which may only be newer than the
    installed model: a client warns of it, where the service refuses.
    """

    path: str
    member: str
    shown: str
    constraint: str
    kind: Kind
    may_be_newer: bool = False

    def __str__(self) -> str:
        return f"Value {self.shown}at '{self.path}' failed to satisfy constraint: {self.constraint}"


def problems_in_request(
    service: str,
    operation: str,
    request: Mapping[str, Any],
    *,
    allow: frozenset[str] = frozenset(),
) -> tuple[Problem, ...]:
    """Return every demand of the model that ``request`` fails, in the model's order of members.

    ``allow`` is enum values to accept beyond the model's: instance types newer than the installed
    botocore. Values of a wrong type are left to ``type_problem``, unknown members to
    ``unknown_members``.
    """
    shape = input_shape(service, operation)
    return () if shape is None else tuple(problems_in_value(shape, request, allow))


def validation_message(problems: Collection[Problem]) -> str:
    """Return the text of the ValidationException that lists ``problems`` (at least one)."""
    noun = "error" if len(problems) == 1 else "errors"
    return f"{len(problems)} validation {noun} detected: {'; '.join(map(str, problems))}"


def validation_error(service: str, problems: Collection[Problem]) -> ServiceError:
    """Return the refusal of a request to ``service`` that lists ``problems`` (at least one)."""
    code = _INVALID.get(service, "ValidationException")
    return ServiceError(code=code, message=validation_message(problems))


def problems_in_value(
    shape: Shape, value: object, allow: frozenset[str] = frozenset()
) -> Iterator[Problem]:
    """Yield the problems of one value: its own first, then those of what it holds."""
    return _walk(_Spot(shape=shape, value=value, place=TOP, allow=allow))


@dataclass(frozen=True, kw_only=True)
class _Spot:
    """One value on the way through a request."""

    shape: Shape
    value: Any
    place: Place
    allow: frozenset[str]

    def inside(self, shape: Shape, value: object, place: Place) -> "_Spot":
        return _Spot(shape=shape, value=value, place=place, allow=self.allow)

    def problem(self, kind: Kind, text: str, *, of: Shape | None = None) -> Problem:
        name = (of or self.shape).name
        return Problem(
            path=self.place.path,
            member=self.place.member,
            shown=quoted(self.value, self.shape),
            constraint=text,
            kind=kind,
            may_be_newer=kind is Kind.ENUM and name.endswith("InstanceType"),
        )


def _walk(spot: _Spot) -> Iterator[Problem]:
    if not fits(spot.shape.type_name, spot.value):
        return
    for demand in in_order_of_report(constraints(spot.shape, spot.allow)):
        if not demand.holds(spot.value):
            yield spot.problem(demand.kind, demand.text)
    match spot.shape.type_name:
        case "structure":
            yield from _in_structure(spot)
        case "list":
            yield from _in_list(spot)
        case "map":
            yield from _in_map(spot)


def _in_structure(spot: _Spot) -> Iterator[Problem]:
    yield from _in_union(spot)
    required = spot.shape.required_members
    for name, shape in spot.shape.members.items():
        value = spot.value.get(name)
        if value is None and name not in required:
            continue
        member = spot.inside(shape, value, spot.place.of_member(name))
        if value is not None:
            yield from _walk(member)
        else:
            yield member.problem(Kind.REQUIRED, MUST_NOT_BE_NULL)


def _in_union(spot: _Spot) -> Iterator[Problem]:
    """Yield a problem for a union without exactly one member. Its text is unverified."""
    members = spot.shape.members
    given = [name for name in members if spot.value.get(name) is not None]
    if spot.shape.metadata.get("union") and len(given) != 1:
        text = f"Member must have exactly one of the following set: [{', '.join(members)}]"
        yield spot.problem(Kind.UNION, text)


def _in_list(spot: _Spot) -> Iterator[Problem]:
    shape = spot.shape.member
    if shape.type_name not in _NESTED:
        yield from _in_brackets(spot, "Member", shape, spot.value)
        return
    for index, item in enumerate(spot.value):
        yield from _item(spot.inside(shape, item, spot.place.of_item(index)))


def _in_map(spot: _Spot) -> Iterator[Problem]:
    shape = spot.shape.value
    yield from _in_brackets(spot, "Map keys", spot.shape.key, spot.value)
    if shape.type_name not in _NESTED:
        yield from _in_brackets(spot, "Map value", shape, spot.value.values())
        return
    for key, item in spot.value.items():
        yield from _item(spot.inside(shape, item, spot.place.of_entry(key)))


def _item(spot: _Spot) -> Iterator[Problem]:
    """Yield the problems of one item of a list or map. That a null is one is unverified."""
    if spot.value is None:
        yield spot.problem(Kind.REQUIRED, MUST_NOT_BE_NULL)
    else:
        yield from _walk(spot)


def _in_brackets(
    spot: _Spot, subject: str, shape: Shape, items: Collection[Any]
) -> Iterator[Problem]:
    """Yield one problem for all scalar ``items``: the whole container, every demand in brackets.

    Sources: aws-answers row 20 for maps, kinesalite for lists. A null item is unverified.
    """
    demands = constraints(shape, spot.allow)
    right = [item for item in items if item is not None and fits(shape.type_name, item)]
    failed = [demand.kind for demand in demands if not all(map(demand.holds, right))]
    if any(item is None for item in items):
        yield spot.problem(
            Kind.REQUIRED, f"{subject} must satisfy constraint: [{MUST_NOT_BE_NULL}]"
        )
    if failed:
        texts = ", ".join(demand.text for demand in demands)
        text = f"{subject} must satisfy constraint: [{texts}]"
        yield spot.problem(failed[0], text, of=shape)
