"""Where a client's lines go unless told otherwise, and pictures that are drawn anew below them."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO, TypeAlias

__all__ = ["Draw", "Lines", "Picture", "Show", "nowhere", "pictured", "to_stdout"]

#: Takes one line, without its end.
Show: TypeAlias = Callable[[str], None]
#: Gives lines, at most so many; all of them for None.
Picture: TypeAlias = Callable[[int | None], Sequence[str]]
#: Draws a picture in the place of the last one.
Draw: TypeAlias = Callable[[Picture], None]

_NO_SIZE = os.terminal_size((80, 24))
#: ECMA-48: CUU and ED. DEC's private mode 7: a line that is too long is cut, not continued.
_UP, _ERASE_BELOW, _CUT, _CONTINUE = "\x1b[{}A", "\x1b[J", "\x1b[?7l", "\x1b[?7h"


class Lines:
    """Writes lines to a stream at once; what its encoding lacks is written as an escape.

    ``stream`` returns the stream, which is asked for at each line: it may be replaced meanwhile.
    """

    def __init__(self, stream: Callable[[], TextIO]) -> None:
        self._stream = stream
        self._drawn: tuple[str, ...] = ()

    def __call__(self, line: str) -> None:
        """Write one line; a picture stays below it."""
        self._write(f"{self._erasing()}{line}\n{self._text()}")

    @property
    def can_draw(self) -> bool:
        """Whether the stream is a terminal that can be drawn upon."""
        return self._stream().isatty() and os.environ.get("TERM") != "dumb"

    def draw(self, picture: Picture) -> None:
        """Draw a picture below all lines, in the place of the last one, where there is room."""
        size = self._size()
        lines = tuple(_printable(line)[: size.columns] for line in picture(size.lines - 1))
        if lines != self._drawn:
            erasing, self._drawn = self._erasing(), lines[: size.lines - 1]
            self._write(erasing + self._text())

    def leave(self, picture: Picture) -> None:
        """Put the whole picture in the place of the last one, as lines that stay."""
        lines = "".join(f"{_printable(line)}\n" for line in picture(None))
        erasing, self._drawn = self._erasing(), ()
        self._write(erasing + lines)

    def _erasing(self) -> str:
        return _UP.format(len(self._drawn)) + _ERASE_BELOW if self._drawn else ""

    def _text(self) -> str:
        lines = "".join(f"{line}\n" for line in self._drawn)
        return f"{_CUT}{lines}{_CONTINUE}" if lines else ""

    def _size(self) -> os.terminal_size:
        try:
            size = os.get_terminal_size(self._stream().fileno())
        except OSError:  # a terminal that does not tell its size
            return _NO_SIZE
        return size if size.columns and size.lines > 1 else _NO_SIZE

    def _write(self, text: str) -> None:
        stream = self._stream()
        encoding = stream.encoding or "utf-8"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()


to_stdout = Lines(lambda: sys.stdout)


def nowhere(line: str) -> None:
    """Drop the line."""


@contextmanager
def pictured(show: Show) -> Iterator[Draw | None]:
    """Yield what draws pictures below the lines of ``show``, the last of which stays at the end;
    None where that is no terminal.
    """
    if not (isinstance(show, Lines) and show.can_draw):
        yield None
        return
    last: list[Picture] = []

    def draw(picture: Picture) -> None:
        last[:] = [picture]
        show.draw(picture)

    try:
        yield draw
    finally:
        if last:
            show.leave(last[0])


def _printable(line: str) -> str:
    """Return a line without what would move the cursor: names and values are the users'."""
    return "".join(letter if letter.isprintable() else "?" for letter in line)
