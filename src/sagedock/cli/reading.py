"""How far the reading of an image is, told on standard error."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

__all__ = ["reading"]

_MB = 1_000_000


@contextmanager
def reading(image: str, size: int) -> Iterator[Callable[[int], None]]:
    """Yield what is told how many bytes were read; a bar for it where stderr is a terminal."""
    if not sys.stderr.isatty():

        def begun(done: int) -> None:
            if not done:
                typer.echo(f"reading {image} ({size / _MB:,.0f} MB)", err=True)

        yield begun
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("the engine lays the image out", total=None)

        def told(done: int) -> None:
            bar.update(
                task, description="reading its layers", completed=done, total=max(size, done)
            )

        yield told
