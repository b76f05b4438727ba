"""One invocation: its body in, its answer out, and a client that may leave meanwhile."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, NamedTuple

from sagedock.contract import routes
from sagedock.runtime.serving.front.access_log import AccessLog
from sagedock.runtime.serving.front.metrics import Metrics
from sagedock.runtime.serving.pool.frames import Header, pack_headers, unpack_headers
from sagedock.runtime.serving.pool.pool import Full, Pool
from sagedock.runtime.serving.pool.refusals import BUSY, refusal
from sagedock.runtime.serving.pool.work import Answer, CutShort, Pieces, Work

__all__ = ["CLIENT_LEFT", "CUT_SHORT", "Invocations", "Left", "Receive", "Scope", "Send", "Shorts"]

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_BYTES_PER_MB = 1024 * 1024
_CLOSE = (b"connection", b"close")
#: A request that takes longer is watched for a client that leaves.
_WATCH_AFTER_S = 0.1
#: The status, for the log, of a request whose client went before its answer.
CLIENT_LEFT = 499
#: That of a stream that ended before its end.
CUT_SHORT = 599


class Left(Exception):
    """The client has gone."""


@dataclass(slots=True, eq=False, kw_only=True)
class _Call:
    """One invocation: what the log says of it, and who looks whether its client stays."""

    receive: Receive
    began: float
    received: int = 0
    sent: int = 0
    id: int = 0
    left: bool = False
    watcher: "asyncio.Task[None] | None" = None


class Invocations:
    """Lets pools answer what comes over HTTP, and writes down how that went."""

    def __init__(self, *, max_payload_mb: int, log: AccessLog, metrics: Metrics) -> None:
        self._max_payload_mb = max_payload_mb
        self._max_payload_bytes = max_payload_mb * _BYTES_PER_MB
        self._log = log
        self._metrics = metrics
        self._awaited: dict[_Call, tuple[Pool, Work]] = {}
        #: Set when the server stops: connections end with their next answer.
        self.draining = False

    async def serve(
        self, pool: Pool, path: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Let ``pool`` answer one request. ``path`` is what the log calls it."""
        call = _Call(receive=receive, began=time.monotonic())
        try:
            answer = await self._answer(pool, call, scope["headers"])
            status = answer.status
            if answer.pieces is None:
                call.sent = len(answer.body)
                await self.whole(send, answer)
            else:
                status = await self._streamed(call, send, answer.pieces, answer)
        except Left:
            status = CLIENT_LEFT
        self._end(call, path, status)

    async def go_on(
        self,
        pool: Pool,
        work: Work,
        answer: Answer,
        pieces: Pieces,
        *,
        receive: Receive,
        send: Send,
        began: float,
    ) -> None:
        """Send the pieces of an answer to a request that came in otherwise than by ``serve``."""
        call = _Call(receive=receive, began=began, received=len(work.body), id=work.id)
        call.watcher = asyncio.create_task(self._watch(pool, call, work))
        try:
            status = await self._streamed(call, send, pieces, answer)
        except Left:
            status = CLIENT_LEFT
        self._end(call, routes.INVOCATIONS.path, status)

    def _end(self, call: _Call, path: str, status: int) -> None:
        took = time.monotonic() - call.began
        self.count(path, status, call.received, call.sent, took, call.id)
        if status == CUT_SHORT:
            raise CutShort  # the server ends the connection without the last chunk

    async def _answer(self, pool: Pool, call: _Call, headers: list[Header]) -> Answer:
        """Return the answer, a refusal included. Raises Left where the client goes first."""
        length = _length(headers)
        if length > self._max_payload_bytes:
            return self._too_large()
        try:
            pool.enter(length)
        except Full:
            return BUSY
        with ExitStack() as undo:
            undo.callback(pool.leave)
            body = await self._body(call)
            if body is None:
                return self._too_large()
            undo.pop_all()
        work = pool.submit(pack_headers(headers), body)
        call.id = work.id
        return await self._await(pool, call, work)

    def _too_large(self) -> Answer:
        return refusal(413, f"the body is larger than {self._max_payload_mb} MB")

    async def _body(self, call: _Call) -> bytes | None:
        """Return the whole body; None where it is larger than may be."""
        message = await call.receive()
        pieces: list[bytes] = []
        while True:
            if message["type"] == "http.disconnect":
                raise Left
            piece = message.get("body", b"")
            call.received += len(piece)
            if call.received > self._max_payload_bytes:
                return None
            if not message.get("more_body"):
                return b"".join([*pieces, piece]) if pieces else piece
            pieces.append(piece)
            message = await call.receive()

    async def _await(self, pool: Pool, call: _Call, work: Work) -> Answer:
        self._awaited[call] = pool, work
        try:
            answer = await work.answer
        except asyncio.CancelledError:
            pool.abandon(work)
            if not call.left:  # the server itself is being ended
                raise
            raise Left from None
        finally:
            del self._awaited[call]
        if answer.pieces is not None and call.watcher is None:
            call.watcher = asyncio.create_task(self._watch(pool, call, work))
        return answer

    def count(
        self, path: str, status: int, received: int, sent: int, took_s: float, id_: int
    ) -> None:
        """Write down how an invocation went: see ``AccessLog.add``."""
        self._metrics.add(status, received, sent, took_s)
        self._log.add("POST", path, status, received, sent, took_s, id_)

    def note(self, scope: Scope, answer: Answer, took_s: float) -> None:
        """Write down a request that was answered at once."""
        sent = len(answer.body)
        self._log.add(scope["method"], scope["path"], answer.status, 0, sent, took_s, 0)

    def note_stream(
        self, path: str, status: int, received: int, sent: int, took_s: float, number: int
    ) -> None:
        """Write down a bidirectional stream that has ended, or was refused."""
        method = routes.BIDIRECTIONAL_STREAM.method
        self._log.add(method, path, status, received, sent, took_s, number)

    def watch(self) -> None:
        """Look from now on whether the clients of slow requests leave. Call it now and then.

        Most requests end sooner: they are spared a task of their own.
        """
        late = time.monotonic() - _WATCH_AFTER_S
        for call, (pool, work) in self._awaited.items():
            if call.began > late:
                break
            if call.watcher is None:
                call.watcher = asyncio.create_task(self._watch(pool, call, work))

    async def _watch(self, pool: Pool, call: _Call, work: Work) -> None:
        while (await call.receive())["type"] != "http.disconnect":
            pass
        call.left = True
        pool.abandon(work)

    async def _streamed(self, call: _Call, send: Send, pieces: Pieces, answer: Answer) -> int:
        """Send a streamed answer; return the status for the log. Raises Left."""
        await send(self._start(answer.status, unpack_headers(answer.headers)))
        try:
            async for piece in pieces:
                call.sent += len(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        except CutShort:
            if call.left:
                raise Left from None
            return CUT_SHORT
        await send({"type": "http.response.body", "body": b""})
        return answer.status

    async def whole(self, send: Send, answer: Answer) -> None:
        """Send an answer that is all there."""
        headers = unpack_headers(answer.headers)
        headers.append((b"content-length", b"%d" % len(answer.body)))
        await send(self._start(answer.status, headers))
        await send({"type": "http.response.body", "body": answer.body})

    def _start(self, status: int, headers: list[Header]) -> dict[str, Any]:
        if self.draining:
            headers.append(_CLOSE)
        return {"type": "http.response.start", "status": status, "headers": headers}


class Shorts(NamedTuple):
    """Where short invocations go: see ``front.short``."""

    pool: Pool
    invocations: Invocations


def _length(headers: list[Header]) -> int:
    for name, value in headers:
        if name == b"content-length":
            return int(value)
    return 0
