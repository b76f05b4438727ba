"""Short invocations, without ASGI between the connection and the pool.

Most requests are small. For one that is whole after a read or two, a task, an event and half a
dozen messages would cost more than all else that the front does; here it costs a callback.
"""

import asyncio
import re
import time
from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from sagedock.contract import routes
from sagedock.runtime.serving.front.invocation import CLIENT_LEFT, Shorts
from sagedock.runtime.serving.pool.frames import pack_headers
from sagedock.runtime.serving.pool.pool import Full
from sagedock.runtime.serving.pool.refusals import BUSY, refusal
from sagedock.runtime.serving.pool.work import Answer, Pieces, Work

__all__ = ["ShortProtocol"]

_PATH = routes.INVOCATIONS.path
_URL, _METHOD = _PATH.encode(), routes.INVOCATIONS.method.encode()
_MOST_BYTES = 1 << 16
#: The most bytes of a request's head, and of what is beside its body: the parser knows no limit.
_MOST_BESIDE = 1 << 16
#: What no header may hold; NUL and a line's end keep them apart.
_UNFIT = re.compile(rb"[\x01-\x08\x0b-\x1f\x7f]")
_CLOSE = b"connection: close\r\n"


class _Unheard:
    """The event that uvicorn sets for a request's reader; nobody waits for it here."""

    def set(self) -> None:
        """Do nothing."""


_UNHEARD = _Unheard()


class _Short:
    """One short invocation, as uvicorn's protocol looks at what it has in work."""

    __slots__ = (
        *("began", "body", "disconnected", "headers", "keep_alive"),
        *("message_event", "response_complete", "shorts", "work"),
    )

    def __init__(
        self, shorts: Shorts, headers: list[tuple[bytes, bytes]], *, keep_alive: bool
    ) -> None:
        self.shorts = shorts
        self.began = time.monotonic()
        self.headers = headers
        self.keep_alive = keep_alive
        self.body = b""
        self.response_complete = False
        self.disconnected = False
        self.message_event = _UNHEARD
        self.work: Work | None = None


class ShortProtocol(HttpToolsProtocol):
    """uvicorn's protocol, for an application whose attribute ``shorts`` says where short
    invocations go.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._shorts: Shorts | None = getattr(self.app, "shorts", None)
        #: What is in work without ASGI.
        self._short: _Short | None = None
        self._length = 0
        #: How many bytes came since the last that could be of use.
        self._beside = 0

    def data_received(self, data: bytes) -> None:
        """Feed the parser, and refuse what never ends."""
        self._beside += len(data)
        super().data_received(data)
        if self._beside > _MOST_BESIDE and not self.transport.is_closing():
            self.send_400_response("A request's head, or what is beside its body, is too large.")

    # --- what the parser finds -------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Begin a request; its scope is made where it turns out to be needed."""
        self.url = b""
        self.expect_100_continue = False
        self.headers = []

    def on_headers_complete(self) -> None:
        """Take a request that may be short; leave others to ASGI."""
        self._beside = 0
        if self._shorts is not None and self._is_short():
            self._come_in(self._shorts)
            return
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += headers  # the scope's own list
        super().on_headers_complete()

    def _come_in(self, shorts: Shorts) -> None:
        """Take a place in the pool for a request whose body is to come."""
        stays, length = self.parser.should_keep_alive(), self._length
        short = _Short(shorts, self.headers, keep_alive=stays)
        uvicorns: Any = short
        self.cycle = uvicorns
        try:
            shorts.pool.enter(length)
        except Full:
            self._answer(short, BUSY)
        else:
            self._short = short

    def _is_short(self) -> bool:
        if self.url != _URL or self.expect_100_continue or self.parser.get_method() != _METHOD:
            return False
        if self.parser.get_http_version() != "1.1" or self.parser.should_upgrade():
            return False
        if self.cycle is not None and not self.cycle.response_complete:
            return False
        self._length = 0
        for name, value in self.headers:
            if name == b"content-length":
                self._length = int(value)
            elif name == b"transfer-encoding":
                return False
        return self._length <= _MOST_BYTES

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body: no more of it comes than its length says."""
        self._beside = 0
        short: Any = self.cycle
        if type(short) is _Short:
            short.body = short.body + body if short.body else body
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Let the pool have a request that is whole."""
        self._beside = 0
        short: Any = self.cycle
        if type(short) is _Short:
            if not short.response_complete:
                self._begin(short)
        else:
            super().on_message_complete()

    # --- what becomes of it ----------------------------------------------------------------------

    def _begin(self, short: _Short) -> None:
        work = short.shorts.pool.submit(pack_headers(short.headers), short.body)
        short.work = work
        work.answer.add_done_callback(partial(self._answered, short, work))

    def _answered(self, short: _Short, work: Work, answer: "asyncio.Future[Answer]") -> None:
        self._short = None
        if answer.cancelled() or short.disconnected:
            short.response_complete = True
            self._note(short, CLIENT_LEFT, 0)
        elif (pieces := answer.result().pieces) is None:
            self._answer(short, answer.result())
        else:
            self._stream(short, work, answer.result(), pieces)

    def _answer(self, short: _Short, answer: Answer) -> None:
        """Send an answer that is all there."""
        if _UNFIT.search(answer.headers):
            answer = refusal(500, "the model's answer has a header that cannot be sent")
        stays = short.keep_alive and not short.shorts.invocations.draining
        headers = answer.headers.replace(b"\0", b": ").replace(b"\n", b"\r\n")
        self.transport.write(
            b"%s%s%scontent-length: %d\r\n%s\r\n"
            % (
                STATUS_LINE[answer.status],
                headers,
                b"\r\n" if headers else b"",
                len(answer.body),
                b"" if stays else _CLOSE,
            )
        )
        if answer.body:
            self.transport.write(answer.body)
        short.response_complete = True
        self._note(short, answer.status, len(answer.body))
        if not stays:
            self.transport.close()
        self.on_response_complete()

    def _stream(self, short: _Short, work: Work, answer: Answer, pieces: Pieces) -> None:
        """Let ASGI send an answer that comes piece by piece."""
        cycle = RequestResponseCycle(
            scope={"type": "http", "method": "POST", "path": _PATH},  # type: ignore[typeddict-item]
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=short.keep_alive,
            on_response=self.on_response_complete,
        )
        cycle.more_body = False
        short.response_complete = True
        now: Any = self.cycle
        if now is short:
            self.cycle = cycle
        shorts = short.shorts

        async def send_pieces(_: Any, receive: Any, send: Any) -> None:
            await shorts.invocations.go_on(
                shorts.pool, work, answer, pieces, receive=receive, send=send, began=short.began
            )

        self._start_asgi_task(cycle, send_pieces)

    def _note(self, short: _Short, status: int, sent: int) -> None:
        id_ = short.work.id if short.work is not None else 0
        took = time.monotonic() - short.began
        short.shorts.invocations.count(_PATH, status, len(short.body), sent, took, id_)

    def connection_lost(self, exc: Exception | None) -> None:
        """Free the place of a client that left."""
        short, self._short = self._short, None
        if short is not None:
            short.disconnected = True
            if short.work is not None:
                short.shorts.pool.abandon(short.work)
            else:
                short.shorts.pool.leave()
                self._note(short, CLIENT_LEFT, 0)
        super().connection_lost(exc)
