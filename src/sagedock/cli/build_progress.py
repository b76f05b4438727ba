"""The progress of builds on standard error: a line for each step, and on a terminal a live one."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

__all__ = ["BuildProgress", "build_progress"]

#: What the live line has beside its words: a spinner and the time.
_BESIDE = 12


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
    """Yield what builds tell their progress; a live line shows the last step on a terminal.

    Lines that stay are never cut; the live one is, at the terminal's width.
    """
    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    if not sys.stderr.isatty():
        yield BuildProgress(console.print, lambda _: None)
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)

        def show(line: str) -> None:
            bar.reset(task, description=_fitting(line, bar.console.width - _BESIDE))

        yield BuildProgress(bar.console.print, show)


def _fitting(line: str, width: int) -> str:
    first = line.partition("\n")[0]
    return first if len(first) <= width else f"{first[: max(width, 1) - 1]}…"
