"""One call of an AWS API, as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Request", "merged", "present"]


@dataclass(frozen=True, kw_only=True)
class Request:
    """Which service, which operation, and the parameters in API casing."""

    service: str
    operation: str
    parameters: Mapping[str, Any]


def present(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``members`` without those that hold nothing: None, or an empty map or list.

    Zero, False and "" stay: they were said, and the service shall judge them.
    """
    return {name: value for name, value in members.items() if not _holds_nothing(value)}


def _holds_nothing(value: object) -> bool:
    return value is None or (isinstance(value, dict | list | tuple) and not value)


def merged(parameters: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``parameters`` with ``extra`` laid over them, map by map.

    Maps are merged member by member; any other value replaces; None removes the member.
    """
    result = dict(parameters)
    for name, value in extra.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, Mapping):
            below = result.get(name)
            result[name] = merged(below if isinstance(below, Mapping) else {}, value)
        else:
            result[name] = value
    return result
