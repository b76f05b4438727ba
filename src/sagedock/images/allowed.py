"""Findings that a team has looked at and lives with, until a day: a TOML file."""

import datetime
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagedock.errors import InvalidRequest

__all__ = ["Allowed", "load_allowed"]

_FIELDS = {"finding": str, "reason": str, "expires": datetime.date}


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """One finding that is let pass up to the day ``expires``, and why."""

    finding: str
    reason: str
    expires: datetime.date

    def holds(self, today: datetime.date) -> bool:
        """Say whether it is let pass still."""
        return today <= self.expires


def load_allowed(path: Path) -> tuple[Allowed, ...]:
    """Return the ``[[allow]]`` tables of a file, or raise InvalidRequest with every problem.

    ::

        [[allow]]
        finding = "CVE-2026-0001"
        reason = "the program that has it is not in the image's PATH"
        expires = 2026-12-31
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InvalidRequest([f"{path}: is not there: correct the path"]) from error
    except OSError as error:
        raise InvalidRequest([f"{path}: cannot be read ({error.strerror}): name a file"]) from error
    except ValueError as error:
        raise InvalidRequest([f"{path}: is not TOML ({error}): mend it"]) from error
    tables = document.get("allow", [])
    whole = isinstance(tables, list) and all(isinstance(table, dict) for table in tables)
    if document.keys() - {"allow"} or not whole:
        raise InvalidRequest([f"{path}: must hold [[allow]] tables, and nothing else"])
    problems = [f"{path}: {each}" for table in tables for each in _problems(table)]
    if problems:
        raise InvalidRequest(problems)
    return tuple(Allowed(**table) for table in tables)


def _problems(table: dict[str, Any]) -> list[str]:
    where = f"allow {table.get('finding', '(without a finding)')!r}"
    found = [f"{where}: {name} is no field" for name in sorted(table.keys() - _FIELDS.keys())]
    for name, kind in _FIELDS.items():
        value = table.get(name)
        # A moment is a day, to Python; a file may not say so.
        if not isinstance(value, kind) or isinstance(value, datetime.datetime) or value == "":
            example = "2026-12-31, without quotes" if kind is datetime.date else "a text"
            found.append(f"{where}: {name} must be {example}")
    return found
