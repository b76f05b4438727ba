"""What `sagedock local` itself asks of the server: interruptions and faults, under /_sagedock.

JSON in, JSON out. A body must say that it is JSON, so that no web page can send one unasked.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from sagedock.errors import InvalidRequest
from sagedock.local.faults import Faults, as_json, fault_of
from sagedock.local.resources import Key

__all__ = ["CONTROL_PATH", "Control"]

CONTROL_PATH = "/_sagedock/"
_JSON = "application/json"
_MOST_BYTES = 65_536
_LONGEST_S = 7 * 24 * 60 * 60


@dataclass(frozen=True, kw_only=True)
class Control:
    """An ASGI application. ``interrupt`` takes a job's key and seconds, says whether that is not
    under way already, and raises InvalidRequest where there is nothing to interrupt; ``health`` is
    what the health check answers.
    """

    faults: Faults
    interrupt: Callable[[Key, float], bool]
    health: Callable[[], Mapping[str, Any]]
    default_region: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        try:
            status, answer = 200, await self._answer(request)
        except InvalidRequest as error:
            status, answer = 400, {"problems": list(error.problems)}
        except ClientDisconnect:
            return
        await JSONResponse(answer, status)(scope, receive, send)

    async def _answer(self, request: Request) -> Any:
        what = request.url.path.removeprefix(CONTROL_PATH)
        match (request.method, what.split("/")):
            case ("GET", ["health"]):
                return dict(self.health())
            case ("GET", ["faults"]):
                return [as_json(number, fault) for number, fault in self.faults.all().items()]
            case ("POST", ["faults"]):
                return {"number": self.faults.add(fault_of(await _body(request)))}
            case ("DELETE", ["faults"]):
                return {"removed": self.faults.remove()}
            case ("DELETE", ["faults", number]) if number.isdecimal():
                return {"removed": self.faults.remove(int(number))}
            case ("POST", ["interrupt"]):
                return await run_in_threadpool(self._interrupt, await _body(request))
        raise InvalidRequest([f"{request.method} {request.url.path}: there is nothing here"])

    def _interrupt(self, said: Mapping[str, Any]) -> Any:
        job, after_s = said.get("job"), said.get("after_s", 0)
        problems = []
        if not isinstance(job, str) or not job:
            problems.append("job: is missing: name a training job")
        is_number = isinstance(after_s, int | float) and not isinstance(after_s, bool)
        if not is_number or not 0 <= after_s <= _LONGEST_S:
            problems.append(f"after_s: {after_s!r} is not 0 to {_LONGEST_S} seconds")
        if problems:
            raise InvalidRequest(problems)
        region = str(said.get("region") or self.default_region)
        key = Key(region=region, kind="training-job", name=str(job))
        begun = self.interrupt(key, float(after_s))
        return {"job": job, "after_s": after_s, "already": not begun}


async def _body(request: Request) -> Mapping[str, Any]:
    if request.headers.get("content-type", "").partition(";")[0].strip() != _JSON:
        raise InvalidRequest([f"content-type: must be {_JSON}"])
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _MOST_BYTES:
            raise InvalidRequest([f"the body is larger than {_MOST_BYTES} bytes"])
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest([f"the body is no JSON: {error}"]) from error
    if not isinstance(said, dict):
        raise InvalidRequest(["the body is no JSON object"])
    return said
