"""One port on this machine before containers that come and go.

Connections that come while a container starts are held until it serves, so that a request sent
right after an edit is answered by the code as it was saved.
"""

import asyncio
import json
import socket
import threading
from contextlib import suppress
from types import TracebackType

from sagedock.errors import InvalidRequest

__all__ = ["HOST", "Relay", "listen"]

HOST = "127.0.0.1"
_BACKLOG = 128
_PIECE_BYTES = 1 << 16
#: A client that sends on while it is refused is heard out for so long: else it would not read why.
_HEAR_OUT_S = 1.0
_TOO_LONG = "no container serves: see the terminal of `sagedock serve`"
_GONE = "the container does not take connections: see the terminal of `sagedock serve`"
_STREAM_ERRORS = (OSError, asyncio.IncompleteReadError)

_Address = tuple[str, int]


def listen(port: int) -> socket.socket:
    """Return a socket that listens on the loopback; port 0 takes a free one.

    Raises InvalidRequest where the port is taken, or is none.
    """
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((HOST, port))
        made.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        made.close()
        raise InvalidRequest(
            [f"port: cannot listen on {HOST}:{port} ({error}): take another one, or 0 for any"]
        ) from error
    return made


class Relay:
    """Passes bytes between clients and the container that serves now; see ``serve_at``."""

    def __init__(self, listener: socket.socket, held_s: float = 60.0) -> None:
        """``held_s`` is how long a connection waits for a container that starts."""
        self._listener = listener
        self._held_s = held_s
        self._loop = asyncio.new_event_loop()
        self._target: _Address | None = None
        self._refusal: str | None = None
        self._decided = asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)

    @property
    def url(self) -> str:
        """Where clients connect to."""
        return f"http://{HOST}:{self._listener.getsockname()[1]}"

    def __enter__(self) -> "Relay":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def serve_at(self, address: _Address) -> None:
        """Pass connections on to ``address``, those that are held too."""
        self._loop.call_soon_threadsafe(self._decide, address, None)

    def hold(self) -> None:
        """Hold connections until it is said what becomes of them."""
        self._loop.call_soon_threadsafe(self._decide, None, None)

    def refuse(self, why: str) -> None:
        """Answer 503 with ``why``, also to connections that are held."""
        self._loop.call_soon_threadsafe(self._decide, None, why)

    def _decide(self, target: _Address | None, refusal: str | None) -> None:
        self._target, self._refusal = target, refusal
        if target is None and refusal is None:
            self._decided.clear()
        else:
            self._decided.set()

    def _run(self) -> None:
        loop = self._loop
        asyncio.set_event_loop(loop)
        server = loop.run_until_complete(asyncio.start_server(self._admit, sock=self._listener))
        loop.run_forever()
        server.close()
        for task in self._connections:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*self._connections, return_exceptions=True))
        loop.close()

    def _admit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = self._loop.create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(*_STREAM_ERRORS):
                await self._pass_on(reader, writer)
        finally:
            writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._decided.wait(), self._held_s)
        target = self._target
        if target is None:
            await _refuse(reader, writer, self._refusal or _TOO_LONG)
            return
        try:
            upstream = await asyncio.open_connection(*target)
        except OSError:
            await _refuse(reader, writer, _GONE)
            return
        await _join(reader, writer, *upstream)


async def _join(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    from_container: asyncio.StreamReader,
    to_container: asyncio.StreamWriter,
) -> None:
    """Pass bytes both ways until the container has said all, or one of both has gone."""
    there = asyncio.create_task(_pipe(reader, to_container))
    try:
        await _pipe(from_container, writer)
    finally:
        there.cancel()
        await asyncio.gather(there, return_exceptions=True)
        to_container.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(_PIECE_BYTES):
        writer.write(piece)
        await writer.drain()
    writer.write_eof()


async def _refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, why: str) -> None:
    body = json.dumps({"error": why}).encode()
    writer.write(
        b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\n"
        b"connection: close\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
    )
    await writer.drain()
    writer.write_eof()
    with suppress(TimeoutError):
        async with asyncio.timeout(_HEAR_OUT_S):
            while await reader.read(_PIECE_BYTES):
                pass
