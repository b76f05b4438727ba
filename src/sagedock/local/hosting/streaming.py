"""The body of InvokeEndpointWithResponseStream: what a container sends, as it sends it."""

import asyncio
from collections.abc import AsyncIterator

from starlette.types import Receive, Send

from sagedock.local.hosting.connection import Answer, Connection
from sagedock.local.hosting.eventstream import exception, payload_part

__all__ = ["pieces", "stream"]

_STREAM_ERROR = "ModelStreamError"
#: Source of the codes: the documentation of ModelStreamError; the words are unverified.
_TOO_SLOW = {
    "ErrorCode": "ModelInvocationTimeExceeded",
    "Message": "The model did not finish its response within the time that it has.",
}
_BROKEN = {
    "ErrorCode": "StreamBroken",
    "Message": "The connection to the model was closed before its response was complete.",
}


async def stream(
    answer: Answer, connection: Connection, receive: Receive, send: Send, timeout_s: float
) -> None:
    """Send each piece of ``answer`` as an event, as it comes, and what ended it early.

    A caller that hangs up ends the container's work, too.
    """
    gone = asyncio.ensure_future(_hung_up(receive))
    sending = asyncio.ensure_future(_sent(answer, connection, send, timeout_s))
    try:
        await asyncio.wait((gone, sending), return_when=asyncio.FIRST_COMPLETED)
        if sending.done():
            sending.result()
    finally:
        gone.cancel()
        sending.cancel()


async def pieces(answer: Answer, connection: Connection) -> AsyncIterator[bytes]:
    """Yield the pieces of an answer's body as they come, until it is complete or failed."""
    while True:
        while answer.pieces:
            piece = answer.pieces.popleft()
            answer.size -= len(piece)
            connection.resume()
            yield piece
        if answer.complete or answer.failed:
            return
        await answer.changed()


async def _sent(answer: Answer, connection: Connection, send: Send, timeout_s: float) -> None:
    error = None
    try:
        async with asyncio.timeout(timeout_s):
            async for piece in pieces(answer, connection):
                await send(_part(payload_part(piece)))
    except TimeoutError:
        error = _TOO_SLOW
    else:
        error = None if answer.complete else _BROKEN
    last = exception(_STREAM_ERROR, error) if error else b""
    await send({"type": "http.response.body", "body": last, "more_body": False})


def _part(message: bytes) -> dict[str, object]:
    return {"type": "http.response.body", "body": message, "more_body": True}


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
