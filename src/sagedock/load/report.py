"""A load test as a file: a page that needs nothing else (.html), or a picture (.png)."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from sagedock.errors import InvalidRequest, StorageError
from sagedock.load.advice import Advice
from sagedock.load.charts import charts
from sagedock.load.svg import svg
from sagedock.load.sweeping import Goal, Sweep
from sagedock.load.words import advice_rows, error_line, level_rows, result_rows

__all__ = ["problem_with_report", "save_report"]

_SUFFIXES = (".html", ".png")
_STYLE = (
    "body{font:15px/1.45 sans-serif;color:#222;background:#fff;max-width:1300px;margin:2em auto;"
    "padding:0 1em}h1{font-size:1.4em}h2{font-size:1.1em;margin-top:1.6em}table{border-collapse:"
    "collapse}td,th{padding:.2em .8em .2em 0;text-align:left;vertical-align:top;border-bottom:1px "
    "solid #ddd}.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(420px,1fr))}"
    "li{overflow-wrap:anywhere}"
)


def problem_with_report(path: Path) -> str | None:
    """Return what is wrong with where a report is to go, or None; to be asked before the work."""
    if path.suffix.lower() not in _SUFFIXES:
        return f"report: {path}: ends in neither {' nor '.join(_SUFFIXES)}: name it so"
    if not path.absolute().parent.is_dir():
        return f"report: {path}: there is no folder {path.absolute().parent}: make it first"
    if path.suffix.lower() == ".png":
        from sagedock.load.picture import problem_with_matplotlib

        return problem_with_matplotlib()
    return None


def save_report(path: Path, sweep: Sweep, goal: Goal, advice: Advice) -> None:
    """Write the report. Raises InvalidRequest as ``problem_with_report`` says, StorageError."""
    if problem := problem_with_report(path):
        raise InvalidRequest([problem])
    try:
        if path.suffix.lower() == ".png":
            from sagedock.load.picture import save_picture

            save_picture(path, charts(sweep, goal), _title(sweep))
        else:
            path.write_text(_page(sweep, goal, advice), encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}: save it elsewhere") from error


def _title(sweep: Sweep) -> str:
    result = sweep.levels[0].result
    if len(sweep.levels) == 1:
        return f"{result.target}: {result.shape}"
    return f"{result.target}: {sweep.axis} {sweep.levels[0].load:g} to {sweep.levels[-1].load:g}"


def _page(sweep: Sweep, goal: Goal, advice: Advice) -> str:
    title = escape(_title(sweep))
    began = datetime.fromtimestamp(sweep.levels[0].result.began, UTC)
    drawn = "".join(f"<div>{svg(chart)}</div>" for chart in charts(sweep, goal))
    found = (
        _table(result_rows(sweep.levels[0].result))
        if len(sweep.levels) == 1
        else _table(level_rows(sweep), titled=True)
    )
    parts = [
        f"<h1>Load test of {title}</h1><p>{began:%Y-%m-%d %H:%M:%S} UTC</p>",
        found,
        f'<div class="charts">{drawn}</div>',
        "<h2>What to set</h2>",
        _table(advice_rows(advice)),
        *_failures(sweep),
    ]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )


def _failures(sweep: Sweep) -> Sequence[str]:
    lines = [
        f"<li>{sweep.axis} {level.load:g}: {escape(error_line(error))}</li>"
        for level in sweep.levels
        for error in level.result.errors
    ]
    return ["<h2>Failures</h2><ul>", *lines, "</ul>"] if lines else []


def _table(rows: Iterable[Sequence[str]], *, titled: bool = False) -> str:
    lines = []
    for number, row in enumerate(rows):
        cell = "th" if titled and number == 0 else "td"
        lines.append("".join(f"<{cell}>{escape(each)}</{cell}>" for each in row))
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"
