"""Paths into what a step's job is described as: ``ModelArtifacts.S3ModelArtifacts``,
``ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri``, ``TrainingJobSummaries[0].Tags``.
"""

import re
from collections.abc import Iterator
from typing import Any

__all__ = ["NoSuchProperty", "look_up", "parts_of"]

_PART = re.compile(r"\.?([A-Za-z0-9_\-:]+)|\[(\d+)\]|\['([^']*)'\]|\[\"([^\"]*)\"\]")
#: What names an element of a list, in the order tried. Source: the SDKs' properties, which name
#: the elements of these lists so.
_NAMES = ("OutputName", "InputName", "MetricName", "ChannelName", "Name", "ContainerHostname")


class NoSuchProperty(LookupError):
    """A path leads nowhere."""


def parts_of(path: str) -> Iterator[str | int]:
    """Yield a path's parts: members' and elements' names, and positions. Raises ValueError."""
    position = 0
    while position < len(path):
        found = _PART.match(path, position)
        if found is None:
            raise ValueError(f"{path!r} is no path of a property")
        member, index, single, double = found.groups()
        yield (
            int(index)
            if index is not None
            else next(each for each in (member, single, double) if each is not None)
        )
        position = found.end()


def look_up(document: Any, path: str) -> Any:
    """Return what ``path`` leads to in ``document``, or raise NoSuchProperty."""
    value = document
    for part in parts_of(path):
        try:
            value = value[part] if not _is_named(value, part) else _named(value, str(part))
        except (KeyError, IndexError, TypeError, LookupError) as error:
            raise NoSuchProperty(path) from error
    return value


def _is_named(value: Any, part: str | int) -> bool:
    return isinstance(value, list) and isinstance(part, str)


def _named(elements: list[Any], name: str) -> Any:
    for element in elements:
        if isinstance(element, dict) and any(element.get(key) == name for key in _NAMES):
            return element
    raise LookupError(name)
