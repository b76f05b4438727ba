"""The last lines of a stream of bytes, in bounded memory."""

import re
from collections import deque

__all__ = ["Tail"]

#: A progress bar redraws its line after a carriage return: each drawing is a line of its own here.
_LINE_END = re.compile(rb"[\r\n]+")


class Tail:
    """Keeps the last ``lines`` lines fed to it, and of each line its first ``width`` bytes."""

    def __init__(self, *, lines: int = 400, width: int = 4096) -> None:
        self._width = width
        self._done: deque[bytes] = deque(maxlen=lines)
        self._open = b""

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes, cut anywhere."""
        first, *more = _LINE_END.split(chunk)
        self._open = (self._open + first[: self._width])[: self._width]
        for line in more[-self._done.maxlen - 1 :] if self._done.maxlen else more:
            if self._open:
                self._done.append(self._open)
            self._open = line[: self._width]

    def lines(self) -> tuple[str, ...]:
        """Return the lines, oldest first, without empty ones; what is not UTF-8 becomes U+FFFD."""
        held = [*self._done, self._open] if self._open else list(self._done)
        return tuple(line.decode("utf-8", "replace") for line in held)
