"""uvicorn's protocols: HTTP, its answers' heads and bodies written at once, and WebSockets."""

import asyncio
from typing import Any

from uvicorn.config import HTTP_PROTOCOLS, WS_PROTOCOLS
from uvicorn.importer import import_from_string

__all__ = ["GatheringTransport", "http_protocol", "websocket_protocol"]

#: Above this, pieces are written from where they lie.
_JOINED = 1 << 16


class GatheringTransport:
    """A transport that keeps what is written until the event loop's next turn.

    One system call then takes a whole answer, and its reader wakes once.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._pieces: list[bytes] = []
        self.is_closing = transport.is_closing  # asked for each answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Write soon."""
        if not self._pieces:
            self._loop.call_soon(self.flush)
        self._pieces.append(data)

    def flush(self) -> None:
        """Write now."""
        pieces, self._pieces = self._pieces, []
        if not pieces or self.is_closing():
            return
        if sum(map(len, pieces)) <= _JOINED:
            self._transport.write(b"".join(pieces))
        else:
            self._transport.writelines(pieces)

    def close(self) -> None:
        """Write what waits, then close."""
        self.flush()
        self._transport.close()


def http_protocol() -> type[asyncio.Protocol]:
    """Return a protocol with such a transport: ours over httptools, else uvicorn's over h11."""

    class Gathering(_short_or_uvicorns()):  # type: ignore[misc]
        """One connection."""

        def connection_made(self, transport: asyncio.Transport) -> None:
            """Put the gathering transport before the real one."""
            super().connection_made(GatheringTransport(transport, self.loop))

    return Gathering


def _short_or_uvicorns() -> Any:
    try:
        from sagedock.runtime.serving.front.short import ShortProtocol
    except ModuleNotFoundError:
        return import_from_string(HTTP_PROTOCOLS["h11"])
    return ShortProtocol


def websocket_protocol() -> type[asyncio.Protocol] | None:
    """Return uvicorn's WebSocket protocol over wsproto; None where that is not installed."""
    try:
        uvicorns: Any = import_from_string(WS_PROTOCOLS["wsproto"])
    except ModuleNotFoundError:
        return None

    class Patient(uvicorns):  # type: ignore[misc]
        """One connection; when the server stops, the application closes it."""

        #: As of an HTTP connection that has begun a request: see ``Server.stop``.
        cycle = ()

        def shutdown(self) -> None:
            """Leave the end to the application, which has been told."""

        def handle_close(self, event: Any) -> None:
            """Tell a client why it is left whose frames are wrong: uvicorn would only leave it."""
            if not self.close_sent and self.conn.state.name == "OPEN":
                self.transport.write(self.conn.send(event))
            super().handle_close(event)

    return Patient
