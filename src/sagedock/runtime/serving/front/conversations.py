"""Bidirectional streams over WebSockets: messages both ways between a client and a worker."""

import asyncio
import time
from dataclasses import dataclass

from sagedock.contract import routes
from sagedock.runtime.serving.front.invocation import (
    CLIENT_LEFT,
    CUT_SHORT,
    Invocations,
    Left,
    Receive,
    Scope,
    Send,
)
from sagedock.runtime.serving.pool.frames import pack_headers, unpack_headers
from sagedock.runtime.serving.pool.messages import CLOSE, TEXT, reason_of
from sagedock.runtime.serving.pool.pool import Full, Pool
from sagedock.runtime.serving.pool.refusals import BUSY, CLOSING, refusal
from sagedock.runtime.serving.pool.work import Answer, CutShort, Pieces, Work

__all__ = ["Conversations", "refuse"]

_PATH = routes.BIDIRECTIONAL_STREAM.path
_QUERY_STRING = routes.QUERY_STRING_HEADER.encode()
#: Codes of RFC 6455, 7.4.1.
_NORMAL, _GOING_AWAY, _INTERNAL_ERROR = 1000, 1001, 1011
_UPGRADED = 101
#: A close frame has room for so many bytes of why.
_LONGEST_REASON = 123
_NO_STREAMS = refusal(404, "the model takes no bidirectional streams: it has no stream_fn")
_LOADING = refusal(503, "the model is not loaded yet")


@dataclass(slots=True, eq=False, kw_only=True)
class _Call:
    """One connection: how it is heard and spoken to, and what the log says of it."""

    receive: Receive
    send: Send
    received: int = 0
    sent: int = 0
    work: Work | None = None
    has_left: bool = False


class Conversations:
    """Lets the pool's workers talk with clients: ``most`` at once, each with its own worker."""

    def __init__(self, *, pool: Pool, most: int, invocations: Invocations) -> None:
        self._pool = pool
        self._most = most
        self._invocations = invocations
        self._open: set[_Call] = set()

    @property
    def open(self) -> int:
        """How many connections there are."""
        return len(self._open)

    def finish(self) -> None:
        """Let each conversation come to its end: its worker hears that no more messages come."""
        for call in self._open:
            if call.work is not None:
                self._pool.finish(call.work)

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, from its handshake to its end."""
        began = time.monotonic()
        call = _Call(receive=receive, send=send)
        await receive()  # websocket.connect
        refused = self._refusal(scope["path"])
        if refused is not None:
            await refuse(send, refused)
            status = refused.status
        else:
            self._open.add(call)
            try:
                status = await self._talk(call, scope)
            finally:
                self._open.discard(call)
        took_s = time.monotonic() - began
        number = call.work.id if call.work else 0
        self._invocations.note_stream(
            scope["path"], status, call.received, call.sent, took_s, number
        )

    def _refusal(self, path: str) -> Answer | None:
        """Return why there is no conversation; None where there may be one."""
        if path != _PATH:
            return refusal(404, f"no WebSocket is served here: use {_PATH}")
        if self._invocations.draining:
            return CLOSING
        if not self._pool.ready:
            return _LOADING
        if not self._pool.takes_streams:
            return _NO_STREAMS
        return BUSY if self.open >= self._most else None

    async def _talk(self, call: _Call, scope: Scope) -> int:
        """Wait for a worker, then talk; return the status for the log."""
        try:
            self._pool.enter(0)
        except Full:
            await refuse(call.send, BUSY)
            return BUSY.status
        headers = [*scope["headers"], (_QUERY_STRING, scope["query_string"])]
        work = call.work = self._pool.submit(pack_headers(headers), b"", is_stream=True)
        listening = asyncio.create_task(self._listen(call, work))
        try:
            return await self._answer(call, work)
        except Left:
            return CLIENT_LEFT
        finally:
            self._pool.abandon(work)
            listening.cancel()

    async def _answer(self, call: _Call, work: Work) -> int:
        try:
            answer = await work.answer
        except asyncio.CancelledError:
            if not call.has_left:  # the server itself is being ended
                raise
            raise Left from None
        if self._invocations.draining:
            answer = CLOSING
        if answer.pieces is None:
            await refuse(call.send, answer)
            return answer.status
        await call.send({"type": "websocket.accept"})
        return await self._speak(call, answer.pieces)

    async def _listen(self, call: _Call, work: Work) -> None:
        """Pass on what the client says, as fast as its worker listens, until it leaves."""
        while (message := await call.receive())["type"] == "websocket.receive":
            text = message.get("text")
            body = message["bytes"] if text is None else text.encode()
            call.received += len(body)
            await self._pool.say(work, body, is_text=text is not None)
        call.has_left = True
        self._pool.abandon(work)

    async def _speak(self, call: _Call, pieces: Pieces) -> int:
        """Send what the worker says, then close; return the status for the log."""
        code, reason = _NORMAL, ""
        try:
            async for piece in pieces:
                if piece[:1] == CLOSE:
                    code, reason = reason_of(piece)
                    break
                await self._send(call, piece)
        except CutShort:
            code, reason = _INTERNAL_ERROR, "the model's process ended"
        except OSError:  # how uvicorn says that the client has gone
            return _UPGRADED
        if call.has_left:
            return _UPGRADED
        if self._invocations.draining:
            code, reason = _GOING_AWAY, "the server stops"
        await _close(call.send, code, reason)
        return _UPGRADED if code in (_NORMAL, _GOING_AWAY) else CUT_SHORT

    async def _send(self, call: _Call, piece: bytes) -> None:
        body = piece[1:]
        call.sent += len(body)
        said = {"text": body.decode()} if piece[:1] == TEXT else {"bytes": body}
        await call.send({"type": "websocket.send", **said})


async def _close(send: Send, code: int, reason: str) -> None:
    """Send a close frame, its reason cut to what fits; a client that has gone hears nothing."""
    short = reason.encode()[:_LONGEST_REASON].decode("utf-8", "ignore")
    try:
        await send({"type": "websocket.close", "code": code, "reason": short})
    except OSError:
        return


async def refuse(send: Send, answer: Answer) -> None:
    """Answer a handshake with an HTTP error in the place of a WebSocket."""
    headers = unpack_headers(answer.headers)
    headers.append((b"content-length", b"%d" % len(answer.body)))
    kind = "websocket.http.response"
    await send({"type": f"{kind}.start", "status": answer.status, "headers": headers})
    await send({"type": f"{kind}.body", "body": bytes(answer.body)})
