"""The progress of builds on standard error: a line for each step, and on a terminal a live one."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

__all__ = ["BuildProgress", "build_progress"]


class BuildProgress:
    """Says lines with the seconds since the image's build began; ``show`` is told the newest."""

    def __init__(
        self,
        write: Callable[[str], object],
        show: Callable[[str], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write, self._show, self._clock = write, show, clock
        self._began = clock()

    def begin(self, name: str) -> None:
        """Begin with another image."""
        self._began = self._clock()
        self._show(name)

    def say(self, line: str) -> None:
        """Say a line."""
        self._write(f"{self._clock() - self._began:6.1f} s  {line}")
        self._show(line)


@contextmanager
def build_progress() -> Iterator[BuildProgress]:
    """Yield what builds tell their progress; a live line shows the last step on a terminal."""
    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    if not sys.stderr.isatty():
        yield BuildProgress(console.print, lambda _: None)
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield BuildProgress(bar.console.print, lambda line: bar.reset(task, description=line))
