"""One connection of HTTP/1.1 that is kept: bytes out, and when which part of the answer came.

The parser is httptools' (Node's llhttp). What a general client does beside it, cookies, redirects
and answers in memory, would be measured with the server.
"""

import asyncio
import time
from typing import Any, Protocol

import httptools

from sagedock.load.event_stream import EventStream
from sagedock.load.exchange import Exchange, Failure

__all__ = ["Connection", "Owner"]

_OK, _MULTIPLE = 200, 300


class Owner(Protocol):
    """Who holds connections, and is told of them."""

    def settled(self, connection: "Connection", exchange: Exchange) -> None:
        """An exchange is over, well or not."""

    def lost(self, connection: "Connection") -> None:
        """A connection is closed."""


class Connection(asyncio.Protocol):
    """Carries one exchange at a time. ``is_open`` says whether it can carry another."""

    def __init__(self, owner: Owner, *, event_stream: bool) -> None:
        self._owner, self._event_stream = owner, event_stream
        self._exchange: Exchange | None = None
        self._transport: Any = None
        self._parser: Any = None
        self._complete = self._by_end = False
        self.is_open = False

    def ask(self, exchange: Exchange, message: bytes) -> None:
        """Send a request; the owner is told when it is over."""
        self._exchange, exchange.connection = exchange, self
        self._complete = self._by_end = False
        exchange.wrote = len(message)
        exchange.events = EventStream() if self._event_stream else None
        exchange.sent = time.monotonic()
        self._transport.write(message)

    def close(self) -> None:
        """Close at once; the exchange that is under way, if any, is told of by nobody."""
        self.is_open, self._exchange = False, None
        self._transport.abort()

    # What asyncio calls ----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport, self._parser = transport, httptools.HttpResponseParser(self)
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        """Take what came; what is no answer to a request ends the connection."""
        exchange = self._exchange
        if exchange is None:
            self.close()
            return
        exchange.received += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.is_open = False
            if not self._complete:
                self._fail(exchange, Failure(kind="malformed", detail=f"not HTTP/1.1: {error}"))
        if self._complete and self._exchange is exchange:
            self._finish(exchange)
        if not self.is_open:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """End: an answer that says nothing of its length is complete now."""
        self.is_open = False
        if (exchange := self._exchange) is not None:
            if self._by_end and exchange.status >= _OK and exc is None:
                self._finish(exchange)
            else:
                self._fail(exchange, _cut_off(exchange, exc))
        self._owner.lost(self)

    # What the parser calls -------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Refuse a second answer to one request; suppose that the first goes on to the end."""
        if self._complete:
            self.is_open = False
        self._by_end = True

    def on_header(self, name: bytes, value: bytes) -> None:  # noqa: ARG002 - the interface
        """Note whether the answer says how long it is."""
        if name.lower() in (b"content-length", b"transfer-encoding"):
            self._by_end = False

    def on_headers_complete(self) -> None:
        """Note the status."""
        if self._exchange is not None and not self._complete:
            self._exchange.status = self._parser.get_status_code()

    def on_body(self, piece: bytes) -> None:
        """Note when the first byte came, and look at what has to be looked at."""
        exchange = self._exchange
        if exchange is None or self._complete:
            return
        well = _OK <= exchange.status < _MULTIPLE
        if well and exchange.events is not None:
            exchange.events.feed(piece)
            if not exchange.events.has_data:
                return
        if not exchange.first:
            exchange.first = time.monotonic()
        if not well:
            exchange.keep(piece)

    def on_message_complete(self) -> None:
        """Note the end; what is announced before an answer (100, 103) is none."""
        if self._exchange is None or self._complete or self._exchange.status < _OK:
            return
        self._complete = True
        self.is_open = self.is_open and self._parser.should_keep_alive()

    # -----------------------------------------------------------------------------------------

    def _finish(self, exchange: Exchange) -> None:
        if not _OK <= exchange.status < _MULTIPLE:
            text = exchange.kept.decode(errors="replace")
            self._fail(exchange, Failure(kind="status", status=exchange.status, example=text))
        elif exchange.events is not None and exchange.events.failure is not None:
            self._fail(exchange, exchange.events.failure)
        else:
            self._settle(exchange)

    def _fail(self, exchange: Exchange, failure: Failure) -> None:
        exchange.failure = failure
        self._settle(exchange)

    def _settle(self, exchange: Exchange) -> None:
        self._exchange = exchange.connection = None
        exchange.ended, exchange.done = time.monotonic(), True
        self._owner.settled(self, exchange)


def _cut_off(exchange: Exchange, exc: Exception | None) -> Failure:
    part = "in the middle of an answer" if exchange.received else "instead of answering"
    reason = f" ({type(exc).__name__})" if exc else ""
    return Failure(
        kind="closed", status=exchange.status, detail=f"the server hung up {part}{reason}"
    )
