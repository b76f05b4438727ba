"""Metrics over time as a picture, PNG or SVG."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sagedock.api import metrics as names
from sagedock.client.job_rows import JobView
from sagedock.client.pictures import (
    COLOURS,
    INK,
    PANEL,
    PAPER,
    plain,
    problem_with_picture,
    save_picture,
)
from sagedock.client.series import MetricSeries
from sagedock.errors import InvalidRequest

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["save_curves"]

_HEAD = 0.7
_FEW_POINTS = 30
_MOST_NAMED = 10
_UNITS = ((2 * 60.0, 1.0, "s"), (2 * 3600.0, 60.0, "min"), (float("inf"), 3600.0, "h"))


def save_curves(view: JobView, path: Path) -> None:
    """Draw a panel for each metric, with a line for each host, into ``path`` (.png or .svg).

    Raises InvalidRequest for another ending, or a job without metrics; SagedockError where
    matplotlib is not installed; StorageError where nothing can be written.
    """
    if problem := problem_with_picture(path):
        raise InvalidRequest([problem])
    if not view.series:
        raise InvalidRequest(
            [f"{view.row.name}: has no metrics yet: give it metric definitions, or ask again later"]
        )
    save_picture(lambda: _picture(view), path)


def _picture(view: JobView) -> "Figure":
    from matplotlib.figure import Figure

    panels = _panels(view.series)
    columns = 1 if len(panels) == 1 else 2
    rows = -(-len(panels) // columns)
    began = min(each.times[0] for each in view.series)
    figure = Figure(
        figsize=(columns * PANEL[0], rows * PANEL[1] + _HEAD),
        facecolor=PAPER,
        layout="constrained",
    )
    figure.suptitle(_title(view), color=INK, fontsize=11)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes, (name, series) in zip(grid.flat, panels.items(), strict=False):
        # What the log tells and what containers use have each a time axis of their own: the latter
        # goes on while the former is silent.
        alike = [each for each in view.series if (each.host is None) == (series[0].host is None)]
        span_s = (max(each.times[-1] for each in alike) - began).total_seconds()
        _draw(axes, name, series, began, span_s)
    for spare in grid.flat[len(panels) :]:
        spare.set_visible(False)
    return figure


def _panels(series: Sequence[MetricSeries]) -> Mapping[str, list[MetricSeries]]:
    """Return the series by panel: a metric may be called as an instance metric is."""
    panels: dict[str, list[MetricSeries]] = {}
    for each in series:
        taken = each.host is None and each.name in names.INSTANCE_METRICS
        panels.setdefault(f"{each.name} (log)" if taken else each.name, []).append(each)
    return panels


def _draw(
    axes: "Axes", name: str, series: Sequence[MetricSeries], began: datetime, span_s: float
) -> None:
    scale, unit = next((scale, unit) for most, scale, unit in _UNITS if span_s <= most)
    for number, each in enumerate(series):
        axes.plot(
            [(time - began).total_seconds() / scale for time in each.times],
            each.values,
            color=COLOURS[number % len(COLOURS)],
            linestyle=("-", "--", ":", "-.")[number // len(COLOURS) % 4],
            linewidth=1.5,
            marker="o" if len(each.values) <= _FEW_POINTS else None,
            markersize=3,
            label=each.host,
        )
    axes.set_title(name, color=INK, fontsize=10, loc="left", parse_math=False)
    axes.set_xlabel(f"time since the first point ({unit})", color=INK, fontsize=8)
    axes.set_ylabel(_measure(name, series), color=INK, fontsize=8)
    axes.set_xlim(left=0, right=1.02 * span_s / scale if span_s else 1)
    plain(axes)
    if 1 < len(series) <= _MOST_NAMED:
        axes.legend(fontsize=8, frameon=False)


def _measure(name: str, series: Sequence[MetricSeries]) -> str:
    if series[0].host is None:
        return "value"
    if names.INSTANCE_METRICS.get(name):
        return f"percent (100 a {'GPU' if name.startswith('GPU') else 'core'})"
    return "percent"


def _title(view: JobView) -> Any:
    row = view.row
    return f"{row.name}    {row.secondary_status}    {row.instances}"
