"""A request's body: read whole, and handed on to another application as if it had come just now."""

import asyncio

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

__all__ = ["LARGEST_BODY", "replay", "whole_body"]

#: In bytes. No operation that is read whole takes as much; S3 and moto's own read theirs.
LARGEST_BODY = 16 * 1024 * 1024
_TOO_LARGE = 413


async def whole_body(
    scope: Scope, receive: Receive, send: Send, largest: int = LARGEST_BODY
) -> bytes | None:
    """Return a request's body, or None where nobody waits for an answer any more: the sender is
    gone, or has been told that it sent more than ``largest`` bytes.
    """
    body = bytearray()
    try:
        async for piece in Request(scope, receive).stream():
            body += piece
            if len(body) > largest:
                said = f"the body is larger than {largest} bytes"
                await PlainTextResponse(said, _TOO_LARGE)(scope, receive, send)
                return None
    except ClientDisconnect:
        return None
    return bytes(body)


def replay(body: bytes) -> Receive:
    """Return what gives another application ``body`` as if it had come just now."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if messages:
            return messages.pop()
        await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    return receive
