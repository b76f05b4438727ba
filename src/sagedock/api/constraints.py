"""What one shape demands of one value, with the service's words for it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, partial
from typing import Any

from sagedock.api.model import Shape
from sagedock.api.patterns import matches, printed

__all__ = ["MUST_NOT_BE_NULL", "Constraint", "Kind", "constraints", "in_order_of_report"]

MUST_NOT_BE_NULL = "Member must not be null"


class Kind(StrEnum):
    """What kind of demand a constraint is."""

    REQUIRED = "required"
    PATTERN = "pattern"
    LENGTH = "length"
    VALUE = "value"
    ENUM = "enum"
    UNION = "union"


@dataclass(frozen=True, kw_only=True)
class Constraint:
    """One demand: its text in the service's words, and the test a value must pass."""

    kind: Kind
    text: str
    holds: Callable[[Any], bool]


@cache
def constraints(shape: Shape, allow: frozenset[str] = frozenset()) -> tuple[Constraint, ...]:
    """Return what ``shape`` demands, in the order in which the service lists it in brackets.

    ``allow`` is enum values to accept beyond the model's. Source: aws-answers row 20.
    """
    match shape.type_name:
        case "string" | "char":
            return (*_lengths(shape), *_pattern(shape), *_enum(shape, allow))
        case "list" | "map" | "blob":
            return tuple(_lengths(shape))
        case "integer" | "long" | "float" | "double":
            return tuple(_bounds(shape))
        case _:
            return ()


def in_order_of_report(demands: tuple[Constraint, ...]) -> list[Constraint]:
    """Return ``demands`` as the service reports them: the pattern first (aws-answers row 2)."""
    return sorted(demands, key=lambda demand: demand.kind is not Kind.PATTERN)


def _lengths(shape: Shape) -> Iterator[Constraint]:
    yield from _limits(shape, Kind.LENGTH, "length", len)


def _bounds(shape: Shape) -> Iterator[Constraint]:
    yield from _limits(shape, Kind.VALUE, "value", lambda value: value)


def _limits(
    shape: Shape, kind: Kind, noun: str, measure: Callable[[Any], float]
) -> Iterator[Constraint]:
    maximum, minimum = shape.metadata.get("max"), shape.metadata.get("min")
    if maximum is not None:
        yield Constraint(
            kind=kind,
            text=f"Member must have {noun} less than or equal to {maximum}",
            holds=lambda value: measure(value) <= maximum,
        )
    if minimum is not None:
        yield Constraint(
            kind=kind,
            text=f"Member must have {noun} greater than or equal to {minimum}",
            holds=lambda value: measure(value) >= minimum,
        )


def _pattern(shape: Shape) -> Iterator[Constraint]:
    pattern = shape.metadata.get("pattern")
    if pattern is not None:
        yield Constraint(
            kind=Kind.PATTERN,
            text=f"Member must satisfy regular expression pattern: {printed(pattern)}",
            holds=partial(matches, pattern, longest=shape.metadata.get("max")),
        )


def _enum(shape: Shape, allow: frozenset[str]) -> Iterator[Constraint]:
    values = shape.metadata.get("enum")
    if values:
        yield Constraint(
            kind=Kind.ENUM,
            text=f"Member must satisfy enum value set: [{', '.join(values)}]",
            holds=lambda value: value in values or value in allow,
        )
