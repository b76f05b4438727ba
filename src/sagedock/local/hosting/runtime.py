"""sagemaker-runtime: InvokeEndpoint, InvokeEndpointWithResponseStream and InvokeEndpointAsync, on
the event loop.

What every request does is kept short: no thread, no store, no checking of what cannot be wrong.
"""

import asyncio
import json
import logging
import re
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from time import perf_counter
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from sagedock import api
from sagedock.api import runtime_messages as words
from sagedock.contract import limits
from sagedock.local.hosting.asynchronous import AsyncInference, accepted, answer_headers
from sagedock.local.hosting.calls import TimedOut, Unreachable
from sagedock.local.hosting.capture import Captured, Capturer
from sagedock.local.hosting.choosing import Choice
from sagedock.local.hosting.components.choosing import CopyChoice
from sagedock.local.hosting.connection import Answer, Broken
from sagedock.local.hosting.loaded_models import NotLoaded
from sagedock.local.hosting.passing import Asked, Headers, returned
from sagedock.local.hosting.publishing import Publisher
from sagedock.local.hosting.routes import Backend, Picked, Routes, Serving
from sagedock.local.hosting.sessions import Sessions
from sagedock.local.hosting.several import Errand, Reached, reach
from sagedock.local.hosting.shadowing import Shadows
from sagedock.local.hosting.streaming import pieces, stream
from sagedock.local.refusal import Refused

__all__ = ["Runtime", "is_invocation"]

_log = logging.getLogger(__name__)

_SERVICE = "sagemaker-runtime"
_PREFIX = "/endpoints/"
_PATH = re.compile(r"/endpoints/(?P<endpoint>[^/]+)/(?P<what>[a-z-]+)")
_OPERATIONS = {
    "invocations": "InvokeEndpoint",
    "invocations-response-stream": "InvokeEndpointWithResponseStream",
    "async-invocations": "InvokeEndpointAsync",
}
_SIGNED = re.compile(rb"Credential=[^/,\s]+/\d{8}/(?P<region>[a-z0-9-]+)/sagemaker/")
_MOST_BYTES = int(limits.INVOCATION_PAYLOAD_MB) * 1024 * 1024
_MOST_SERVERLESS_BYTES = int(limits.SERVERLESS_PAYLOAD_MB) * 1024 * 1024
#: From here on a container's answer is an error.
_ERROR = 400
_NO_OPERATION = (
    "The local SageMaker has no such operation. InvokeEndpointWithBidirectionalStream runs on AWS "
    "alone, over HTTP/2: try a container's WebSocket with `sagedock serve`."
)


def is_invocation(scope: Scope) -> bool:
    """Say whether this is a call of sagemaker-runtime.

    An object of a bucket called "endpoints" may have the same path: its calls are S3's, by their
    signature or by their query.
    """
    if not scope["path"].startswith(_PREFIX) or scope["method"] != "POST":
        return False
    signature = _header(scope, b"authorization")
    if signature is None:
        return not scope["query_string"] and _PATH.fullmatch(scope["path"]) is not None
    return _SIGNED.search(signature) is not None


class _Gone(Exception):
    """The client hung up."""


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """An ASGI application. ``copies`` has the routes of inference components. ``timeout_s`` is how
    long a container may take to answer, ``stream_s`` how long a whole stream may take.
    """

    routes: Routes
    copies: Routes
    asynchronous: AsyncInference
    publisher: Publisher
    capturer: Capturer
    default_region: str
    account: str
    timeout_s: float
    stream_s: float
    #: Returns the refusal of a call that is to be refused on request, or None.
    refuses: Callable[[Asked], api.ServiceError | None] = lambda _: None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        begun = perf_counter()
        request_id = str(uuid.uuid4())
        try:
            asked, body = self._asked(scope, request_id), await _body(receive)
            self._refuse_on_request(asked)
            if asked.operation == "InvokeEndpointAsync":
                await self._accept(asked, body, send)
                return
            self._refuse_what_cannot_be(asked, body)
            errand = Errand(
                asked=asked,
                body=body or b"",
                timeout_s=self.timeout_s,
                most_bytes=_MOST_BYTES,
                awake=self.publisher.awake,
            )
            if asked.operation == "InvokeEndpoint":
                await self._invoke(errand, send, begun)
            else:
                await self._stream(replace(errand, most_bytes=None), receive, send, begun)
        except Refused as refused:
            await _refuse(send, refused.error, request_id)
        except _Gone:
            return
        except Exception:  # noqa: BLE001 - no caller may ever see a traceback or HTML
            _log.exception("%s broke", scope["path"])
            await _refuse(send, api.messages.internal_failure(), request_id)

    def _asked(self, scope: Scope, request_id: str) -> Asked:
        found = _PATH.fullmatch(scope["path"])
        signed = _SIGNED.search(_header(scope, b"authorization") or b"")
        return Asked.of(
            scope["headers"],
            operation=_OPERATIONS.get(found["what"], "") if found else "",
            endpoint=found["endpoint"] if found else "",
            region=signed["region"].decode() if signed else self.default_region,
            request_id=request_id,
        )

    def _refuse_on_request(self, asked: Asked) -> None:
        if refusal := self.refuses(asked):
            raise Refused(refusal)

    def _refuse_what_cannot_be(self, asked: Asked, body: bytes | None) -> None:
        if not asked.operation:
            raise Refused(words.bad_request(_NO_OPERATION))
        if problems := asked.problems():
            error = api.validation_error(_SERVICE, problems)
            raise Refused(words.bad_request(str(error.message)))
        if body is None:
            raise Refused(words.oversize_body(asked.request_id))
        route = self.routes.find(asked.region, asked.endpoint)
        if route is not None and route.asynchronous is not None:
            raise Refused(words.asynchronous_only(asked.endpoint))
        if route is not None and route.serverless is not None:
            _refuse_of_serverless(asked, body)
        if names := asked.not_here():
            text = f"The local SageMaker cannot follow: {', '.join(names)}. Leave it out locally."
            raise Refused(words.bad_request(text))

    async def _accept(self, asked: Asked, body: bytes | None, send: Send) -> None:
        """Answer InvokeEndpointAsync: the request waits in the store."""
        route = self.routes.find(asked.region, asked.endpoint)
        if route is None:
            raise Refused(words.endpoint_not_found(asked.endpoint, self.account))
        if route.asynchronous is None:
            raise Refused(words.not_asynchronous(asked.endpoint))
        if body is None:
            raise Refused(words.oversize_body(asked.request_id))
        request = accepted(asked, body, route.asynchronous)
        await run_in_threadpool(self.asynchronous.accept, request)
        answer = json.dumps({"InferenceId": request.inference_id}).encode()
        headers = [
            (b"x-amzn-requestid", asked.request_id.encode()),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(answer)).encode()),
            *answer_headers(request),
        ]
        await _send(send, 202, headers, answer)

    async def _invoke(self, errand: Errand, send: Send, begun: float) -> None:
        asked = errand.asked
        picked, reached, model_s = await self._called(errand)
        answer = reached.answer
        if picked.variant.pool is not None and answer.size > _MOST_SERVERLESS_BYTES:
            answer.complete = False  # it is larger than it may be
        picked.backend.leave()
        reached.connection.release()
        self._count(picked, answer.status, model_s, perf_counter() - begun - model_s)
        if not answer.complete:
            raise Refused(words.model_broke(self._invoked(asked, reached.container)))
        if answer.status >= _ERROR:
            raise Refused(self._model_error(asked, answer.status, answer.body, reached.container))
        self.sessions.learn(asked, answer, picked.backend)
        headers = returned(answer, asked, picked.variant.name)
        await _send(send, 200, headers, answer.body)
        self._capture(errand, answer, picked.variant)

    async def _stream(self, errand: Errand, receive: Receive, send: Send, begun: float) -> None:
        asked = errand.asked
        picked, reached, head_s = await self._called(errand)
        answer, connection = reached.answer, reached.connection
        overhead_s = perf_counter() - begun - head_s
        try:
            if answer.status >= _ERROR:
                raise Refused(await self._error_of_stream(asked, reached))
            head = returned(answer, asked, picked.variant.name, streamed=True)
            await send({"type": "http.response.start", "status": 200, "headers": head})
            await stream(answer, connection, receive, send, self.stream_s)
        finally:
            picked.backend.leave()
            connection.release()
            status = 0 if answer.failed else answer.status
            self._count(picked, status, perf_counter() - begun - overhead_s, overhead_s)

    async def _error_of_stream(self, asked: Asked, reached: Reached) -> api.ServiceError:
        answer, connection = reached.answer, reached.connection
        try:
            async with asyncio.timeout(self.timeout_s):
                body = b"".join([piece async for piece in pieces(answer, connection)])
        except TimeoutError:
            return words.model_broke(self._invoked(asked, reached.container))
        return self._model_error(asked, answer.status, body, reached.container)

    async def _called(self, errand: Errand) -> tuple[Picked, Reached, float]:
        """Return what an instance answers, and how long it took. It is in flight still.

        One that cannot be reached is passed over for the next.
        """
        failed: list[Backend] = []
        while True:
            picked = await self.choice.pick(errand.asked, failed)
            begun = perf_counter()
            with ExitStack() as undo:
                undo.callback(picked.backend.leave)
                if picked.shadows and not failed:
                    self.shadows.copy(picked, replace(errand, most_bytes=_MOST_BYTES))
                try:
                    reached = await reach(picked.backend, errand)
                except Unreachable:
                    failed.append(picked.backend)
                    continue
                except (Broken, TimedOut, NotLoaded) as error:
                    if isinstance(error, Broken):
                        picked.backend.broke()
                    status = error.status if isinstance(error, NotLoaded) else 0
                    self._count(picked, status, perf_counter() - begun, 0.0)
                    raise Refused(self._no_answer(errand.asked, error)) from error
                undo.pop_all()
                return picked, reached, perf_counter() - begun - reached.waited_s

    def _count(self, picked: Picked, status: int, model_s: float, overhead_s: float) -> None:
        variant = picked.variant
        variant.tally.add(status, model_s, overhead_s, variant.instances)
        self.publisher.awake(variant.tally)

    def _no_answer(self, asked: Asked, error: Broken | TimedOut | NotLoaded) -> api.ServiceError:
        invoked = self._invoked(asked, error.container)
        match error:
            case TimedOut():
                return words.model_timed_out(invoked)
            case NotLoaded():
                return self._model_error(asked, error.status, error.body, error.container)
            case _:
                return words.model_broke(invoked)

    def _model_error(
        self, asked: Asked, status: int, body: bytes, container: str
    ) -> api.ServiceError:
        text = body.decode("utf-8", errors="replace")
        return words.model_error(self._invoked(asked, container), status, text)

    def _invoked(self, asked: Asked, container: str) -> words.Invoked:
        return words.Invoked(
            region=asked.region,
            account=self.account,
            endpoint=asked.endpoint,
            container=container,
        )

    @cached_property
    def sessions(self) -> Sessions:
        """Which instance has which session."""
        return Sessions()

    @cached_property
    def choice(self) -> Choice:
        """What says where a request goes."""
        copies = CopyChoice(routes=self.copies, awake=self.publisher.awake)
        return Choice(
            routes=self.routes, copies=copies, sessions=self.sessions, account=self.account
        )

    @cached_property
    def shadows(self) -> Shadows:
        """What sends copies of requests."""
        return Shadows(
            routes=self.routes,
            count=lambda picked, status, model_s: self._count(picked, status, model_s, 0.0),
            capture=self._capture,
        )

    def _capture(self, errand: Errand, answer: Answer, variant: Serving) -> None:
        """Keep an invocation that was answered well, where its data is captured."""
        config, asked = variant.capture, errand.asked
        if config is None or not self.capturer.wants(config):
            return
        captured = Captured(
            config=config,
            endpoint=asked.endpoint,
            variant=variant.name,
            event=asked.request_id,
            inference=asked.members.get("InferenceId"),
            at=time.time(),
            sent=errand.body,
            sent_type=asked.headers.get(b"content-type", b"").decode("latin-1"),
            answered=answer.body,
            answered_type=(answer.header(b"content-type") or b"").decode("latin-1"),
        )
        self.capturer.take(captured)


def _refuse_of_serverless(asked: Asked, body: bytes) -> None:
    if len(body) > _MOST_SERVERLESS_BYTES:
        raise Refused(words.oversize_body(asked.request_id))
    if asked.operation != "InvokeEndpoint":
        raise Refused(words.no_stream(asked.endpoint))


def _header(scope: Scope, name: bytes) -> bytes | None:
    value: bytes | None = next((value for key, value in scope["headers"] if key == name), None)
    return value


async def _body(receive: Receive) -> bytes | None:
    """Return the body, None for one that is too large: it is read to its end all the same, for
    clients send all of it before they read an answer.
    """
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        piece: bytes = message.get("body", b"")
        size += len(piece)
        if size <= _MOST_BYTES:
            pieces.append(piece)
        if not message.get("more_body", False):
            break
    if size > _MOST_BYTES:
        return None
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


async def _refuse(send: Send, error: api.ServiceError, request_id: str) -> None:
    details: dict[str, Any] = {"Message": error.message}
    if isinstance(error, words.Detailed):
        details |= error.details
    headers = [
        (b"content-type", b"application/json"),
        (b"x-amzn-requestid", request_id.encode()),
        (b"x-amzn-errortype", error.code.encode()),
    ]
    told = dict(sorted(details.items()))
    text = json.dumps(told, separators=(",", ":"), ensure_ascii=False)  # compact: row 80
    body = text.encode(errors="replace")
    headers.append((b"content-length", str(len(body)).encode()))
    await _send(send, error.http_status, headers, body)


async def _send(send: Send, status: int, headers: Headers, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
