"""The serving contract over HTTP: an ASGI application before the pool."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sagedock.contract import limits, routes
from sagedock.runtime.serving.front.access_log import AccessLog
from sagedock.runtime.serving.front.metrics import CONTENT_TYPE, METRICS_PATH, Metrics
from sagedock.runtime.serving.options import Options
from sagedock.runtime.serving.pool.frames import Header, pack_headers, unpack_headers
from sagedock.runtime.serving.pool.pool import Full, Pool
from sagedock.runtime.serving.pool.refusals import BUSY, refusal
from sagedock.runtime.serving.pool.work import Answer, CutShort, Pieces, Work

__all__ = ["Application"]

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_INVOCATIONS, _PING = routes.INVOCATIONS.path, routes.PING.path
_CLOSE = (b"connection", b"close")
_JSON = [(b"content-type", b"application/json")]
#: A request that takes longer is watched for a client that leaves.
_WATCH_AFTER_S = 0.1
_CLIENT_LEFT = 499
_CUT_SHORT = 599


class _Left(Exception):
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


class Application:
    """Answers /ping, /invocations, /execution-parameters and /metrics."""

    def __init__(self, *, pool: Pool, options: Options, log: AccessLog, metrics: Metrics) -> None:
        self._pool = pool
        self._options = options
        self._log = log
        self._metrics = metrics
        self._awaited: dict[int, tuple[_Call, Work]] = {}
        #: Set when the server stops: connections end with their next answer.
        self.draining = False
        self._others: dict[tuple[str, str], Callable[[], Answer]] = {
            (routes.PING.method, _PING): self._ping,
            ("GET", METRICS_PATH): self._tell_metrics,
            (routes.EXECUTION_PARAMETERS.method, routes.EXECUTION_PARAMETERS.path): self._execution,
        }

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["path"] == _INVOCATIONS and scope["method"] == "POST":
            await self._invoke(scope, receive, send)
            return
        began = time.monotonic()
        method, path = scope["method"], scope["path"]
        answer = self._other("GET" if method == "HEAD" else method, path)
        await self._whole(send, answer)
        if path != _PING or answer.status != 200:
            took = time.monotonic() - began
            self._log.add(method, path, answer.status, 0, len(answer.body), took, 0)

    # --- what is answered at once ----------------------------------------------------------------

    def _other(self, method: str, path: str) -> Answer:
        if answer := self._others.get((method, path)):
            return answer()
        allowed = sorted(m for m, known in self._others if known == path)
        if path == _INVOCATIONS:
            allowed = [routes.INVOCATIONS.method]
        if allowed:
            allow = (b"allow", ", ".join(allowed).encode())
            return refusal(405, f"{path} takes {', '.join(allowed)} only", allow)
        return refusal(404, f"nothing is served here: use {_INVOCATIONS} or {_PING}")

    def _ping(self) -> Answer:
        if self._pool.healthy and not self.draining:
            return Answer(200, b"")
        workers = f"{self._pool.ready} of {self._options.workers} workers can serve"
        return refusal(503, "the server is stopping" if self.draining else workers)

    def _tell_metrics(self) -> Answer:
        headers = pack_headers([(b"content-type", CONTENT_TYPE)])
        return Answer(200, headers, self._metrics.text(self._pool).encode())

    def _execution(self) -> Answer:
        options = self._options
        most = int(limits.BATCH_PAYLOAD_MB) // options.max_payload_mb
        parameters = {
            "MaxConcurrentTransforms": max(1, min(options.transforms or options.workers, most)),
            "BatchStrategy": "MULTI_RECORD" if options.several_records else "SINGLE_RECORD",
            "MaxPayloadInMB": options.max_payload_mb,
        }
        return Answer(200, pack_headers(_JSON), json.dumps(parameters).encode())

    # --- invocations -----------------------------------------------------------------------------

    async def _invoke(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        call = _Call(receive=receive, began=time.monotonic())
        try:
            answer = await self._answer(call, scope["headers"])
            status = answer.status
            if answer.pieces is None:
                call.sent = len(answer.body)
                await self._whole(send, answer)
            else:
                status = await self._streamed(call, send, answer.pieces, answer)
        except _Left:
            status = _CLIENT_LEFT
        took = time.monotonic() - call.began
        self._metrics.add(status, call.received, call.sent, took)
        self._log.add("POST", _INVOCATIONS, status, call.received, call.sent, took, call.id)
        if status == _CUT_SHORT:
            raise CutShort  # the server ends the connection without the last chunk

    async def _answer(self, call: _Call, headers: list[tuple[bytes, bytes]]) -> Answer:
        """Return the answer, a refusal included. Raises _Left where the client goes first."""
        length = _length(headers)
        if length > self._options.max_payload_bytes:
            return self._too_large()
        try:
            self._pool.enter(length)
        except Full:
            return BUSY
        try:
            body = await self._body(call)
        except BaseException:
            self._pool.leave()
            raise
        if body is None:
            self._pool.leave()
            return self._too_large()
        work = self._pool.submit(pack_headers(headers), body)
        call.id = work.id
        return await self._await(call, work)

    def _too_large(self) -> Answer:
        return refusal(413, f"the body is larger than {self._options.max_payload_mb} MB")

    async def _body(self, call: _Call) -> bytes | None:
        """Return the whole body; None where it is larger than may be."""
        message = await call.receive()
        pieces: list[bytes] = []
        while True:
            if message["type"] == "http.disconnect":
                raise _Left
            piece = message.get("body", b"")
            call.received += len(piece)
            if call.received > self._options.max_payload_bytes:
                return None
            if not message.get("more_body"):
                return b"".join([*pieces, piece]) if pieces else piece
            pieces.append(piece)
            message = await call.receive()

    async def _await(self, call: _Call, work: Work) -> Answer:
        self._awaited[work.id] = call, work
        try:
            answer = await work.answer
        except asyncio.CancelledError:
            self._pool.abandon(work)
            if not call.left:  # the server itself is being ended
                raise
            raise _Left from None
        finally:
            del self._awaited[work.id]
        if answer.pieces is not None and call.watcher is None:
            call.watcher = asyncio.create_task(self._watch(call, work))
        return answer

    def watch(self) -> None:
        """Look from now on whether the clients of slow requests leave. Call it now and then.

        Most requests end sooner: they are spared a task of their own.
        """
        late = time.monotonic() - _WATCH_AFTER_S
        for call, work in self._awaited.values():
            if call.began > late:
                break
            if call.watcher is None:
                call.watcher = asyncio.create_task(self._watch(call, work))

    async def _watch(self, call: _Call, work: Work) -> None:
        while (await call.receive())["type"] != "http.disconnect":
            pass
        call.left = True
        self._pool.abandon(work)

    async def _streamed(self, call: _Call, send: Send, pieces: Pieces, answer: Answer) -> int:
        """Send a streamed answer; return the status for the log. Raises _Left."""
        await send(self._start(answer.status, unpack_headers(answer.headers)))
        try:
            async for piece in pieces:
                call.sent += len(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        except CutShort:
            if call.left:
                raise _Left from None
            return _CUT_SHORT
        await send({"type": "http.response.body", "body": b""})
        return answer.status

    async def _whole(self, send: Send, answer: Answer) -> None:
        headers = unpack_headers(answer.headers)
        headers.append((b"content-length", b"%d" % len(answer.body)))
        await send(self._start(answer.status, headers))
        await send({"type": "http.response.body", "body": answer.body})

    def _start(self, status: int, headers: list[Header]) -> dict[str, Any]:
        if self.draining:
            headers.append(_CLOSE)
        return {"type": "http.response.start", "status": status, "headers": headers}


def _length(headers: list[tuple[bytes, bytes]]) -> int:
    for name, value in headers:
        if name == b"content-length":
            return int(value)
    return 0
