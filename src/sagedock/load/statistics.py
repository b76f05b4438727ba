"""Numbers of many latencies: exact percentiles of all samples, no buckets and no guesses."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

__all__ = ["PERCENTS", "Bin", "Latencies", "bins", "percentile"]

#: Those that are shown.
PERCENTS = (50.0, 90.0, 99.0, 99.9)
_WIDTHS_S = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 3600.0)
_MOST_BINS = 60
#: The shares that the curve of percentiles is drawn at.
_CURVE = (0, 10, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 92.5, 95, 97, 98, 99, 99.5, 99.9, 99.99)


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return the least sample that ``percent`` of the samples do not exceed (nearest rank).

    ``ordered`` is ascending and not empty.
    """
    rank = math.ceil(round(percent / 100 * len(ordered), 9))
    return ordered[min(max(rank, 1), len(ordered)) - 1]


@dataclass(frozen=True, kw_only=True)
class Latencies:
    """What many latencies tell, in milliseconds. ``curve`` holds (percent, milliseconds)."""

    count: int
    mean_ms: float
    min_ms: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    p99_9_ms: float
    max_ms: float
    curve: tuple[tuple[float, float], ...]

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Latencies | None":
        """Return the numbers of samples in seconds; None where there is none."""
        if not seconds:
            return None
        ordered = sorted(seconds)
        p50, p90, p99, p99_9 = (percentile(ordered, each) * 1000 for each in PERCENTS)
        return cls(
            count=len(ordered),
            mean_ms=math.fsum(ordered) / len(ordered) * 1000,
            min_ms=ordered[0] * 1000,
            p50_ms=p50,
            p90_ms=p90,
            p99_ms=p99,
            p99_9_ms=p99_9,
            max_ms=ordered[-1] * 1000,
            curve=tuple((each, percentile(ordered, each) * 1000) for each in _CURVE),
        )

    def at(self, percent: float) -> float:
        """Return the percentile in milliseconds: one of PERCENTS. Raises KeyError for another."""
        shown = (self.p50_ms, self.p90_ms, self.p99_ms, self.p99_9_ms)
        return dict(zip(PERCENTS, shown, strict=True))[percent]


@dataclass(frozen=True, kw_only=True)
class Bin:
    """What ended from ``at_s`` on, for ``width_s``."""

    at_s: float
    width_s: float
    answered: int
    failed: int
    p50_ms: float | None
    p99_ms: float | None


def bins(
    ends: Sequence[float], latencies: Sequence[float], failed_ends: Sequence[float], lasted_s: float
) -> tuple[Bin, ...]:
    """Return a run by stretches of time, at most 60, but for what ended after ``lasted_s``.

    ``ends`` are when each of ``latencies`` was over, both in seconds, in the order of ``ends``;
    ``failed_ends`` the same of requests that failed. The last stretch has what is left.
    """
    width = next((each for each in _WIDTHS_S if lasted_s <= each * _MOST_BINS), _WIDTHS_S[-1])
    number = max(1, int(lasted_s / width + 0.5))
    failed = _counts(failed_ends, width, number, lasted_s)
    places = pairwise([0, *accumulate(_counts(ends, width, number, lasted_s))])
    return tuple(
        _bin(
            index * width,
            width if index < number - 1 else lasted_s - index * width,
            latencies[begin:end],
            failed[index],
        )
        for index, (begin, end) in enumerate(places)
    )


def _counts(ends: Sequence[float], width: float, number: int, lasted_s: float) -> list[int]:
    counts = [0] * number
    for end in ends:
        if end <= lasted_s:
            counts[min(int(end / width), number - 1)] += 1
    return counts


def _bin(at_s: float, width_s: float, latencies: Sequence[float], failed: int) -> Bin:
    ordered = sorted(latencies)
    return Bin(
        at_s=at_s,
        width_s=width_s,
        answered=len(ordered),
        failed=failed,
        p50_ms=percentile(ordered, 50) * 1000 if ordered else None,
        p99_ms=percentile(ordered, 99) * 1000 if ordered else None,
    )
