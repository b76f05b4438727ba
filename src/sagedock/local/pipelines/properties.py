"""Paths into what a step's job is described as: ``ModelArtifacts.S3ModelArtifacts``,
``ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri``, ``TrainingJobSummaries[0].Tags``.
"""

from typing import Any

from sagedock.jobs.pipeline.property_path import ELEMENT_NAMES, path_parts

__all__ = ["NoSuchProperty", "look_up"]


class NoSuchProperty(LookupError):
    """A path leads nowhere."""


def look_up(document: Any, path: str) -> Any:
    """Return what ``path`` leads to in ``document``, or raise NoSuchProperty."""
    value = document
    for part in path_parts(path):
        try:
            value = value[part] if not _is_named(value, part) else _named(value, str(part))
        except (KeyError, IndexError, TypeError, LookupError) as error:
            raise NoSuchProperty(path) from error
    return value


def _is_named(value: Any, part: str | int) -> bool:
    return isinstance(value, list) and isinstance(part, str)


def _named(elements: list[Any], name: str) -> Any:
    for element in elements:
        if isinstance(element, dict) and any(element.get(key) == name for key in ELEMENT_NAMES):
            return element
    raise LookupError(name)
