"""What reports draw, as data: the same charts for HTML and PNG."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from sagedock.load.result import Result
from sagedock.load.sweeping import Goal, Sweep

__all__ = ["Chart", "Line", "Tick", "charts"]

_NINES = 4
Point = tuple[float, float]
Tick = tuple[float, str]


@dataclass(frozen=True, kw_only=True)
class Line:
    """Points from left to right, by the name of the line."""

    name: str
    points: tuple[Point, ...]


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Lines over one axis, from zero up. ``ticks`` label places on it, where numbers would not.

    ``marks`` are vertical lines with a word, ``limit`` a horizontal one.
    """

    title: str
    x_label: str
    y_label: str
    lines: tuple[Line, ...]
    ticks: tuple[Tick, ...] = ()
    marks: tuple[Tick, ...] = ()
    limit: Tick | None = None


def charts(sweep: Sweep, goal: Goal) -> tuple[Chart, ...]:
    """Return the charts of a sweep; of one level alone those of its course."""
    if len(sweep.levels) == 1:
        return tuple(_course(sweep.levels[0].result, goal))
    return tuple(_levels(sweep, goal))


def _limit(goal: Goal) -> Tick | None:
    return None if goal.latency_ms is None else (goal.latency_ms, f"goal {goal.latency_ms:g} ms")


def _levels(sweep: Sweep, goal: Goal) -> Iterator[Chart]:
    """Loads stand evenly side by side: they mostly double."""
    results = [level.result for level in sweep.levels]
    ticks = tuple((float(at), f"{level.load:g}") for at, level in enumerate(sweep.levels))
    marks = ((float(sweep.levels.index(sweep.knee)), "knee"),)
    label = "users at once" if sweep.axis == "concurrency" else "requests/s offered"
    rates = [Line(name="answered", points=tuple((at, r.rate) for at, r in _at(results)))]
    if sweep.axis == "rate":
        offered = tuple((at, r.offered) for at, r in _at(results))
        rates.append(Line(name="offered", points=offered))
    yield Chart(
        title="Throughput",
        x_label=label,
        y_label="requests/s",
        lines=tuple(rates),
        ticks=ticks,
        marks=marks,
    )
    yield Chart(
        title="Latency",
        x_label=label,
        y_label="ms",
        lines=tuple(
            Line(
                name=f"p{p:g}",
                points=tuple((at, r.latency.at(p)) for at, r in _at(results) if r.latency),
            )
            for p in (50.0, 90.0, 99.0)
        ),
        ticks=ticks,
        marks=marks,
        limit=_limit(goal),
    )


def _at(results: list[Result]) -> Iterator[tuple[float, Result]]:
    return ((float(at), result) for at, result in enumerate(results))


def _course(result: Result, goal: Goal) -> Iterator[Chart]:
    timeline = result.timeline
    yield Chart(
        title="Throughput",
        x_label="seconds",
        y_label="requests/s",
        lines=(
            Line(name="answered", points=tuple((b.at_s, b.answered / b.width_s) for b in timeline)),
            Line(name="failed", points=tuple((b.at_s, b.failed / b.width_s) for b in timeline)),
        ),
    )
    middle = tuple((b.at_s, b.p50_ms) for b in timeline if b.p50_ms is not None)
    high = tuple((b.at_s, b.p99_ms) for b in timeline if b.p99_ms is not None)
    yield Chart(
        title="Latency",
        x_label="seconds",
        y_label="ms",
        lines=(Line(name="p50", points=middle), Line(name="p99", points=high)),
        limit=_limit(goal),
    )
    if result.latency is not None:
        yield Chart(
            title="Latency by percentile",
            x_label="percent of the answers",
            y_label="ms",
            lines=(
                Line(
                    name="latency",
                    points=tuple((_nines(percent), ms) for percent, ms in result.latency.curve),
                ),
            ),
            ticks=tuple((_nines(each), f"{each:g}") for each in (0, 90, 99, 99.9, 99.99)),
            limit=_limit(goal),
        )


def _nines(percent: float) -> float:
    """Return how many nines a percentile has: 90 is 1, 99 is 2, and 0 is 0."""
    return min(_NINES, -math.log10(1 - percent / 100))
