"""A chart as SVG, to stand inside an HTML page; it needs nothing else."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from sagedock.load.charts import Chart, Tick

__all__ = ["svg"]

_WIDTH, _HEIGHT = 620, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 74, 22, 34, 44
#: Okabe and Ito's colours, which nobody takes for one another.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
_INK, _GRID, _LIMIT = "#222222", "#dddddd", "#999999"


@dataclass(frozen=True, kw_only=True)
class _Scale:
    """From a chart's numbers to places on the picture."""

    least: float
    most: float
    top: float

    def x(self, value: float) -> float:
        width = _WIDTH - _LEFT - _RIGHT
        return _LEFT + (value - self.least) / (self.most - self.least) * width

    def y(self, value: float) -> float:
        height = _HEIGHT - _TOP - _BOTTOM
        return _TOP + (1 - min(value, self.top) / self.top) * height


def svg(chart: Chart) -> str:
    """Return the chart as one SVG element."""
    scale = _scale(chart)
    parts = [*_frame(chart, scale), *_marks(chart, scale), *_lines(chart, scale)]
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(chart.title)}" '
        f'xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" font-size="11" '
        f'fill="{_INK}">{"".join(parts)}</svg>'
    )


def _scale(chart: Chart) -> _Scale:
    points = [point for line in chart.lines for point in line.points]
    xs = [x for x, _ in points] + [x for x, _ in chart.ticks] or [0.0]
    least, most = min(xs), max(xs)
    return _Scale(
        least=least,
        most=most if most > least else least + 1,
        top=_steps(max([y for _, y in points] or [0.0]))[-1],
    )


def _steps(most: float) -> list[float]:
    """Return round numbers from 0 to ``most`` or a bit beyond, four to six of them."""
    if most <= 0:
        return [0.0, 1.0]
    rough = most / 4
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * times for times in (1, 2, 2.5, 5, 10) if size * times >= rough)
    return [round(step * number, 12) for number in range(math.ceil(most / step) + 1)]


def _frame(chart: Chart, scale: _Scale) -> Iterator[str]:
    yield _text(_LEFT, 16, chart.title, weight="bold", size=13)
    for value in _steps(scale.top):
        at = scale.y(value)
        yield _line(_LEFT, at, _WIDTH - _RIGHT, at, _GRID)
        yield _text(_LEFT - 6, at + 4, f"{value:g}", anchor="end")
    for place, word in chart.ticks or _numbers(scale):
        yield _text(scale.x(place), _HEIGHT - _BOTTOM + 16, word, anchor="middle")
    yield _text((_LEFT + _WIDTH) / 2, _HEIGHT - 8, chart.x_label, anchor="middle")
    yield _text(6, 16, chart.y_label)


def _numbers(scale: _Scale) -> list[Tick]:
    return [
        (scale.least + step, f"{scale.least + step:g}")
        for step in _steps(scale.most - scale.least)
        if scale.least + step <= scale.most
    ]


def _marks(chart: Chart, scale: _Scale) -> Iterator[str]:
    for place, word in chart.marks:
        at = scale.x(place)
        yield _line(at, _TOP, at, _HEIGHT - _BOTTOM, _LIMIT, dashes=True)
        yield _text(at, _TOP - 3, word, anchor="middle")
    if chart.limit is not None and chart.limit[0] <= scale.top:
        at = scale.y(chart.limit[0])
        yield _line(_LEFT, at, _WIDTH - _RIGHT, at, _LIMIT, dashes=True)
        yield _text(_LEFT + 4, at - 3, chart.limit[1])


def _lines(chart: Chart, scale: _Scale) -> Iterator[str]:
    right = _WIDTH - _RIGHT
    for number, line in enumerate(chart.lines):
        colour = _COLOURS[number % len(_COLOURS)]
        places = " ".join(f"{scale.x(x):.1f},{scale.y(y):.1f}" for x, y in line.points)
        yield f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="1.8"/>'
        at = right - 90 * (len(chart.lines) - number)
        yield f'<rect x="{at}" y="9" width="10" height="3" fill="{colour}"/>'
        yield _text(at + 14, 15, line.name)


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, *, dashes: bool = False) -> str:
    dash = ' stroke-dasharray="4 3"' if dashes else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{dash}/>'
    )


def _text(
    x: float, y: float, words: str, *, anchor: str = "start", weight: str = "normal", size: int = 11
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}" '
        f'font-size="{size}">{escape(words)}</text>'
    )
