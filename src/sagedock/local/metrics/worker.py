"""The process that applies metric definitions to lines: a user's expression may never end.

It is run as a file of its own, with the standard library alone, and speaks JSON lines: first the
expressions; then, for each list of lines, what they hold. An expression that takes too long, or too
much memory, is given up for good: Python's matcher asks for signals while it searches.
"""

import json
import math
import re
import resource
import signal
import struct
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from re import _constants, _parser  # type: ignore[attr-defined]  # not public; see _demanded
from typing import IO, Any

__all__ = ["Definition", "main"]

#: CPU seconds that one expression may take for one list of lines: so much, and for each character.
_BUDGET_S = 1.0
_BUDGET_PER_CHARACTER_S = 5e-7
_MEMORY_BYTES = 1024**3
_SHORTEST_DEMAND = 2


class _TooSlow(Exception):
    """The time is over."""


class Definition:
    """One expression. ``values`` finds what it captures."""

    def __init__(self, expression: str) -> None:
        self._compiled = re.compile(expression)
        self._demanded = _demanded(expression)

    def values(self, lines: Sequence[str]) -> list[tuple[int, float]]:
        """Return (index of the line, value) of each match that is a single-precision number."""
        searched = [
            number for number, line in enumerate(lines) if self._demanded in line
        ] if self._demanded else range(len(lines))  # fmt: skip
        search, finditer = self._compiled.search, self._compiled.finditer
        return [
            (number, value)
            for number in searched
            if search(lines[number])
            for match in finditer(lines[number])
            if (value := _number(match)) is not None
        ]


def main(requests: IO[str] = sys.stdin, answers: IO[str] = sys.stdout) -> None:
    """Answer until there is no more request."""
    signal.signal(signal.SIGVTALRM, _too_slow)
    with suppress(OSError, ValueError):  # where the system has no such limit
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    definitions = [*map(_made, json.loads(requests.readline()))]
    for request in requests:
        answer = _answer(definitions, json.loads(request))
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _made(expression: str) -> Definition | None:
    """Return a definition, or None for an expression that is no Python's: it finds nothing."""
    try:
        return Definition(expression)
    except (re.error, OverflowError, RecursionError):
        return None


def _answer(definitions: list[Definition | None], lines: list[str]) -> dict[str, Any]:
    """Return each definition's values; None takes the place of a definition that is given up."""
    budget_s = _BUDGET_S + _BUDGET_PER_CHARACTER_S * sum(map(len, lines))
    values: list[list[tuple[int, float]]] = []
    given_up = []
    for number, definition in enumerate(definitions):
        found = _within(budget_s, definition, lines) if definition else []
        if found is None:
            given_up.append(number)
            definitions[number] = None
        values.append(found or [])
    return {"values": values, "given_up": given_up}


def _within(
    budget_s: float, definition: Definition, lines: list[str]
) -> list[tuple[int, float]] | None:
    """Return what ``definition`` finds, or None if that takes too much."""
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, budget_s)
        try:
            return definition.values(lines)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    except (_TooSlow, MemoryError, RecursionError):
        return None


def _too_slow(*_: object) -> None:
    raise _TooSlow


def _number(match: re.Match[str]) -> float | None:
    """Return the first group as a number, or None if it is none that single precision holds."""
    try:
        value = float(match.group(1) if match.re.groups else match.group(0))
        struct.pack("<f", value)
    except (OverflowError, TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None


def _demanded(expression: str) -> str:
    """Return a text that every match holds, or nothing where there is none: most lines lack it,
    and looking for it costs a tenth of a search.
    """
    parsed = _parser.parse(expression)
    if parsed.state.flags & (re.IGNORECASE | re.LOCALE):
        return ""
    return max(_texts(parsed), key=len, default="")


def _texts(parsed: Any) -> Iterator[str]:
    """Yield each run of literal characters that a match cannot do without."""
    run = ""
    for kind, value in parsed:
        if kind is _constants.LITERAL:
            run += chr(value)
            continue
        if len(run) >= _SHORTEST_DEMAND:
            yield run
        run = ""
        if kind is _constants.SUBPATTERN and not value[1]:
            yield from _texts(value[3])
    if len(run) >= _SHORTEST_DEMAND:
        yield run


if __name__ == "__main__":
    main()
