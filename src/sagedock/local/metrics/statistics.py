"""Points, put together to CloudWatch's statistics over periods."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from sagedock.local.metrics.store import Point

__all__ = ["Bucket", "buckets", "is_value", "statistic"]

_MS = 1000
_LARGEST = 2.0**360
_PERCENTILE = re.compile(r"p(?P<percent>[0-9]{1,2}(?:\.[0-9]{1,10})?|100)")

Statistic = Callable[[Sequence[float]], float]

_STATISTICS: Mapping[str, Statistic] = {
    "SampleCount": len,
    "Average": fmean,
    "Sum": math.fsum,
    "Minimum": min,
    "Maximum": max,
}


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """The values of one period, which begins at ``start_s`` (epoch seconds)."""

    start_s: int
    values: Sequence[float]


def is_value(value: float) -> bool:
    """Say whether a metric may have this value; NaN and the infinities are none.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
    """
    return abs(value) <= _LARGEST


def buckets(points: Iterable[Point], period_s: int) -> list[Bucket]:
    """Return the periods that have points, in order of time.

    Periods are counted from the epoch, so that the same one is answered whoever asks. (That AWS
    counts them so where a start is no multiple of the period is unverified.)
    """
    found: dict[int, list[float]] = {}
    for point in points:
        found.setdefault(point.time_ms // (period_s * _MS), []).append(point.value)
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


def _percentile(values: Sequence[float], percent: float) -> float:
    """Return the percentile, interpolated between the two values that are next to it."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
