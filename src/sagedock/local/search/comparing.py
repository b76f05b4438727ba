"""One filter of a search, against the values of its property."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sagedock.api import search_messages as words
from sagedock.local.refusal import Refused
from sagedock.local.search.properties import Found

__all__ = ["holds"]

Filter = Mapping[str, Any]

_ORDERS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThan": lambda a, b: a > b,
    "GreaterThanOrEqualTo": lambda a, b: a >= b,
    "LessThan": lambda a, b: a < b,
    "LessThanOrEqualTo": lambda a, b: a <= b,
}
_WITHOUT_VALUE = ("Exists", "NotExists")


def holds(wanted: Filter, values: Sequence[Found]) -> bool:
    """Say whether a filter holds of a property's values, any of which may satisfy it.

    That NotEquals holds of a property that is not there is unverified. Raises Refused where the
    filter does not fit the property.
    """
    name, operator = wanted["Name"], wanted.get("Operator", "Equals")
    if operator in _WITHOUT_VALUE:
        return bool(values) is (operator == "Exists")
    if "Value" not in wanted:
        raise Refused(words.value_missing(name, operator))
    value: str = wanted["Value"]
    match operator:
        case "Equals":
            return any(_equals(name, each, value) for each in values)
        case "NotEquals":
            return not any(_equals(name, each, value) for each in values)
        case "In":
            return any(_is_in(name, each, value) for each in values)
        case "Contains":
            return any(_contains(name, each, value) for each in values)
        case _:
            return any(_compares(name, operator, each, value) for each in values)


def _equals(name: str, found: Found, value: str) -> bool:
    match found.kind:
        case "number":
            return bool(float(found.value) == _number(name, value))
        case "time":
            return int(_seconds(found.value)) == int(_time(name, value))
        case "boolean":
            return bool(found.value) is _boolean(name, value)
        case "loose":
            pair = _numbers(str(found.value), value)
            return bool(found.value == value) or (pair is not None and pair[0] == pair[1])
        case "whole":
            return value in _texts(found.value)
        case _:
            return bool(found.value == value)


def _is_in(name: str, found: Found, value: str) -> bool:
    if found.kind not in ("text", "loose"):
        raise Refused(words.text_not_comparable(name, "In"))
    return found.value in [each.strip() for each in value.split(",")]


def _contains(name: str, found: Found, value: str) -> bool:
    match found.kind:
        case "text" | "loose":
            return value in str(found.value)
        case "whole":
            return any(value in text for text in _texts(found.value))
        case _:
            raise Refused(words.text_not_comparable(name, "Contains"))


def _compares(name: str, operator: str, found: Found, value: str) -> bool:
    order = _ORDERS[operator]
    match found.kind:
        case "number":
            return order(float(found.value), _number(name, value))
        case "time":
            return order(_seconds(found.value), _time(name, value))
        case "loose":
            pair = _numbers(str(found.value), value)
            return pair is not None and order(*pair)
        case _:
            raise Refused(words.text_not_comparable(name, operator))


def _numbers(found: str, value: str) -> tuple[float, float] | None:
    """Return a hyperparameter and a filter's value as numbers, or None where one is none: decimal
    ones where the value is one, else integers. Source: the model's words on Filter.
    """
    try:
        left, right = float(found.strip('"')), float(value)
    except ValueError:
        return None
    if _is_integer(value):
        return float(int(left)) if left == left and abs(left) != float("inf") else left, right
    return left, right


def _is_integer(text: str) -> bool:
    return text.strip().lstrip("+-").isdigit()


def _number(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise Refused(words.not_a_value(name, value, "number")) from error


def _boolean(name: str, value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise Refused(words.not_a_value(name, value, "Boolean"))
    return value.lower() == "true"


def _time(name: str, value: str) -> float:
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError) as error:
        raise Refused(
            words.not_a_value(name, value, "date-time, as 2026-01-31T00:00:00")
        ) from error


def _seconds(moment: Any) -> float:
    return moment.timestamp() if isinstance(moment, datetime) else float(moment)


def _texts(value: Any) -> Iterator[str]:
    """Yield the keys and texts anywhere in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
