"""Jobs as tables for a terminal, and as lines for what reads them."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sagedock.api import metrics as names
from sagedock.client.analytics import TuningAnalytics, short
from sagedock.client.job_rows import JobRow, JobView
from sagedock.client.series import MetricSeries

__all__ = ["job_line", "job_table", "jobs_table"]

_COLOURS = {"Completed": "green", "Failed": "red", "Stopped": "yellow", "Stopping": "yellow"}
_SHORT = {
    names.CPU: "CPU",
    names.MEMORY: "memory",
    names.DISK: "disk",
    names.GPU: "GPU",
    names.GPU_MEMORY: "GPU memory",
}
#: What the table of several jobs has room for.
_USED = (names.CPU, names.MEMORY, names.GPU)
_NAME_WIDTH, _METRICS_WIDTH = 20, 16
_BARS = "▁▂▃▄▅▆▇█"
_TREND_WIDTH = 24
_MINUTE_S, _HOUR_S = 60, 3600


def jobs_table(rows: Sequence[JobRow]) -> RenderableType:
    """Return the table of several jobs."""
    if not rows:
        return Text("no jobs")
    used = [name for name in _USED if any(name in row.usage for row in rows)]
    table = Table(box=None, pad_edge=False)
    table.add_column("name", overflow="fold", min_width=_NAME_WIDTH)
    table.add_column("kind", no_wrap=True)
    table.add_column("status", no_wrap=True)
    for title in ("elapsed", "billable", *(_SHORT[name] for name in used)):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("latest metrics", overflow="fold", min_width=_METRICS_WIDTH)
    for row in rows:
        table.add_row(
            Text(row.name),
            row.kind,
            _status(row),
            _duration(row.elapsed_s),
            _billable(row),
            *(_percent(row.usage.get(name)) for name in used),
            Text(_numbers(row.metrics)),
        )
    return table


def job_table(view: JobView) -> RenderableType:
    """Return one job in detail: its facts, and a row for each metric; of a tuning job, one for each
    training job.
    """
    facts = Table(box=None, pad_edge=False, show_header=False)
    for title, value in _facts(view):
        facts.add_row(title, value)
    if view.tuning is not None:
        return Group(facts, Text(), _trials_table(view.tuning))
    if not view.series:
        return Group(facts, Text("\nno metrics yet"))
    return Group(facts, Text(), _series_table(view.series))


def _trials_table(found: TuningAnalytics) -> Table:
    """Return the training jobs of a tuning job, the best one marked."""
    values = list(dict.fromkeys(name for each in found.trials for name in each.values))
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for title in ("#", found.metric, *values, "elapsed"):
        table.add_column(Text(title), justify="right", overflow="fold")
    table.add_column("status", no_wrap=True)
    table.add_column("training job", overflow="fold", min_width=_NAME_WIDTH)
    best, now = found.best, datetime.now(UTC)
    for each in found.trials:
        lasted = each.lasted_s(now)
        table.add_row(
            "*" if best is not None and each.name == best.name else "",
            str(each.number),
            "" if each.objective is None else f"{each.objective:.6g}",
            *(Text(short(each.values.get(name, ""))) for name in values),
            "" if lasted is None else _duration(lasted),
            Text(each.status, style=_COLOURS.get(each.status, "cyan")),
            Text(each.name),
        )
    return table


def job_line(row: JobRow) -> tuple[object, str]:
    """Return a job as one line, and what it tells but for the time: that always changes."""
    usage = {_SHORT[name]: value for name, value in row.usage.items()}
    used = " ".join(f"{name}={value:.1f}%" for name, value in usage.items())
    found = " ".join(f"{name}={value:.6g}" for name, value in row.metrics.items())
    told = (row.name, row.secondary_status, found, used)
    parts = (*told[:2], _duration(row.elapsed_s), *told[2:], row.kind)
    return told, "  ".join(part for part in parts if part)


def _facts(view: JobView) -> Iterator[tuple[str, Text | str]]:
    row = view.row
    yield "job", Text(row.name)
    yield "kind", row.kind
    yield "status", _status(row)
    yield "created", row.created.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    yield "elapsed", _duration(row.elapsed_s)
    if row.billable_s is not None:
        yield "billable", _duration(row.billable_s)
    yield "instances", row.instances
    for title, value in view.details.items():
        yield title, Text(value)
    if row.failure_reason:
        yield "reason", Text(row.failure_reason)


def _series_table(series: Sequence[MetricSeries]) -> Table:
    trend = (sys.stdout.encoding or "").lower().startswith("utf")
    table = Table(box=None, pad_edge=False)
    table.add_column("metric", overflow="fold")
    table.add_column("host", no_wrap=True)
    for title in ("last", "lowest", "highest", "points"):
        table.add_column(title, justify="right", no_wrap=True)
    if trend:
        table.add_column("trend", no_wrap=True)
    for each in series:
        numbers = (each.last, min(each.values), max(each.values))
        cells = [f"{number:.6g}" for number in numbers]
        last = [_trend(each.values)] if trend else []
        table.add_row(Text(each.name), each.host or "", *cells, str(len(each.values)), *last)
    return table


def _status(row: JobRow) -> Text:
    return Text(row.secondary_status, style=_COLOURS.get(row.status, "cyan"))


def _duration(seconds: float) -> str:
    whole = int(seconds)
    hours, minutes = whole // _HOUR_S, whole % _HOUR_S // _MINUTE_S
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {whole % _MINUTE_S:02} s" if minutes else f"{whole} s"


def _billable(row: JobRow) -> str:
    return "" if row.billable_s is None else _duration(row.billable_s)


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} %"


def _numbers(values: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {value:.6g}" for name, value in values.items())


def _trend(values: Sequence[float]) -> str:
    """Return a row of bars: the values, or the means of as many stretches as there is room for."""
    width = min(len(values), _TREND_WIDTH)
    edges = [round(number * len(values) / width) for number in range(width + 1)]
    stretches = [values[a:b] for a, b in pairwise(edges)]
    means = [sum(each) / len(each) for each in stretches]
    low, high = min(means), max(means)
    if high == low:
        return _BARS[len(_BARS) // 2] * width
    steps = len(_BARS) - 1
    return "".join(_BARS[round((mean - low) / (high - low) * steps)] for mean in means)
