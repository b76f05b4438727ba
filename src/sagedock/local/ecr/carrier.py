"""One HTTP request to the registry's socket: bodies go out and come in by pieces."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httptools

__all__ = ["Carried", "RegistryBroke", "carry"]

_PIECE_BYTES = 256 * 1024

Headers = Sequence[tuple[bytes, bytes]]


class RegistryBroke(Exception):
    """The registry ended the connection before it had answered."""


@dataclass
class Carried:
    """An answer: its status and headers (names in lower case); ``pieces`` yields its body."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    _waiting: deque[bytes] = field(default_factory=deque)
    _begun: bool = False
    _complete: bool = False
    _parser: Any = None

    def __post_init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)

    async def begin(self) -> None:
        """Read its head. Raises RegistryBroke."""
        while not self._begun:
            await self._read()

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield its body. Raises RegistryBroke where that ends too early."""
        while True:
            while self._waiting:
                yield self._waiting.popleft()
            if self._complete:
                return
            await self._read()

    async def body(self) -> bytes:
        """Return its whole body."""
        return b"".join([piece async for piece in self.pieces()])

    def close(self) -> None:
        """End the connection: one for each request."""
        self.writer.close()

    async def _read(self) -> None:
        try:
            data = await self.reader.read(_PIECE_BYTES)
        except ConnectionError as error:
            raise RegistryBroke(str(error)) from error
        if not data:
            raise RegistryBroke("the registry ended the connection")
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            raise RegistryBroke(f"the registry answered no HTTP: {error}") from error

    # What the parser calls -------------------------------------------------------------------

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Take the status; those below 200 announce another answer."""
        status = self._parser.get_status_code()
        if status < 200:
            self.headers.clear()
            return
        self.status, self._begun = status, True

    def on_body(self, piece: bytes) -> None:
        """Take a piece of the body."""
        self._waiting.append(piece)

    def on_message_complete(self) -> None:
        """End of the answer."""
        self._complete = self._begun


async def carry(
    socket: str,
    method: str,
    target: str,
    headers: Headers = (),
    body: AsyncIterator[bytes] | None = None,
) -> Carried:
    """Send a request, and return its answer as soon as that begins; ``close`` it afterwards.

    A body without a header content-length is sent in chunks. Raises RegistryBroke, and what
    ``body`` raises. An answer to HEAD has no body: do not ask for its pieces.
    """
    try:
        reader, writer = await asyncio.open_unix_connection(socket)
    except OSError as error:
        raise RegistryBroke(f"the registry does not answer: {error}") from error
    carried = Carried(reader=reader, writer=writer)
    chunked = body is not None and not any(name == b"content-length" for name, _ in headers)
    head = [f"{method} {target} HTTP/1.1".encode(), b"host: registry", b"connection: close"]
    head += [name + b": " + value for name, value in headers]
    if chunked:
        head.append(b"transfer-encoding: chunked")
    try:
        writer.write(b"\r\n".join(head) + b"\r\n\r\n")
        # One that refuses may close before it has read all; what it answered says why.
        with suppress(ConnectionError):
            await _send(writer, body, chunked=chunked)
        await carried.begin()
    except BaseException:  # a cancelled task, too, must not leave the connection open
        carried.close()
        raise
    return carried


async def _send(
    writer: asyncio.StreamWriter, body: AsyncIterator[bytes] | None, *, chunked: bool
) -> None:
    if body is None:
        return
    async for piece in body:
        if piece:
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            await writer.drain()
    if chunked:
        writer.write(b"0\r\n\r\n")
    await writer.drain()
