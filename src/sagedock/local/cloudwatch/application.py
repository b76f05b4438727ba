"""One CloudWatch call: ours, moto's, or about metrics of both."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sagedock import api
from sagedock.local.body import replay, whole_body
from sagedock.local.caller import Caller
from sagedock.local.cloudwatch.operations import NAMESPACES, OPERATIONS, is_our_token, is_ours
from sagedock.local.cloudwatch.protocols import SERVICE, Call, read_call, write_reply
from sagedock.local.json_service import JsonService, Reply

__all__ = ["CloudWatch", "OurAlarms"]

Whose = Literal["ours", "theirs", "both"]

_OF_NAMED_ALARMS = ("DeleteAlarms", "DisableAlarmActions", "EnableAlarmActions")
_OF_ALARMS = (*_OF_NAMED_ALARMS, "DescribeAlarms", "PutMetricAlarm", "SetAlarmState")


class OurAlarms(Protocol):
    """What tells our alarms from moto's."""

    def has(self, region: str, name: str) -> bool:
        """Say whether an alarm of that name is ours."""
        ...

    def has_any(self, region: str) -> bool:
        """Say whether any alarm of a region is ours."""
        ...

    def takes(self, region: str, request: Mapping[str, Any]) -> bool:
        """Say whether an alarm that is put is ours."""
        ...

    def watches(self, region: str, namespace: str) -> bool:
        """Say whether one of our alarms needs the metrics of a namespace that is not ours."""
        ...


@dataclass(frozen=True)
class CloudWatch:
    """One call, as an ASGI application. ``theirs`` makes moto's application when it is needed."""

    ours: JsonService
    theirs: Callable[[], Awaitable[ASGIApp]]
    caller: Caller
    alarms: OurAlarms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer it."""
        body = await whole_body(scope, receive, send)
        if body is None:
            return
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        query = scope["query_string"].decode("latin-1")
        call = read_call(scope["path"], query, headers, body)
        whose = "theirs" if call is None else await run_in_threadpool(self._whose, call)
        if call is None or (whose == "theirs" and call.protocol != "cbor"):
            await (await self.theirs())(scope, replay(body), send)
            return
        reply = write_reply(call, await self._reply(call, whose, scope))
        await Response(reply.body, reply.status, dict(reply.headers))(scope, receive, send)

    async def _reply(self, call: Call, whose: Whose, scope: Scope) -> Reply:
        match whose:
            case "ours":
                return await self._from_us(call)
            case "theirs":
                return await self._from_them(call, scope)
            case "both" if call.operation == "ListMetrics":
                return await self._listed(call, scope, "Metrics")
            case "both" if call.operation == "DescribeAlarms":
                return await self._listed(call, scope, "MetricAlarms")
            case "both" if call.operation in _OF_NAMED_ALARMS:
                return await self._divided(call, scope)
            case "both" if call.operation == "PutMetricData":
                ours = await self._from_us(call)
                return await self._from_them(call, scope) if _is_good(ours) else ours
            case "both":
                return await self._data_of_both(call, scope)

    async def _from_us(self, call: Call) -> Reply:
        return await run_in_threadpool(self.ours.answer, call.operation, call.body, self.caller)

    async def _from_them(self, call: Call, scope: Scope) -> Reply:
        return await _asked(await self.theirs(), call, scope)

    def _whose(self, call: Call) -> Whose:
        """Return whose a call is. What is no proper request is refused by us."""
        if call.operation not in (*OPERATIONS, *_OF_ALARMS):
            return "theirs"
        request = _proper(call)
        if request is None:
            return "ours"
        if call.operation in _OF_ALARMS:
            return self._whose_alarms(call.operation, request)
        if call.operation == "PutMetricData" and not is_ours(request["Namespace"]):
            watched = self.alarms.watches(self.caller.region, request["Namespace"])
            return "both" if watched else "theirs"
        return _whose_metrics(call.operation, request)

    def _whose_alarms(self, operation: str, request: Mapping[str, Any]) -> Whose:
        region = self.caller.region
        match operation:
            case "PutMetricAlarm":
                return "ours" if self.alarms.takes(region, request) else "theirs"
            case "DescribeAlarms":
                return "both" if self.alarms.has_any(region) else "theirs"
            case "SetAlarmState":
                return "ours" if self.alarms.has(region, request["AlarmName"]) else "theirs"
        found = {self.alarms.has(region, name) for name in request["AlarmNames"]}
        return "both" if len(found) > 1 else "ours" if True in found else "theirs"

    async def _divided(self, call: Call, scope: Scope) -> Reply:
        """Carry out a call about several alarms: on ours, then on theirs."""
        names = _json(call.body)["AlarmNames"]
        ours = [name for name in names if self.alarms.has(self.caller.region, name)]
        done = await self._from_us(_with(call, AlarmNames=ours))
        others = [name for name in names if name not in ours]
        return (
            await self._from_them(_with(call, AlarmNames=others), scope) if _is_good(done) else done
        )

    async def _listed(self, call: Call, scope: Scope, members: str) -> Reply:
        """List ours, then theirs: a token that is not ours is one of theirs."""
        token = _json(call.body).get("NextToken")
        if token and not is_our_token(token):
            return await self._from_them(call, scope)
        ours = await self._from_us(call)
        found = _json(ours.body)
        if not _is_good(ours) or "NextToken" in found:
            return ours
        theirs = await self._from_them(_with(call, NextToken=None), scope)
        if not _is_good(theirs):
            return theirs
        more = _json(theirs.body)
        more[members] = [*found[members], *more.get(members, ())]
        return _replaced(ours, more)

    async def _data_of_both(self, call: Call, scope: Scope) -> Reply:
        """Answer our queries and theirs, in the order of the request; theirs are one page."""
        request = _json(call.body)
        queries = request["MetricDataQueries"]
        ours = await self._from_us(_with(call, MetricDataQueries=[*filter(_asks_us, queries)]))
        if not _is_good(ours) or request.get("NextToken"):
            return ours
        others = [query for query in queries if not _asks_us(query)]
        theirs = await self._from_them(_with(call, MetricDataQueries=others), scope)
        if not _is_good(theirs):
            return theirs
        answer = _json(ours.body)
        results = answer["MetricDataResults"] + _json(theirs.body)["MetricDataResults"]
        order = [query["Id"] for query in queries]
        answer["MetricDataResults"] = sorted(results, key=lambda each: order.index(each["Id"]))
        return _replaced(ours, answer)


def _proper(call: Call) -> Mapping[str, Any] | None:
    """Return the request that a call is, or None if its model forbids it."""
    try:
        raw = api.read_json(call.body)
    except api.MalformedBody:
        return None
    if api.type_problem(SERVICE, call.operation, raw) is not None:
        return None
    request = api.decode(raw, SERVICE, call.operation)
    return None if api.problems_in_request(SERVICE, call.operation, request) else request


def _whose_metrics(operation: str, request: Mapping[str, Any]) -> Whose:
    if operation == "GetMetricData":
        return _whose_queries(request["MetricDataQueries"])
    if "Namespace" not in request:
        return "both"
    return "ours" if is_ours(request["Namespace"]) else "theirs"


def _whose_queries(queries: list[Mapping[str, Any]]) -> Whose:
    """Expressions over our metrics are ours to refuse."""
    expressions = [each["Expression"] for each in queries if "Expression" in each]
    ours = [each for each in queries if _asks_us(each)]
    if not ours and not any(name in each for each in expressions for name in NAMESPACES):
        return "theirs"
    return "ours" if expressions or len(ours) == len(queries) else "both"


def _asks_us(query: Mapping[str, Any]) -> bool:
    return is_ours(query.get("MetricStat", {}).get("Metric", {}).get("Namespace"))


async def _asked(app: ASGIApp, call: Call, scope: Scope) -> Reply:
    """Return an application's answer to a call, asked in JSON."""
    kept = [
        (name, value)
        for name, value in scope["headers"]
        if name.lower() in (b"host", b"authorization", b"x-amz-date", b"user-agent")
    ]
    target = f"{api.target_prefix(SERVICE)}.{call.operation}".encode()
    headers = [
        *kept,
        (b"x-amz-target", target),
        (b"content-type", b"application/x-amz-json-1.0"),
        (b"content-length", str(len(call.body)).encode()),
    ]
    got: list[Message] = []

    async def keep(message: Message) -> None:
        got.append(message)

    asked = {**scope, "method": "POST", "path": "/", "raw_path": b"/", "query_string": b""}
    await app({**asked, "headers": headers}, replay(call.body), keep)
    start = next(each for each in got if each["type"] == "http.response.start")
    return Reply(
        status=start["status"],
        headers={k.decode("latin-1").lower(): v.decode("latin-1") for k, v in start["headers"]},
        body=b"".join(each.get("body", b"") for each in got),
    )


def _with(call: Call, **members: Any) -> Call:
    """Return a call with members of its request replaced; None takes one out."""
    request = {**_json(call.body), **members}
    kept = {name: value for name, value in request.items() if value is not None}
    return Call(protocol=call.protocol, operation=call.operation, body=json.dumps(kept).encode())


def _replaced(reply: Reply, answer: Mapping[str, Any]) -> Reply:
    return Reply(status=reply.status, headers=reply.headers, body=json.dumps(answer).encode())


def _json(body: bytes) -> Any:
    return json.loads(body)


def _is_good(reply: Reply) -> bool:
    return reply.status < 400
