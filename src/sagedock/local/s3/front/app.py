"""The ASGI application: one request in, one answer of S3 out, whatever happens between."""

import errno
import logging
import re
import sqlite3
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, assert_never

from starlette.concurrency import run_in_threadpool

from sagedock.local.s3.errors import S3Error
from sagedock.local.s3.front.answer import Answer, Send, send_answer
from sagedock.local.s3.front.call import Call, read_call
from sagedock.local.s3.front.operations import Simple, Streaming, operation_of
from sagedock.local.s3.front.presigned import check_not_expired, with_hoisted_headers
from sagedock.local.s3.front.receiving import ClientGone, Receive, read_whole, receive_file
from sagedock.local.s3.front.service import Service
from sagedock.local.s3.store import ObjectStore
from sagedock.local.s3.xml import error_document

__all__ = ["ASGIApp", "s3_app"]

ASGIApp = Callable[[Mapping[str, Any], Receive, Send], Awaitable[None]]

_log = logging.getLogger(__name__)
_ACCOUNT = re.compile(r"\d{12}")


def s3_app(
    store: ObjectStore,
    *,
    account: str = "123456789012",
    throttles: Callable[[], bool] = lambda: False,
) -> ASGIApp:
    """Return an ASGI application that speaks S3 over ``store``, whose owner is ``account``.

    It authenticates nobody, and answers every path; SlowDown where ``throttles`` says so.
    """
    service = Service(store=store, account=account)

    async def app(scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if throttles():
            answer = _refusal(S3Error("SlowDown"), scope, uuid.uuid4().hex[:16].upper())
            await send_answer(answer, send, request="", head=scope["method"] == "HEAD")
            return
        await _serve(service, scope, receive, send)

    return app


async def _serve(service: Service, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
    request = uuid.uuid4().hex[:16].upper()
    try:
        answer = await _carry_out(service, scope, receive)
    except ClientGone:
        return
    except S3Error as error:
        answer = _refusal(error, scope, request)
    except (OSError, sqlite3.Error) as error:
        answer = _refusal(_explain(error, service), scope, request)
    except Exception:  # noqa: BLE001 - the boundary: a client of S3 must never see anything else
        _log.exception("a request to the local S3 failed")
        answer = _refusal(S3Error("InternalError"), scope, request)
    try:
        await send_answer(answer, send, request=request, head=scope["method"] == "HEAD")
    finally:
        answer.close()


async def _carry_out(service: Service, scope: Mapping[str, Any], receive: Receive) -> Answer:
    call = with_hoisted_headers(read_call(scope))
    check_not_expired(call.query, datetime.now(UTC))
    _check_owner(call, service.account)
    _check_version(call)
    operation = operation_of(call)
    match operation:
        case Simple():
            if operation.reads:
                call = replace(call, body=await read_whole(receive))
            return await run_in_threadpool(operation.handle, service, call)
        case Streaming():
            return await _stream(operation, service, call, receive)
        case _:
            assert_never(operation)


async def _stream(operation: Streaming, service: Service, call: Call, receive: Receive) -> Answer:
    envelope, incoming = await run_in_threadpool(operation.open, service, call)
    with incoming:
        await receive_file(receive, envelope, incoming)
        return await run_in_threadpool(operation.finish, service, call, incoming)


def _check_owner(call: Call, account: str) -> None:
    for name in ("x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"):
        expected = call.headers.get(name, account)
        if not _ACCOUNT.fullmatch(expected):
            raise S3Error("InvalidBucketOwnerAWSAccountID")
        if expected != account:
            raise S3Error("AccessDenied")


def _check_version(call: Call) -> None:
    """Refuse any version but ``null``: buckets here have no versioning."""
    version = call.query.get("versionId", "null")
    if version != "null":
        raise S3Error(
            "InvalidArgument",
            "Invalid version id specified",
            ArgumentName="versionId",
            ArgumentValue=version,
        )


def _refusal(error: S3Error, scope: Mapping[str, Any], request: str) -> Answer:
    headers = {"content-type": "application/xml"}
    if any(name == b"expect" for name, _ in scope["headers"]):
        # The client may never send the body that it announced: what follows would be taken for it.
        headers["connection"] = "close"
    body = error_document(error, resource=scope["path"], request=request)
    if scope["method"] == "HEAD":
        headers["content-length"] = "0"
    return Answer(status=error.status, headers=headers, body=body)


def _explain(error: OSError | sqlite3.Error, service: Service) -> S3Error:
    """Return what a client is told of a failure of the disk, for which S3 has no words."""
    if _is_full_disk(error):
        return S3Error(
            "InternalError",
            f"The disk is full: {service.store.root} has no room left. Free some, or set "
            "SAGEDOCK_HOME to another disk.",
        )
    if isinstance(error, PermissionError):
        return S3Error("AccessDenied", f"The local S3 may not use the file {error.filename}.")
    _log.error("the disk failed a request to the local S3", exc_info=error)
    return S3Error("InternalError")


def _is_full_disk(error: OSError | sqlite3.Error) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return error.sqlite_errorcode == sqlite3.SQLITE_FULL
