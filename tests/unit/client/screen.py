"""A terminal that knows the few codes that pictures are drawn with."""

import os
import pty
import re
import struct
import termios
from fcntl import ioctl

from sagedock.client.show import Lines

__all__ = ["Screen", "Terminal"]

_CODE = re.compile(r"\x1b\[(?P<arguments>[?0-9;]*)(?P<code>[A-Za-z])|(?P<letter>.)", re.DOTALL)


class Screen:
    """Rows of text that scroll; a code that it does not know is an error."""

    def __init__(self, rows: int, columns: int) -> None:
        self._rows, self._columns = rows, columns
        self._lines = [""]
        self._row = self._column = 0
        self._cuts = False

    def lines(self) -> list[str]:
        """Return what is seen, without the empty rows at the end."""
        seen = self._lines[-self._rows :]
        while seen and not seen[-1]:
            seen = seen[:-1]
        return seen

    def history(self) -> list[str]:
        """Return what was scrolled away."""
        return self._lines[: -self._rows]

    def feed(self, text: str) -> None:
        """Take what a program writes."""
        for found in _CODE.finditer(text):
            if found["letter"] is not None:
                self._take(found["letter"])
            elif found["code"] == "A":
                top = max(0, len(self._lines) - self._rows)
                self._row = max(top, self._row - int(found["arguments"]))
            elif (found["arguments"], found["code"]) == ("", "J"):
                self._lines[self._row] = self._lines[self._row][: self._column]
                for row in range(self._row + 1, len(self._lines)):
                    self._lines[row] = ""
            elif found["arguments"] == "?7" and found["code"] in "lh":
                self._cuts = found["code"] == "l"
            else:
                raise AssertionError(f"an unknown code: {found[0]!r}")

    def _take(self, letter: str) -> None:
        if letter == "\n":
            self._next_row()
        elif letter == "\r":
            self._column = 0
        else:
            if self._column == self._columns:
                if self._cuts:
                    return
                self._next_row()
                self._column = 0
            line = self._lines[self._row].ljust(self._column)
            self._lines[self._row] = line[: self._column] + letter + line[self._column + 1 :]
            self._column += 1

    def _next_row(self) -> None:
        self._row += 1
        if self._row == len(self._lines):
            self._lines.append("")


class Terminal:
    """A pseudo-terminal of a size, what is written to it, and what that looks like."""

    def __init__(self, rows: int = 8, columns: int = 40) -> None:
        self.ours, self.theirs = pty.openpty()
        ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.set_blocking(self.ours, False)
        self.stream = os.fdopen(self.theirs, "w", encoding="utf-8")
        self.screen = Screen(rows, columns)
        self.lines = Lines(lambda: self.stream)

    def seen(self) -> list[str]:
        """Return what the terminal shows."""
        while True:
            try:
                self.screen.feed(os.read(self.ours, 65536).decode())
            except BlockingIOError:
                return self.screen.lines()

    def close(self) -> None:
        """Let go of it."""
        self.stream.close()
        os.close(self.ours)
