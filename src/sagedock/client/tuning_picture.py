"""What a tuning job tried and reached as a picture, PNG or SVG: over time, and by each value."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sagedock.client.analytics import TrialRow, TuningAnalytics
from sagedock.client.pictures import COLOURS, INK, PANEL, PAPER, plain, save_picture
from sagedock.errors import InvalidRequest

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["save_tuning"]

_HEAD = 0.7
#: A range is drawn by its logarithm from so many times its least value on.
_WIDE = 100.0


def save_tuning(analytics: TuningAnalytics, path: Path) -> None:
    """Draw the objective by training job, with the best so far, and by each hyperparameter.

    Raises InvalidRequest where no training job has an objective yet, and as ``save_picture`` does.
    """
    if analytics.best is None:
        later = "see that the metric definition finds it in the log"
        if analytics.status in ("InProgress", "Stopping"):
            later = "ask again later"
        raise InvalidRequest([f"{analytics.name}: no training job has an objective: {later}"])
    save_picture(lambda: _picture(analytics), path)


def _picture(analytics: TuningAnalytics) -> "Figure":
    from matplotlib.figure import Figure

    known = [each for each in analytics.trials if each.objective is not None]
    names = list(dict.fromkeys(name for each in known for name in each.values))
    columns = min(2, 1 + len(names))
    rows = -(-(1 + len(names)) // columns)
    figure = Figure(
        figsize=(columns * PANEL[0], rows * PANEL[1] + _HEAD),
        facecolor=PAPER,
        layout="constrained",
    )
    figure.suptitle(f"{analytics.name}    {analytics.status}", color=INK, fontsize=11)
    grid = figure.subplots(rows, columns, squeeze=False)
    panels = list(grid.flat)
    _draw_course(panels[0], analytics, known)
    for axes, name in zip(panels[1:], names, strict=False):
        _draw_values(axes, analytics, known, name)
    for spare in panels[1 + len(names) :]:
        spare.set_visible(False)
    return figure


def _draw_course(axes: "Axes", analytics: TuningAnalytics, known: Sequence[TrialRow]) -> None:
    axes.scatter(
        [each.number for each in known],
        _objectives(known),
        color=COLOURS[0],
        s=14,
        label="training job",
    )
    steps = analytics.best_so_far()
    last = max(each.number for each in known)
    axes.step(
        [*(number for number, _ in steps), last],
        [*(value for _, value in steps), steps[-1][1]],
        where="post",
        color=COLOURS[1],
        linewidth=1.5,
        label="best so far",
    )
    axes.set_title(f"{analytics.metric} ({analytics.objective_type})", **_title())
    axes.set_xlabel("training job", color=INK, fontsize=8)
    axes.legend(fontsize=8, frameon=False)
    plain(axes)


def _draw_values(
    axes: "Axes", analytics: TuningAnalytics, known: Sequence[TrialRow], name: str
) -> None:
    there = [each for each in known if name in each.values]
    values = [each.values[name] for each in there]
    numbers = _numbers(values)
    best = analytics.best
    axes.scatter(
        values if numbers is None else numbers,
        _objectives(there),
        color=[COLOURS[1] if best and each.name == best.name else COLOURS[0] for each in there],
        s=14,
    )
    if numbers and min(numbers) > 0 and max(numbers) / min(numbers) >= _WIDE:
        axes.set_xscale("log")
    axes.set_title(name, **_title())
    axes.set_ylabel(analytics.metric, color=INK, fontsize=8)
    plain(axes)


def _objectives(rows: Sequence[TrialRow]) -> list[float]:
    return [each.objective for each in rows if each.objective is not None]


def _numbers(values: Sequence[str]) -> list[float] | None:
    try:
        return [float(value) for value in values]
    except ValueError:
        return None


def _title() -> dict[str, Any]:
    return {"color": INK, "fontsize": 10, "loc": "left", "parse_math": False}
