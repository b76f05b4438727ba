"""Charts as a PNG, by matplotlib."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from sagedock.load.charts import Chart

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["problem_with_matplotlib", "save_picture"]

#: In inches, of one panel.
_PANEL = (6.0, 3.0)
_HEAD = 0.6
_DOTS_PER_INCH = 150
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
_GRID, _LIMIT = "#dddddd", "#999999"


def problem_with_matplotlib() -> str | None:
    """Return what to do where matplotlib is not installed, else None."""
    if find_spec("matplotlib") is None:
        return (
            "report: matplotlib, which draws PNGs, is not installed: pip install 'sagedock[plot]'"
        )
    return None


def save_picture(path: Path, charts: Sequence[Chart], title: str) -> None:
    """Draw a panel for each chart. Raises OSError where nothing can be written."""
    from matplotlib.figure import Figure

    figure = Figure(
        figsize=(_PANEL[0], len(charts) * _PANEL[1] + _HEAD),
        layout="constrained",
        facecolor="#ffffff",
    )
    figure.suptitle(title, fontsize=10, parse_math=False, wrap=True)
    for axes, chart in zip(figure.subplots(len(charts), squeeze=False).flat, charts, strict=True):
        _draw(axes, chart)
    figure.savefig(path, format="png", dpi=_DOTS_PER_INCH)


def _draw(axes: "Axes", chart: Chart) -> None:
    for number, line in enumerate(chart.lines):
        xs, ys = [x for x, _ in line.points], [y for _, y in line.points]
        axes.plot(xs, ys, color=_COLOURS[number % len(_COLOURS)], label=line.name)
    for place, word in chart.marks:
        axes.axvline(place, color=_LIMIT, linestyle="--", linewidth=1)
        axes.annotate(word, (place, 1), xycoords=("data", "axes fraction"), fontsize=8)
    if chart.limit is not None and chart.limit[0] <= axes.get_ylim()[1]:
        axes.axhline(chart.limit[0], color=_LIMIT, linestyle="--", linewidth=1)
    if chart.ticks:
        axes.set_xticks([place for place, _ in chart.ticks], [word for _, word in chart.ticks])
    axes.set_title(chart.title, fontsize=10, loc="left", parse_math=False)
    axes.set_xlabel(chart.x_label, fontsize=8)
    axes.set_ylabel(chart.y_label, fontsize=8)
    axes.set_ylim(bottom=0)
    axes.tick_params(labelsize=8)
    axes.grid(color=_GRID, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=8, frameon=False)
