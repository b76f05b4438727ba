"""``sagedock jobs``: a table of jobs of every kind, one of them in detail, and its curves."""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer

from sagedock.cli.sessions import looking_session
from sagedock.errors import InvalidRequest, JobFailed

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sagedock.client import Session
    from sagedock.client.board import Board
    from sagedock.client.job_kinds import Word
    from sagedock.client.job_rows import JobView

__all__ = ["app"]

_INTERRUPTED = 130
_DEFAULT_ROWS = 10
_WIDE = 160  # where nobody looks, a name is not cut

Seen = TypeVar("Seen")

app = typer.Typer(help="Jobs of every kind: what they are doing, and what they have reached.")

Target = Literal["local", "aws"]
_Target = Annotated[
    Target | None,
    typer.Option(help="Where the jobs are; $SAGEDOCK_TARGET by default.", show_default=False),
]
_Region = Annotated[str | None, typer.Option(help="Their region.", show_default=False)]
#: The words of ``client.job_kinds``, which is not loaded before it is needed.
Kind = Literal["training", "processing", "transform", "tuning"]
_Kind = Annotated[Kind | None, typer.Option(help="Only jobs of that kind.", show_default=False)]
_Watch = Annotated[bool, typer.Option("--watch", "-w", help="Draw it anew, until Ctrl-C.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.callback(invoke_without_command=True)
def jobs(
    context: typer.Context,
    target: _Target = None,
    region: _Region = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many.")] = _DEFAULT_ROWS,
    status: Annotated[
        str | None, typer.Option(help="Only those, e.g. InProgress.", show_default=False)
    ] = None,
    contains: Annotated[
        str | None, typer.Option(help="Only names with this in them.", show_default=False)
    ] = None,
    kind: _Kind = None,
    watch: _Watch = False,
    as_json: _Json = False,
) -> None:
    """List the newest jobs of every kind: status, time, latest metrics, CPU and memory."""
    if context.invoked_subcommand is not None:
        return
    from sagedock.cli.tables import job_line, jobs_table

    session, board = _board(target, region)
    with _quiet_when_interrupted():
        looks = _looks(
            lambda: board.latest(limit=limit, status=status, contains=contains, kind=kind),
            session,
            watch,
        )
        if as_json:
            for rows in looks:
                typer.echo(_json([asdict(row) for row in rows], one_line=watch))
        elif watch and not sys.stdout.isatty():
            _print_new(job_line(row) for rows in looks for row in reversed(rows))
        else:
            _draw(map(jobs_table, looks), live=watch)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="The job.")],
    target: _Target = None,
    region: _Region = None,
    kind: _Kind = None,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Draw it anew, until the job has ended.")
    ] = False,
    as_json: _Json = False,
    save: Annotated[
        Path | None,
        typer.Option(help="Draw the curves into this file, .png or .svg.", show_default=False),
    ] = None,
    lines: Annotated[
        int | None,
        typer.Option(min=1, max=10_000, help="Print so many of the log's last lines, too."),
    ] = None,
) -> None:
    """Show one job, with each of its metrics; of a tuning job, each of its training jobs.

    With --watch the exit code is 4 if the job ended Failed or Stopped.
    """
    from sagedock.cli.tables import job_line, job_table

    _check(save, lines, as_json)
    session, board = _board(target, region)
    last: list[JobView] = []

    def views() -> Iterator["JobView"]:
        for view in _looks(lambda: board.view(name, kind), session, watch):
            last[:] = [view]
            yield view
            if view.row.has_ended:
                return

    with _quiet_when_interrupted():
        if as_json:
            for view in views():
                typer.echo(_json(asdict(view), one_line=watch))
        elif watch and not sys.stdout.isatty():
            _print_new(job_line(view.row) for view in views())
        else:
            _draw(map(job_table, views()), live=watch)
    (view,) = last
    if lines:
        _print_log(session, view.row.kind, view.row.name, lines)
    if save:
        _save(view, save, beside=as_json)
    if watch and view.row.status in ("Failed", "Stopped"):
        raise JobFailed(name, view.row.status, view.row.failure_reason or "")


def _check(save: Path | None, lines: int | None, as_json: bool) -> None:
    from sagedock.client.pictures import problem_with_picture

    if save and (problem := problem_with_picture(save)):
        raise InvalidRequest([f"--save: {problem}"])
    if lines and as_json:
        raise InvalidRequest(["--lines: prints text: give it without --json"])


def _print_log(session: "Session", kind: "Word", name: str, count: int) -> None:
    from sagedock.client.job_kinds import KINDS
    from sagedock.client.logs import last_lines
    from sagedock.client.refusals import explained
    from sagedock.client.show import to_stdout

    group = KINDS[kind].log_group
    if group is None:
        raise InvalidRequest(
            ["--lines: a tuning job has no log: give it with one of its training jobs"]
        )
    with explained(session.target):
        found = last_lines(session.client("logs"), group=group, job_name=name, count=count)
    for line in found or ["no log lines"]:
        to_stdout(line)


def _save(view: "JobView", path: Path, *, beside: bool) -> None:
    """Draw a job's curves, and say so: ``beside`` what is printed, where that is JSON."""
    from sagedock.client.curves import save_curves
    from sagedock.client.tuning_picture import save_tuning

    if view.tuning is not None:
        save_tuning(view.tuning, path)
    else:
        save_curves(view, path)
    typer.echo(f"curves of {view.row.name}: {path}", err=beside)


def _board(target: Target | None, region: str | None) -> "tuple[Session, Board]":
    """Return the session and its board."""
    from sagedock.client.board import Board

    session = looking_session(target, region)
    return session, Board(session)


def _looks(look: Callable[[], Seen], session: "Session", watch: bool) -> Iterator[Seen]:
    """Yield what ``look`` returns, once, or again and again; a service that is busy is awaited."""
    from sagedock.client.patience import Clock, patiently
    from sagedock.client.show import nowhere

    pace = session.place.pace
    while True:
        yield patiently(look, patience_s=pace.patience_s, clock=Clock(), show=nowhere)
        if not watch:
            return
        time.sleep(pace.table_s)


@contextmanager
def _quiet_when_interrupted() -> Iterator[None]:
    """End the command without a word when Ctrl-C is pressed: the terminal is as it was."""
    try:
        yield
    except KeyboardInterrupt:
        raise typer.Exit(_INTERRUPTED) from None


def _print_new(lines: Iterable[tuple[object, str]]) -> None:
    """Print each line that tells anything new, at once: no person at a terminal reads them."""
    known: set[object] = set()
    for told, line in lines:
        if told not in known:
            known.add(told)
            typer.echo(line)
            sys.stdout.flush()


def _draw(tables: Iterable["RenderableType"], *, live: bool) -> None:
    """Print the tables, each in the place of the last one if ``live``."""
    from rich.console import Console
    from rich.live import Live

    if not live:
        console = Console() if sys.stdout.isatty() else Console(width=_WIDE, soft_wrap=True)
        for table in tables:
            console.print(table)
        return
    with Live(auto_refresh=False) as shown:
        for table in tables:
            shown.update(table, refresh=True)


def _json(value: Any, *, one_line: bool) -> str:
    return json.dumps(value, indent=None if one_line else 2, default=_moment)


def _moment(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)
