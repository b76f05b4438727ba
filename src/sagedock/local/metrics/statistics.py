"""Points, put together to CloudWatch's statistics over periods."""

import math
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from sagedock.local.metrics.store import Point

__all__ = ["Bucket", "buckets", "statistic"]

_MS = 1000
_PERCENTILE = re.compile(r"p(?P<percent>[0-9]{1,2}(?:\.[0-9]{1,10})?|100)")

#: Values, and how often each was measured.
Counted = Sequence[tuple[float, int]]
Statistic = Callable[[Counted], float]


def _count(values: Counted) -> int:
    return sum(count for _, count in values)


def _sum(values: Counted) -> float:
    return math.fsum(value * count for value, count in values)


_STATISTICS: Mapping[str, Statistic] = {
    "SampleCount": _count,
    "Average": lambda values: _sum(values) / _count(values),
    "Sum": _sum,
    "Minimum": lambda values: min(value for value, _ in values),
    "Maximum": lambda values: max(value for value, _ in values),
}


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """The values of one period, which begins at ``start_s`` (epoch seconds)."""

    start_s: int
    values: Counted


def buckets(points: Iterable[Point], period_s: int) -> list[Bucket]:
    """Return the periods that have points, in order of time.

    Periods are counted from the epoch, so that the same one is answered whoever asks. (That AWS
    counts them so where a start is no multiple of the period is unverified.)
    """
    found: dict[int, list[tuple[float, int]]] = {}
    for point in points:
        measured = (point.value, point.count)
        found.setdefault(point.time_ms // (period_s * _MS), []).append(measured)
    return [
        Bucket(start_s=number * period_s, values=values) for number, values in sorted(found.items())
    ]


def statistic(name: str) -> Statistic | None:
    """Return what computes a statistic (``Average``, ``p99``, ...), or None for an unknown one."""
    if found := _STATISTICS.get(name):
        return found
    match = _PERCENTILE.fullmatch(name)
    if match is None:
        return None
    percent = float(match["percent"])
    return lambda values: _percentile(values, percent)


def _percentile(values: Counted, percent: float) -> float:
    """Return the percentile, interpolated between the two values that are next to it."""
    ordered = sorted(values)
    ends = list(accumulate(count for _, count in ordered))  # how many values there are up to each
    place = (ends[-1] - 1) * percent / 100
    low = math.floor(place)
    high = min(low + 1, ends[-1] - 1)
    below, above = (ordered[bisect_right(ends, each)][0] for each in (low, high))
    return below + (above - below) * (place - low)
