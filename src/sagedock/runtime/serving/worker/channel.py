"""The worker's end of the socket pair: requests in, answers out, all of it blocking."""

import select
import socket
from collections.abc import Sequence
from io import BufferedReader
from typing import cast

from sagedock.runtime.serving.pool.frames import HEAD_BYTES, Frame, Kind, parse_head

__all__ = ["Channel", "Hangup"]

_BUFFER = 1 << 18
#: Above this, a body is sent from where it lies.
_COPIED = 1 << 16


class Hangup(Exception):
    """The front has gone."""


class Channel:
    """Frames over a connected socket. Raises Hangup where the front has gone."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._file = cast("BufferedReader", connected.makefile("rb", buffering=_BUFFER))

    def batch(self) -> list[Frame]:
        """Wait for the next batch of requests, and return it."""
        batch: list[Frame] = []
        while not batch or batch[-1].more:
            frame = self.frame()
            # What was to be abandoned, or told more, has ended meanwhile.
            if frame.kind in (Kind.REQUEST, Kind.OPEN):
                batch.append(frame)
        return batch

    def frame(self) -> Frame:
        """Wait for the next frame, and return it."""
        kind, more, status, number, headers, body = parse_head(self._bytes(HEAD_BYTES))
        return Frame(kind, number, status, more, self._bytes(headers), self._bytes(body))

    def _bytes(self, count: int) -> bytes:
        if not count:
            return b""
        read: bytes = self._file.read(count)
        if len(read) < count:
            raise Hangup
        return read

    def abandoned(self, number: int) -> bool:
        """Return whether the client of a streamed answer has gone; do not wait to learn it."""
        while select.select([self._socket], [], [], 0)[0]:
            frame = self.frame()
            if frame.kind == Kind.ABANDON and frame.id == number:
                return True
        return False

    def has_news(self) -> bool:
        """Return whether a frame has come, or begins to; do not wait to learn it."""
        self._socket.setblocking(False)
        try:
            return bool(self._file.peek(1))
        except ConnectionResetError:
            raise Hangup from None
        finally:
            self._socket.setblocking(True)

    def send(self, frames: Sequence[Frame]) -> None:
        """Send frames, several small ones at once."""
        pieces = [piece for f in frames for piece in (f.head(), f.headers, f.body)]
        try:
            if sum(map(len, pieces)) <= _COPIED:
                self._socket.sendall(b"".join(pieces))
            else:
                for piece in pieces:
                    self._socket.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            raise Hangup from None
