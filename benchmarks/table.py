"""What a benchmark found, as rows of one table."""

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

__all__ = ["Row", "interleaved", "show", "timed"]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One measurement: ours, what it is held against, and the goal in words."""

    what: str
    ours: str
    against: str
    ratio: str
    goal: str
    met: bool | None


def timed(work: Callable[[], object]) -> float:
    """Return how many seconds ``work`` took."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def interleaved(
    rounds: int, ours: Callable[[], float], theirs: Callable[[], float]
) -> tuple[float, float, float]:
    """Return the medians of both, and the median of the rounds' ratios, measured in turns."""
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    return (
        statistics.median(each for each, _ in pairs),
        statistics.median(each for _, each in pairs),
        statistics.median(mine / other for mine, other in pairs),
    )


def show(rows: Iterable[Row]) -> None:
    """Print the table."""
    table = Table("what", "ours", "against", "ratio", "goal", "met", box=None)
    for row in rows:
        met = {True: "yes", False: "NO", None: "-"}[row.met]
        table.add_row(row.what, row.ours, row.against, row.ratio, row.goal, met)
    Console(width=150).print(table)
