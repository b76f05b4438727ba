"""The front: one address for every AWS service, by X-Amz-Target and by the signature's scope."""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from sagedock import api
from sagedock.local.autoscaling import is_about_sagemaker
from sagedock.local.body import replay, whole_body
from sagedock.local.caller import Caller, caller_of
from sagedock.local.cloudwatch import CloudWatch, OurAlarms, is_call
from sagedock.local.control import CONTROL_PATH
from sagedock.local.ecr import DATA_PATH, ECR, OF_THE_WHOLE_REGISTRY, Ecr
from sagedock.local.hosting import is_invocation
from sagedock.local.json_service import JsonService
from sagedock.local.lambdas import Lambdas
from sagedock.local.logs import GROUP_PREFIX
from sagedock.local.metrics import OPERATIONS as METRIC_OPERATIONS
from sagedock.local.roles import Roles
from sagedock.local.s3 import ObjectStore
from sagedock.local.trust import Trust

__all__ = ["Front"]

_log = logging.getLogger(__name__)

_SAGEMAKER = "SageMaker"
_LOGS = "Logs_20140328"


@dataclass
class Front:
    """An ASGI application. ``others`` makes moto's application, when it is first needed."""

    sagemaker: JsonService
    runtime: ASGIApp
    logs: JsonService
    cloudwatch: JsonService
    alarms: OurAlarms
    metrics: JsonService
    autoscaling: JsonService
    ecr: Ecr
    s3: ASGIApp
    others: Callable[[], ASGIApp]
    control: ASGIApp
    trust: Trust
    objects: ObjectStore
    default_region: str
    account: str
    _others: ASGIApp | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Route one request."""
        if scope["type"] == "lifespan":
            return await _lifespan(receive, send)
        if scope["type"] != "http":
            raise ValueError(f"unexpected ASGI scope {scope['type']!r}")
        if is_invocation(scope):
            return await self.runtime(scope, receive, send)
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        caller = caller_of(
            headers,
            scope["query_string"].decode("latin-1"),
            default_region=self.default_region,
            account=self.account,
        )
        application = await self._application(scope, headers, caller)
        return await application(scope, receive, send)

    async def _application(
        self, scope: Scope, headers: Mapping[str, str], caller: Caller
    ) -> ASGIApp:
        if is_call(caller.service, scope["path"], headers):
            return CloudWatch(self.cloudwatch, self._moto, caller, self.alarms)
        if caller.service == "sagemaker" and scope["path"].lstrip("/") in METRIC_OPERATIONS:
            return _Json(self.metrics, scope["path"].lstrip("/"), caller)
        service, _, operation = headers.get("x-amz-target", "").partition(".")
        if service == _SAGEMAKER or (caller.service == "sagemaker" and not service):
            return _Json(self.sagemaker, operation or scope["path"], caller)
        if service == _LOGS:
            ours = _Json(self.logs, operation, caller)
            if operation not in self.logs.operations:
                return await self._moto()
            return _OursOrTheirs(ours, await self._moto_later(), _is_of_our_groups)
        if service == api.target_prefix(api.scaling.AUTOSCALING):
            ours = _Json(self.autoscaling, operation, caller)
            return _OursOrTheirs(ours, await self._moto_later(), is_about_sagemaker)
        if service == api.target_prefix(ECR) and operation not in OF_THE_WHOLE_REGISTRY:
            return _Json(self.ecr.api, operation, caller)
        if scope["path"].startswith(DATA_PATH) and caller.service is None:  # no bucket is so short
            return self.ecr.registry
        if scope["path"].startswith(CONTROL_PATH):
            return self.control
        if caller.service == "s3" or (caller.service is None and not _is_form(headers)):
            return self.s3
        others = await self._moto()
        if caller.service == "lambda":
            return Lambdas(others, self.trust, self.objects, caller.account)
        return Roles(others, self.trust) if caller.service == "iam" else others

    async def _moto(self) -> ASGIApp:
        return await run_in_threadpool(self._made)

    async def _moto_later(self) -> ASGIApp:
        async def later(scope: Scope, receive: Receive, send: Send) -> None:
            await (await self._moto())(scope, receive, send)

        return later

    def _made(self) -> ASGIApp:
        with self._lock:
            if self._others is None:
                self._others = self.others()
            return self._others


@dataclass(frozen=True)
class _Json:
    """One call of a JSON service, as an ASGI application."""

    service: JsonService
    operation: str
    caller: Caller

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await whole_body(scope, receive, send)
        if body is not None:
            await self.with_body(body)(scope, receive, send)

    def with_body(self, body: bytes) -> ASGIApp:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            call = (self.operation, body, self.caller)
            if self.operation in self.service.quick:
                reply = self.service.answer(*call)
            else:
                reply = await run_in_threadpool(self.service.answer, *call)
            response = Response(reply.body, reply.status, dict(reply.headers))
            await response(scope, receive, send)

        return answer


@dataclass(frozen=True)
class _OursOrTheirs:
    """A call that is ours or moto's by what is in its body."""

    ours: _Json
    theirs: ASGIApp
    is_ours: Callable[[bytes], bool]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await whole_body(scope, receive, send)
        if body is None:
            return
        if self.is_ours(body):
            await self.ours.with_body(body)(scope, receive, send)
            return
        await self.theirs(scope, replay(body), send)


def _is_of_our_groups(body: bytes) -> bool:
    """Say whether a call of CloudWatch Logs is about our log groups, or about none.

    Some clients, as AWS's SDK for PHP, escape slashes in JSON.
    """
    return GROUP_PREFIX.encode() in body.replace(b"\\/", b"/") or b"logGroup" not in body


def _is_form(headers: Mapping[str, str]) -> bool:
    """Whether this is an unsigned call of a query service, as of STS with a web identity."""
    return headers.get("content-type", "").startswith("application/x-www-form-urlencoded")


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
