"""``sagedock preflight``: an image, judged before it is pushed."""

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sagedock.cli.reading import reading

if TYPE_CHECKING:
    from sagedock.images.preflight import Report, Row

__all__ = ["preflight"]

_COLOURS = {"ok": "green", "warns": "yellow", "fails": "red", "cannot say": "cyan"}
_WIDTH, _NARROWEST = 160, 80
_INTERRUPTED = 130

_For = Literal["training", "processing", "serving", "transform"]
_FOR = typer.Option(
    "--for", help="What for; by default what the image looks made for.", show_default=False
)
_DRIVER = typer.Option(
    help="The branch of the instances' NVIDIA driver, where you know it, e.g. 550.",
    show_default=False,
)


def preflight(
    image: Annotated[
        str, typer.Argument(help="A name of containers/images.toml, or the engine's, or an id.")
    ],
    instance_type: Annotated[
        list[str],
        typer.Option(help="Where it is to run, e.g. ml.p4d.24xlarge; may be given several times."),
    ],
    instance_count: Annotated[int, typer.Option(help="How many work together in a job.")] = 1,
    use: Annotated[_For | None, _FOR] = None,
    driver: Annotated[int | None, _DRIVER] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check a local image before it is pushed: would it run on these instance types?

    Its files are read, and nothing of it is run. Exit code 0 if nothing fails, 8 if something does.
    """
    from sagedock import engine
    from sagedock.errors import ContractBroken
    from sagedock.images.named import find_named
    from sagedock.images.preflight import preflight as inspect

    try:
        connected = engine.connect()
        reference = find_named(connected, image)
        with reading(reference, connected.image(reference).size) as progress:
            report = inspect(
                connected,
                reference,
                instance_type,
                use=use,
                count=instance_count,
                driver=driver,
                progress=progress,
            )
    except KeyboardInterrupt:
        typer.echo("sagedock: stopped; nothing was made or changed", err=True)
        raise typer.Exit(_INTERRUPTED) from None
    if as_json:
        typer.echo(json.dumps({**asdict(report), "fails": report.fails}, indent=2))
    else:
        _print(report)
    if report.fails:
        raise typer.Exit(ContractBroken.exit_code)


def _print(report: "Report") -> None:
    width = max(_NARROWEST, Console().width) if sys.stdout.isatty() else _WIDTH
    console = Console(width=width, highlight=False)
    console.print(
        Text(f"{report.image} for {report.use}, read in {report.reading_s:.0f} s; ", end="")
        + Text(f"data of {report.data_of}")
    )
    for instance_type in dict.fromkeys(row.instance_type for row in report.rows):
        rows = [row for row in report.rows if row.instance_type == instance_type]
        console.print(Text(f"\n{instance_type or 'on any instance'}", style="bold"))
        console.print(_table(rows))
    console.print(Text(f"\n{_summary(report)}"))


def _table(rows: "list[Row]") -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("check", overflow="fold", width=22)
    table.add_column("", no_wrap=True, width=10)
    table.add_column("found", overflow="fold", ratio=5)
    table.add_column("needed", overflow="fold", ratio=4)
    for row in rows:
        colour = _COLOURS[row.verdict]
        table.add_row(
            Text(row.check), Text(row.verdict, style=colour), Text(row.found), Text(row.needed)
        )
        if row.remedy:
            table.add_row("", "", Text(f"-> {row.remedy}", style=colour), Text(row.source, "dim"))
    return table


def _summary(report: "Report") -> str:
    counts = dict.fromkeys(_COLOURS, 0)
    for row in report.rows:
        counts[row.verdict] += 1
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    return f"{told}. Sources of all rows: --json"
