"""The serving contract of one model over HTTP: an ASGI application before the pool."""

import json
import time
from collections.abc import Callable

from sagedock.contract import limits, routes
from sagedock.runtime.serving.front.conversations import Conversations
from sagedock.runtime.serving.front.invocation import (
    Invocations,
    Receive,
    Scope,
    Send,
    Shorts,
)
from sagedock.runtime.serving.front.metrics import CONTENT_TYPE, METRICS_PATH, Metrics
from sagedock.runtime.serving.options import Options
from sagedock.runtime.serving.pool.frames import pack_headers
from sagedock.runtime.serving.pool.pool import Pool
from sagedock.runtime.serving.pool.refusals import refusal
from sagedock.runtime.serving.pool.work import Answer

__all__ = ["Application"]

_INVOCATIONS, _PING = routes.INVOCATIONS.path, routes.PING.path
_JSON = [(b"content-type", b"application/json")]


class Application:
    """Answers /ping, /invocations, /execution-parameters, /metrics, and bidirectional streams."""

    def __init__(
        self, *, pool: Pool, options: Options, invocations: Invocations, metrics: Metrics
    ) -> None:
        self._pool = pool
        self._options = options
        self._metrics = metrics
        self._invocations = invocations
        self.shorts = Shorts(pool, invocations)
        self.conversations = Conversations(pool=pool, most=options.streams, invocations=invocations)
        self._others: dict[tuple[str, str], Callable[[], Answer]] = {
            (routes.PING.method, _PING): self._ping,
            ("GET", METRICS_PATH): self._tell_metrics,
            (routes.EXECUTION_PARAMETERS.method, routes.EXECUTION_PARAMETERS.path): self._execution,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["path"] == _INVOCATIONS and scope.get("method") == "POST":
            await self._invocations.serve(self._pool, _INVOCATIONS, scope, receive, send)
            return
        if scope["type"] == "websocket":
            await self.conversations.serve(scope, receive, send)
            return
        began = time.monotonic()
        method, path = scope["method"], scope["path"]
        answer = self._other("GET" if method == "HEAD" else method, path)
        await self._invocations.whole(send, answer)
        if path != _PING or answer.status != 200:
            self._invocations.note(scope, answer, time.monotonic() - began)

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
        if self._pool.healthy and not self._invocations.draining:
            return Answer(200, b"")
        workers = f"{self._pool.ready} of {self._options.workers} workers can serve"
        return refusal(503, "the server is stopping" if self._invocations.draining else workers)

    def _tell_metrics(self) -> Answer:
        headers = pack_headers([(b"content-type", CONTENT_TYPE)])
        return Answer(200, headers, self._metrics.text({"": self._pool}).encode())

    def _execution(self) -> Answer:
        options = self._options
        most = int(limits.BATCH_PAYLOAD_MB) // options.max_payload_mb
        parameters = {
            "MaxConcurrentTransforms": max(1, min(options.transforms or options.workers, most)),
            "BatchStrategy": "MULTI_RECORD" if options.several_records else "SINGLE_RECORD",
            "MaxPayloadInMB": options.max_payload_mb,
        }
        return Answer(200, pack_headers(_JSON), json.dumps(parameters).encode())
