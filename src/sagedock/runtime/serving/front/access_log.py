"""One line of JSON for each request, written a few at a time."""

import json
import time
from collections.abc import Callable

from sagedock.runtime.log import write_all

__all__ = ["AccessLog"]

_KEPT = 256


def _to_stderr(text: str) -> None:
    write_all(text.encode())  # where our own words go, so that both stay in their order


class AccessLog:
    """Lines wait until ``flush``, which the server calls ten times a second, or until 256 wait."""

    def __init__(self, write: Callable[[str], None] = _to_stderr) -> None:
        self._write = write
        self._lines: list[str] = []
        self._second = 0
        self._stamp = ""

    def add(
        self, method: str, path: str, status: int, received: int, sent: int, took_s: float, id_: int
    ) -> None:
        """Write down one request: bytes received and sent, seconds that it took, its number.

        ``status`` is 499 where the client left before its answer.
        """
        now = time.time()
        if int(now) != self._second:
            self._second = int(now)
            self._stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
        self._lines.append(
            f'{{"time": "{self._stamp}.{int(now % 1 * 1000):03d}Z", "method": "{method}",'
            f' "path": {_quoted(path)}, "status": {status}, "received": {received},'
            f' "sent": {sent}, "ms": {took_s * 1000:.2f}, "request": {id_}}}\n'
        )
        if len(self._lines) >= _KEPT:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if self._lines:
            lines, self._lines = self._lines, []
            self._write("".join(lines))


def _quoted(path: str) -> str:
    return f'"{path}"' if path == "/invocations" else json.dumps(path)
