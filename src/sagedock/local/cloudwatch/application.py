"""One CloudWatch call: ours, moto's, or about metrics of both."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sagedock import api
from sagedock.local.caller import Caller
from sagedock.local.cloudwatch.operations import NAMESPACES, OPERATIONS, is_our_token, is_ours
from sagedock.local.cloudwatch.protocols import SERVICE, Call, read_call, write_reply
from sagedock.local.json_service import JsonService, Reply

__all__ = ["CloudWatch"]

Whose = Literal["ours", "theirs", "both"]


@dataclass(frozen=True)
class CloudWatch:
    """One call, as an ASGI application. ``theirs`` makes moto's application when it is needed."""

    ours: JsonService
    theirs: Callable[[], Awaitable[ASGIApp]]
    caller: Caller

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer it."""
        try:
            body = await Request(scope, receive).body()
        except ClientDisconnect:
            return
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        query = scope["query_string"].decode("latin-1")
        call = read_call(scope["path"], query, headers, body)
        if call is None or (_whose(call) == "theirs" and call.protocol != "cbor"):
            await (await self.theirs())(scope, _once(body), send)
            return
        reply = write_reply(call, await self._reply(call, scope))
        await Response(reply.body, reply.status, dict(reply.headers))(scope, receive, send)

    async def _reply(self, call: Call, scope: Scope) -> Reply:
        match _whose(call):
            case "ours":
                return await self._from_us(call)
            case "theirs":
                return await self._from_them(call, scope)
            case "both" if call.operation == "ListMetrics":
                return await self._listed(call, scope)
            case "both":
                return await self._data_of_both(call, scope)

    async def _from_us(self, call: Call) -> Reply:
        return await run_in_threadpool(self.ours.answer, call.operation, call.body, self.caller)

    async def _from_them(self, call: Call, scope: Scope) -> Reply:
        return await _asked(await self.theirs(), call, scope)

    async def _listed(self, call: Call, scope: Scope) -> Reply:
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
        more["Metrics"] = [*found["Metrics"], *more.get("Metrics", ())]
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


def _whose(call: Call) -> Whose:
    """Return whose metrics a call is about. What is no proper request is refused by us."""
    if call.operation not in OPERATIONS:
        return "theirs"
    try:
        raw = api.read_json(call.body)
    except api.MalformedBody:
        return "ours"
    if api.type_problem(SERVICE, call.operation, raw) is not None:
        return "ours"
    request = api.decode(call.body, SERVICE, call.operation)
    if api.problems_in_request(SERVICE, call.operation, request):
        return "ours"
    if call.operation == "GetMetricData":
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
    await app({**asked, "headers": headers}, _once(call.body), keep)
    start = next(each for each in got if each["type"] == "http.response.start")
    return Reply(
        status=start["status"],
        headers={k.decode("latin-1").lower(): v.decode("latin-1") for k, v in start["headers"]},
        body=b"".join(each.get("body", b"") for each in got),
    )


def _once(body: bytes) -> Receive:
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else {"type": "http.disconnect"}

    return receive


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
