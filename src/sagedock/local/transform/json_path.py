"""The part of JSONPath that SageMaker supports: names, indexes, one range, and the wildcard.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html
("Supported JSONPath Operators"). That a range ends before its second number is the way of the
library that the page names, and of people's jobs that worked; a sentence of the page reads as if
the number was included.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["InvalidPath", "JsonPath", "NotFound", "compile_path"]


class InvalidPath(Exception):
    """It is no path that is supported; the text says why."""


class NotFound(Exception):
    """A value has not what a path names; the text says what."""


@dataclass(frozen=True, kw_only=True)
class _Names:
    """Members of an object, by name."""

    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Items:
    """Elements of an array, by index (from the end where it is below 0) or by range."""

    items: tuple[int | slice, ...]


@dataclass(frozen=True, kw_only=True)
class _Everything:
    """All members, or all elements."""


_Step = _Names | _Items | _Everything

_NAME = re.compile(r"\.\s*(?P<name>[^\s.\[\]*,:'$]+)")
_ALL = re.compile(r"\.\s*\*|\.?\[\s*\*\s*\]")
_QUOTED = r"'(?:[^'])*'"
_NAMES = re.compile(rf"\.?\[\s*(?P<names>{_QUOTED}(?:\s*,\s*{_QUOTED})*)\s*\]")
_ITEM = r"\s*(?:-?\d+|-?\d*\s*:\s*(?:-?\d+)?)\s*"
_ITEMS = re.compile(rf"\.?\[(?P<items>{_ITEM}(?:,{_ITEM})*)\]")


@dataclass(frozen=True, kw_only=True)
class JsonPath:
    """One path. ``text`` is how it was written."""

    text: str
    steps: tuple[_Step, ...]

    @property
    def is_root(self) -> bool:
        """Whether it selects everything as it is."""
        return not self.steps

    def select(self, value: Any) -> Any:
        """Return what the path selects: a value; an object of the members that several names name;
        else, where it may select several, an array. Raises NotFound.
        """
        return _select(value, self.steps)

    def columns(self, row: list[str]) -> list[str]:
        """Return what it selects of a row of CSV, which is taken as an array. Raises NotFound."""
        if not self.steps:
            return row
        if len(self.steps) > 1 or isinstance(self.steps[0], _Names):
            raise NotFound("only indexes can be applied to CSV")
        found = _select(row, self.steps)
        return found if isinstance(found, list) else [found]


def compile_path(text: str) -> JsonPath:
    """Return the path that ``text`` is, or raise InvalidPath."""
    written = text.strip()
    if not written.startswith("$"):
        raise InvalidPath("it must begin with $")
    return JsonPath(text=text, steps=tuple(_steps(written)))


def _steps(text: str) -> Iterator[_Step]:
    at = 1
    while at < len(text):
        if found := _ALL.match(text, at):
            yield _Everything()
        elif found := _NAMES.match(text, at):
            yield _Names(names=tuple(re.findall(r"'([^']*)'", found["names"])))
        elif found := _ITEMS.match(text, at):
            yield _items(found["items"])
        elif found := _NAME.match(text, at):
            yield _Names(names=(found["name"],))
        else:
            raise InvalidPath(f"what follows {text[:at]} is not supported: {text[at:]}")
        at = found.end()


def _items(text: str) -> _Items:
    items = tuple(_item(each) for each in text.split(","))
    # Source of the words: aws/sagemaker-python-sdk#1112. The API reference has $[0,5:].
    if sum(isinstance(each, slice) for each in items) > 1:
        raise InvalidPath(
            "only single range filters of format (eg: [1:5]) are supported. "
            f"Format [{text}] is not supported"
        )
    return _Items(items=items)


def _item(text: str) -> int | slice:
    start, colon, end = (part.strip() for part in text.partition(":"))
    if not colon:
        return int(start)
    return slice(int(start) if start else None, int(end) if end else None)


def _select(value: Any, steps: tuple[_Step, ...]) -> Any:
    if not steps:
        return value
    rest = steps[1:]
    match steps[0]:
        case _Names(names=(name,)):
            return _select(_member(value, name), rest)
        case _Names(names=names) if not rest:
            return {name: _member(value, name) for name in names}
        case _Names(names=names):
            return [_select(_member(value, name), rest) for name in names]
        case _Items(items=(int(index),)):
            return _select(_element(value, index), rest)
        case _Items(items=items):
            return [_select(each, rest) for each in _elements(value, items)]
        case _Everything():
            return [_select(each, rest) for each in _all(value)]


def _member(value: Any, name: str) -> Any:
    if not isinstance(value, dict) or name not in value:
        raise NotFound(f"there is no '{name}'")
    return value[name]


def _element(value: Any, index: int) -> Any:
    if not isinstance(value, list):
        raise NotFound(f"there is no array that has an index {index}")
    if not -len(value) <= index < len(value):
        raise NotFound(f"index {index} is not within an array of {len(value)}")
    return value[index]


def _elements(value: Any, items: tuple[int | slice, ...]) -> Iterator[Any]:
    for item in items:
        if isinstance(item, int):
            yield _element(value, item)
        elif isinstance(value, list):
            yield from value[item]
        else:
            raise NotFound("there is no array that has a range")


def _all(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, list):
        return value
    raise NotFound("there is nothing that has members or elements")
