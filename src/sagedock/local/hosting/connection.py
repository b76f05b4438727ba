"""One HTTP connection to a container: a request goes out, an answer comes back, and it is kept.

Made for the event loop that serves: no task, no thread and no lock for a request.
"""

import asyncio
import select
from collections import deque
from typing import Any

import httptools

from sagedock.api.container_names import PRIMARY

__all__ = ["Answer", "Broken", "Connection"]

#: What waits to be sent on before the container is made to wait.
_MOST_WAITING_BYTES = 1024 * 1024


class Broken(Exception):
    """The connection ended, or what came was no HTTP. ``taken`` says whether the request may have
    been read; ``container`` which of several it was.
    """

    def __init__(self, *, taken: bool, container: str = PRIMARY) -> None:
        self.taken = taken
        self.container = container
        super().__init__("the container broke the connection")


class Answer:
    """What a container answers: its status and headers, and then the pieces of its body.

    Names of headers are lower-case.
    """

    __slots__ = ("_waiting", "complete", "failed", "headers", "pieces", "size", "status")

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.pieces: deque[bytes] = deque()
        self.size = 0
        self.complete = False
        self.failed = False
        self._waiting: asyncio.Future[None] | None = None

    @property
    def body(self) -> bytes:
        """The body as far as it came."""
        return self.pieces[0] if len(self.pieces) == 1 else b"".join(self.pieces)

    def header(self, name: bytes) -> bytes | None:
        """Return the header ``name``, or None."""
        return next((value for key, value in self.headers if key == name), None)

    async def changed(self) -> None:
        """Return once something more came, or the answer is complete or failed."""
        self._waiting = asyncio.get_running_loop().create_future()
        await self._waiting

    def tell(self) -> None:
        """Wake who awaits a change."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


class Connection(asyncio.Protocol):
    """A connection that is kept alive. One request at a time."""

    def __init__(self, idle: "list[Connection]") -> None:
        self._idle = idle
        self._transport: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._poll: select.poll | None = None
        self._parser: Any = None
        self._answer = Answer()
        self._ready: asyncio.Future[Answer] | None = None
        self._most_bytes: int | None = None
        self._by_end = False
        self._keeps = False
        self.is_open = False
        self.is_used = False

    def ask(self, data: bytes, *, most_bytes: int | None = None) -> "asyncio.Future[Answer]":
        """Send a request; the future has its answer, complete.

        One whose body has more than ``most_bytes`` ends early, not complete. None asks for a
        stream: the future has the answer once its head came, and ``Answer.changed`` tells of each
        piece. Raises Broken (also later, in the future).
        """
        loop = asyncio.get_running_loop()
        self._answer, self._most_bytes, self._by_end = Answer(), most_bytes, False
        self._parser = httptools.HttpResponseParser(self)
        self._ready = loop.create_future()
        if not self.is_open:
            raise Broken(taken=False)
        self._transport.write(data)
        return self._ready

    def release(self) -> None:
        """Keep the connection for another request, if it can serve one; else close it."""
        if self.is_open and self._answer.complete and not self._by_end and self._keeps:
            self.is_used = True
            self._idle.append(self)
        else:
            self.close()

    def close(self) -> None:
        """Close at once: whatever the container still sends is for nobody."""
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()

    def close_soon(self) -> None:
        """Close from another thread than the event loop's; returns at once."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.close)

    @property
    def is_stale(self) -> bool:
        """Whether a kept connection is of no use: the container has closed it, or said something
        that nobody asked for. The event loop may not know yet.
        """
        return not self.is_open or self._poll is None or bool(self._poll.poll(0))

    def resume(self) -> None:
        """Read on, after pieces were taken from the answer."""
        if self.is_open and self._answer.size <= _MOST_WAITING_BYTES:
            self._transport.resume_reading()

    # What asyncio calls ----------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        """Begin."""
        self._transport, self.is_open = transport, True
        self._loop = asyncio.get_running_loop()
        self._poll = select.poll()
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        """Take what came; anything that is no answer to a request ends the connection."""
        if self._parser is None:  # nobody asked
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._fail()
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """End: an answer that says nothing of its length is complete now."""
        self.is_open = False
        if self in self._idle:
            self._idle.remove(self)
        if self._by_end and not self._answer.complete and exc is None:
            self.on_message_complete()
        # Reset: what was sent was not read, or there was nobody any more to read it.
        self._fail(taken=not isinstance(exc, ConnectionError))

    # What the parser calls -------------------------------------------------------------------

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._answer.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Take the status; those below 200 announce another answer."""
        status = self._parser.get_status_code()
        if status < 200:
            self._answer.headers.clear()
            return
        self._keeps = self._parser.should_keep_alive()
        self._answer.status = status
        names = {name for name, _ in self._answer.headers}
        self._by_end = not names & {b"content-length", b"transfer-encoding"} and status != 204
        if self._most_bytes is None:
            self._done()

    def on_body(self, piece: bytes) -> None:
        """Take a piece of the body."""
        answer = self._answer
        answer.pieces.append(piece)
        answer.size += len(piece)
        if self._most_bytes is None:
            if answer.size > _MOST_WAITING_BYTES:
                self._transport.pause_reading()
            answer.tell()
        elif answer.size > self._most_bytes:
            answer.failed = True
            self._done()
            self.close()

    def on_message_complete(self) -> None:
        """End of an answer."""
        if self._answer.status and not self._answer.failed:
            self._answer.complete = True
            self._parser = None
            self._done()
            self._answer.tell()

    def _done(self) -> None:
        if self._ready is not None and not self._ready.done():
            self._ready.set_result(self._answer)

    def _fail(self, *, taken: bool = True) -> None:
        if not self._answer.complete:
            self._answer.failed = True
            if self._ready is not None and not self._ready.done():
                self._ready.set_exception(Broken(taken=taken or bool(self._answer.status)))
            self._answer.tell()
