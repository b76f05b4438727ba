"""Rows of CSV, their fields as they are written: what is quoted stays so.

Source: https://www.rfc-editor.org/rfc/rfc4180; a row is a line, for SageMaker allows no newline in
a field.
"""

import re

__all__ = ["BadRow", "fields", "row"]

_FIELD = re.compile(r'"(?:[^"]|"")*"|[^",]*')


class BadRow(Exception):
    """A line is no row of CSV; the text says why."""


def fields(line: str) -> list[str]:
    """Return a row's fields, quotes included, or raise BadRow."""
    if '"' not in line:
        return line.split(",")
    found, at = [], 0
    while True:
        field = _FIELD.match(line, at)
        at = field.end() if field else at
        found.append(field[0] if field else "")
        if at == len(line):
            return found
        if line[at] != ",":
            raise BadRow(f'bare " in field {len(found)}')
        at += 1


def row(of: list[str]) -> str:
    """Return the line of a row's fields."""
    return ",".join(of)
