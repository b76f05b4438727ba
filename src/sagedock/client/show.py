"""Where a client's lines go unless told otherwise."""

import sys
from collections.abc import Callable
from typing import TypeAlias

__all__ = ["Show", "nowhere", "to_stdout"]

#: Takes one line, without its end.
Show: TypeAlias = Callable[[str], None]


def to_stdout(line: str) -> None:
    """Write one line to stdout at once; what its encoding lacks is written as an escape."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    sys.stdout.flush()


def nowhere(line: str) -> None:
    """Drop the line."""
