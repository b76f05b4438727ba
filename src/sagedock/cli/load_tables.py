"""What a load test found as lines for a terminal."""

from collections.abc import Iterator, Sequence

from sagedock.load.advice import Advice
from sagedock.load.sweeping import Sweep
from sagedock.load.words import advice_rows, error_line, level_rows, result_rows

__all__ = ["load_tables"]

_NAME_WIDTH = 11


def load_tables(found: Sweep, advice: Advice) -> Iterator[str]:
    """Yield lines: one run's numbers, or a sweep's table; failures; what to set, and why."""
    yield ""
    if len(found.levels) == 1:
        for name, value in result_rows(found.levels[0].result):
            yield f"{name:<{_NAME_WIDTH}}{value}"
    else:
        yield from _columns(list(level_rows(found)))
    for level in found.levels:
        doubts = level.result.doubts if len(found.levels) > 1 else ()
        for line in (*map(error_line, level.result.errors), *(f"doubt: {each}" for each in doubts)):
            yield f"{found.axis} {level.load:g}: {line}"
    yield ""
    for name, value, why in advice_rows(advice):
        yield f"{name}: {value}"
        yield f"    {why}"


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    for row in rows:
        cells = [f"{cell:>{width}}" for cell, width in zip(row[:-1], widths[:-1], strict=True)]
        yield "  ".join([*cells, row[-1]]).rstrip()
