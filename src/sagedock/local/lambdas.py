"""Lambda, for pipelines' functions: moto's, which sees the local S3, and every role.

moto takes a function's code from its own S3, and refuses a role that its own IAM does not have.
"""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from sagedock.local.body import replay, whole_body
from sagedock.local.others import make_role
from sagedock.local.roles import is_role_name, path_and_name, trusting
from sagedock.local.s3 import ObjectStore, S3Error
from sagedock.local.trust import Trust

__all__ = ["Lambdas"]

_MADE = re.compile(r"/[\d-]+/functions/?")
_CHANGED = re.compile(r"/[\d-]+/functions/[^/]+/code/?")
#: In bytes. Source: what Lambda says of a larger one, "Request must be smaller than ... bytes".
_LARGEST = 70_167_211
_IN_S3 = ("S3Bucket", "S3Key")


@dataclass(frozen=True)
class Lambdas:
    """Lambda as an ASGI application. ``others`` answers; code that CreateFunction and
    UpdateFunctionCode name in S3 is put in its place, and the role of a new function is made, but
    one that was deleted.
    """

    others: ASGIApp
    trust: Trust
    objects: ObjectStore
    account: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        made = scope["method"] == "POST" and _MADE.fullmatch(scope["path"]) is not None
        changed = scope["method"] == "PUT" and _CHANGED.fullmatch(scope["path"]) is not None
        if not made and not changed:
            return await self.others(scope, receive, send)
        body = await whole_body(scope, receive, send, _LARGEST)
        if body is None:
            return None
        asked = _asked(body)
        if asked is not None:
            body = await run_in_threadpool(self._prepared, asked, made=made)
        headers = [each for each in scope["headers"] if each[0].lower() != b"content-length"]
        headers.append((b"content-length", str(len(body)).encode()))
        return await self.others({**scope, "headers": headers}, replay(body), send)

    def _prepared(self, asked: dict[str, Any], *, made: bool) -> bytes:
        """Return the body of a request that moto can answer."""
        if not made:
            return json.dumps(self._with_code(asked)).encode()
        path, name = path_and_name(str(asked.get("Role", "")))
        if is_role_name(name) and not self.trust.is_deleted(name):
            make_role(self.account, path, name, trusting("lambda"))
        if isinstance(asked.get("Code"), dict):
            asked["Code"] = self._with_code(asked["Code"])
        return json.dumps(asked).encode()

    def _with_code(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a request, or its Code, with the object that it names; as it is, where there is no
        such object, or a version of one: moto refuses that.
        """
        where = [asked.get(name) for name in _IN_S3]
        if not all(isinstance(each, str) for each in where) or "S3ObjectVersion" in asked:
            return asked
        try:
            _, content = self.objects.open(str(where[0]), str(where[1]))
            with content:
                code = base64.b64encode(content.read()).decode()
        except S3Error:
            return asked
        rest = {name: value for name, value in asked.items() if name not in _IN_S3}
        return {**rest, "ZipFile": code}


def _asked(body: bytes) -> dict[str, Any] | None:
    """Return a request; None for what moto refuses."""
    try:
        asked = json.loads(body)
    except ValueError:
        return None
    return asked if isinstance(asked, dict) else None
