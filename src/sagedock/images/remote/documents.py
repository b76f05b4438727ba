"""The IAM documents of ``policies/``, filled in for one build."""

import json
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any, Literal

__all__ = ["Document", "actions_of", "document", "raw_document"]

#: ``role-trust`` and ``role-permissions`` are of the role that builds have, ``bucket`` is of the
#: bucket; the others are for a person (or a role): who sets up what remote builds need, which is an
#: administrator, for it is to say what the builds may do; who builds; and who pushes from here.
Document = Literal[
    "bucket", "person-build", "person-push", "person-setup", "role-permissions", "role-trust"
]

_NAME = re.compile(r"\$\{([a-z_]+)\}")

Placeholders = Mapping[str, str | Sequence[str]]


def raw_document(name: Document) -> dict[str, Any]:
    """Return a document as it is in the package, with its ``${...}`` names."""
    text = files(__package__).joinpath("policies", f"{name}.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def document(name: Document, placeholders: Placeholders) -> dict[str, Any]:
    """Return a document with every ``${NAME}`` filled in.

    A name that stands for several, alone in a list, becomes so many members of it; a statement that
    is left without a resource is left out.
    """
    whole = raw_document(name)
    filled = [_filled(each, placeholders) for each in whole["Statement"]]
    return {**whole, "Statement": [each for each in filled if each.get("Resource") != []]}


def actions_of(name: Document) -> tuple[str, ...]:
    """Return the actions that a document allows, sorted."""
    allowed = (each for each in raw_document(name)["Statement"] if each["Effect"] == "Allow")
    return tuple(sorted({action for each in allowed for action in _listed(each["Action"])}))


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _filled(value: Any, placeholders: Placeholders) -> Any:
    match value:
        case str():
            return _NAME.sub(lambda found: str(placeholders[found[1]]), value)
        case list():
            return [each for item in value for each in _members(item, placeholders)]
        case dict():
            return {key: _filled(item, placeholders) for key, item in value.items()}
    return value


def _members(item: Any, placeholders: Placeholders) -> list[Any]:
    found = _NAME.fullmatch(item) if isinstance(item, str) else None
    several = placeholders[found[1]] if found else ""
    return [_filled(item, placeholders)] if isinstance(several, str) else list(several)
