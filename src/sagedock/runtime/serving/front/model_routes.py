"""The contract of multi-model containers over HTTP: models that are loaded, invoked, unloaded."""

import json
import time
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote

from sagedock.contract import routes
from sagedock.runtime.serving.front.conversations import refuse
from sagedock.runtime.serving.front.invocation import Invocations, Receive, Scope, Send
from sagedock.runtime.serving.front.metrics import CONTENT_TYPE, METRICS_PATH, Metrics
from sagedock.runtime.serving.pool.frames import pack_headers
from sagedock.runtime.serving.pool.pool import Pool
from sagedock.runtime.serving.pool.refusals import CLOSING, refusal
from sagedock.runtime.serving.pool.work import Answer
from sagedock.runtime.serving.worker.refused import public

__all__ = ["ModelRoutes", "Models", "NotLoaded"]

_MODELS = routes.MODELS.path
_INVOKE = "invoke"
_JSON = pack_headers([(b"content-type", b"application/json")])
_NO_STREAMS = refusal(404, "a multi-model server takes no bidirectional streams")
_PAGE = 100
_LARGEST_ORDER = 1 << 16


class NotLoaded(Exception):
    """A model that cannot be loaded, or is not; ``status`` is what the platform expects."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Models(Protocol):
    """The models, as the routes see them."""

    @property
    def urls(self) -> Mapping[str, str]:
        """The loaded models: name to folder."""

    @property
    def pools(self) -> Mapping[str, Pool]:
        """The loaded models' pools."""

    def pool(self, name: str) -> Pool | None:
        """Return a loaded model's pool."""

    async def load(self, name: str, url: str) -> None:
        """Load a model. Raises NotLoaded."""

    async def unload(self, name: str) -> None:
        """Unload a model. Raises NotLoaded."""


class ModelRoutes:
    """An ASGI application before many models."""

    def __init__(self, *, models: Models, invocations: Invocations, metrics: Metrics) -> None:
        self._models = models
        self._metrics = metrics
        self._invocations = invocations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "websocket":
            await receive()
            await refuse(send, _NO_STREAMS)
            return
        name, verb = _named(scope)
        pool = self._models.pool(name) if verb == _INVOKE else None
        if pool is not None and scope["method"] == "POST":
            await self._invocations.serve(pool, scope["path"], scope, receive, send)
            return
        began = time.monotonic()
        answer = await self._answer(scope, receive, name, verb)
        await self._invocations.whole(send, answer)
        if scope["path"] != routes.PING.path:
            self._invocations.note(scope, answer, time.monotonic() - began)

    async def _answer(self, scope: Scope, receive: Receive, name: str, verb: str) -> Answer:
        try:
            match scope["method"], scope["path"], name, verb:
                case "GET" | "HEAD", routes.PING.path, _, _:
                    return CLOSING if self._invocations.draining else Answer(200, b"")
                case "GET", "/metrics", _, _:
                    headers = pack_headers([(b"content-type", CONTENT_TYPE)])
                    return Answer(200, headers, self._metrics.text(self._models.pools).encode())
                case "POST", routes.MODELS.path, _, _:
                    return await self._load(receive)
                case "GET", routes.MODELS.path, _, _:
                    return self._list(scope["query_string"])
                case "GET", _, name, "" if name:
                    return self._describe(name)
                case "DELETE", _, name, "" if name:
                    await self._models.unload(name)
                    return _told({"status": f"model {name} is unloaded"})
        except NotLoaded as error:
            return refusal(error.status, public(str(error)))
        return self._nothing_here(scope, name, verb)

    def _nothing_here(self, scope: Scope, name: str, verb: str) -> Answer:
        if verb == _INVOKE and scope["method"] == "POST":
            return refusal(404, f"model {name} is not loaded")
        known = scope["path"] in (_MODELS, routes.PING.path, METRICS_PATH) or name
        what = f"{scope['method']} {scope['path']}"
        return refusal(405 if known else 404, f"{what} is nothing that a multi-model server does")

    async def _load(self, receive: Receive) -> Answer:
        order = await _order(receive)
        name, url = order.get("model_name"), order.get("url")
        if not (isinstance(name, str) and name and isinstance(url, str) and url):
            return refusal(400, "send JSON with model_name and url, both strings")
        await self._models.load(name, url)
        return _told({"status": f"model {name} is loaded"})

    def _list(self, query: bytes) -> Answer:
        asked = {name: values[0] for name, values in parse_qs(query.decode("latin-1")).items()}
        token = asked.get("next_page_token") or asked.get("nextPageToken") or "0"
        limit = asked.get("limit") or str(_PAGE)
        if not (token.isdecimal() and limit.isdecimal() and int(limit)):
            return refusal(400, "next_page_token and limit are whole numbers")
        first, end = int(token), int(token) + int(limit)
        rows = [_row(name, url) for name, url in self._models.urls.items()]
        more = {"nextPageToken": str(end)} if end < len(rows) else {}
        return _told({"models": rows[first:end], **more})

    def _describe(self, name: str) -> Answer:
        url = self._models.urls.get(name)
        return _told(_row(name, url)) if url else refusal(404, f"model {name} is not loaded")


def _named(scope: Scope) -> tuple[str, str]:
    """Return the model's name and what comes after it: ``/models/NAME/invoke``."""
    head, _, rest = scope["raw_path"].decode("latin-1").removeprefix("/").partition("/")
    if f"/{head}" != _MODELS:
        return "", ""
    name, _, verb = rest.partition("/")
    return unquote(name), verb


async def _order(receive: Receive) -> dict[str, Any]:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body") or len(body) > _LARGEST_ORDER:
            break
    try:
        order = json.loads(body)
    except ValueError:
        return {}
    return order if isinstance(order, dict) else {}


def _row(name: str, url: str) -> dict[str, str]:
    return {"modelName": name, "modelUrl": url}


def _told(content: dict[str, Any]) -> Answer:
    return Answer(200, _JSON, json.dumps(content).encode())
