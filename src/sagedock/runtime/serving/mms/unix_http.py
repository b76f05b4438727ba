"""HTTP/1.1 over a unix socket, one request at a time: what Multi Model Server speaks of it."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

__all__ = ["BadAnswer", "Connection", "ask_once"]

_BUFFER = 1 << 20


class BadAnswer(OSError):
    """What came back is no whole answer."""


class Connection:
    """A connection that is opened when it is first needed, and kept."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(
        self, method: str, target: str, body: Sequence[bytes | bytearray | memoryview] = ()
    ) -> tuple[int, bytes]:
        """Send a request, its body in pieces; return status and body. Raises OSError."""
        if self._streams is None:
            self._streams = await asyncio.open_unix_connection(self._path, limit=_BUFFER)
        reader, writer = self._streams
        writer.writelines([_head(method, target, sum(map(len, body))), *body])
        try:
            await writer.drain()
            status, length = _parsed(await reader.readuntil(b"\r\n\r\n"))
            return status, await reader.readexactly(length)
        except (EOFError, asyncio.LimitOverrunError, ValueError) as error:
            raise BadAnswer(f"no whole answer came: {error}") from error

    def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def ask_once(path: Path, method: str, target: str) -> tuple[int, bytes]:
    """Send one request over a connection of its own; return status and body. Raises OSError."""
    connection = Connection(path)
    try:
        return await connection.ask(method, target)
    finally:
        connection.close()


def _head(method: str, target: str, length: int) -> bytes:
    return (
        f"{method} {target} HTTP/1.1\r\nhost: mms\r\n"
        f"content-type: application/octet-stream\r\ncontent-length: {length}\r\n\r\n"
    ).encode("ascii")


def _parsed(head: bytes) -> tuple[int, int]:
    """Return status and length of the body. Raises ValueError where the head says neither."""
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines if line)
    return int(first.split(" ", 2)[1]), int(headers.get("content-length", "0"))
