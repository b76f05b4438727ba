"""An answer, and how it goes out."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO

from starlette.concurrency import run_in_threadpool

from sagedock.local.s3.incoming import CHUNK
from sagedock.local.s3.xml import Node, write

__all__ = ["Answer", "FileSlice", "Send", "in_xml", "send_answer", "timestamp"]

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class FileSlice:
    """``length`` bytes of an open file, from ``start`` on."""

    file: BinaryIO
    start: int
    length: int


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Status, headers, and a body that is either bytes or part of a file."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    file: FileSlice | None = None

    def close(self) -> None:
        """Close the file, if there is one."""
        if self.file:
            self.file.file.close()


def in_xml(name: str, content: Node, headers: Mapping[str, str] | None = None) -> Answer:
    """Return an answer whose body is one XML document."""
    return Answer(
        headers={"content-type": "application/xml", **(headers or {})}, body=write(name, content)
    )


def timestamp(moment: datetime) -> str:
    """Write a time as S3 does: to the second, with the zeros of milliseconds."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


async def send_answer(answer: Answer, send: Send, *, request: str, head: bool) -> None:
    """Send ``answer``, with S3's request ids; ``head`` leaves the body out, not its length."""
    headers = dict(answer.headers)
    if answer.status not in (204, 304):
        length = answer.file.length if answer.file else len(answer.body)
        headers.setdefault("content-length", str(length))
    headers |= {"x-amz-request-id": request, "x-amz-id-2": request}
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
    if answer.file and not head:
        await _send_file(answer.file, send)
    body = b"" if head else answer.body
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _send_file(piece: FileSlice, send: Send) -> None:
    """Send a part of a file, reading the next chunk while the last one goes out."""
    piece.file.seek(piece.start)
    left = piece.length
    ahead = _read(piece.file, left)
    try:
        while left > 0:
            data = await ahead
            if not data:
                raise OSError(f"{piece.file.name} became shorter while it was sent")
            left -= len(data)
            ahead = _read(piece.file, left)
            await send({"type": "http.response.body", "body": data, "more_body": True})
        await ahead
    finally:
        ahead.cancel()  # what is done already is not changed by it


def _read(file: BinaryIO, left: int) -> "asyncio.Future[bytes]":
    return asyncio.ensure_future(run_in_threadpool(file.read, min(CHUNK, left)))
