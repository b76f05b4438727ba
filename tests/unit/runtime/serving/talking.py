"""Clients and workers that talk over bidirectional streams, without a socket between them."""

import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import Any

from sagedock.runtime.serving.front.access_log import AccessLog
from sagedock.runtime.serving.front.conversations import Conversations
from sagedock.runtime.serving.front.invocation import Invocations
from sagedock.runtime.serving.front.metrics import Metrics
from sagedock.runtime.serving.pool.frames import Frame, Kind
from sagedock.runtime.serving.pool.messages import binary, text
from sagedock.runtime.serving.pool.pool import Pool
from sagedock.runtime.serving.worker.channel import Channel
from tests.unit.runtime.serving.fake_workers import (
    Behaviour,
    answer_of,
    ask,
    running_pool,
)

PATH = "/invocations-bidirectional-stream"
Talk = Callable[[Channel, Frame], None]


def talking(talk: Talk) -> Behaviour:
    """Return a worker that takes streams, and answers requests with their body."""

    def behave(channel: Channel) -> str:
        channel.send([Frame(Kind.READY, 1, 1)])
        while True:
            for frame in channel.batch():
                if frame.kind == Kind.OPEN:
                    channel.send([Frame(Kind.START, frame.id, 200)])
                    talk(channel, frame)
                    channel.send([Frame(Kind.END, frame.id)])
                else:
                    channel.send([Frame(Kind.ANSWER, frame.id, 200, body=frame.body)])

    return behave


def echoing(channel: Channel, opened: Frame) -> None:
    """Send each message back until no more come; then say goodbye."""
    while (frame := channel.frame()).kind == Kind.MESSAGE:
        body = bytes(frame.body)
        piece = text(body.decode()) if frame.status else binary(body)
        channel.send([Frame(Kind.PIECE, opened.id, body=piece)])
    channel.send([Frame(Kind.PIECE, opened.id, body=text(f"goodbye {Kind(frame.kind).name}"))])


class Client:
    """One connection, as an ASGI server tells the application of it."""

    def __init__(self, front: "Front", path: str = PATH, **scope: Any) -> None:
        self.sent: list[dict[str, Any]] = []
        self._events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._events.put_nowait({"type": "websocket.connect"})
        self.may_send = asyncio.Event()
        self.may_send.set()
        scope = {"type": "websocket", "path": path, "headers": [], "query_string": b"", **scope}
        self.done = asyncio.create_task(
            front.conversations.serve(scope, self._events.get, self._send)
        )

    async def _send(self, message: dict[str, Any]) -> None:
        await self.may_send.wait()
        self.sent.append(message)

    def say(self, message: str | bytes) -> None:
        kind = "text" if isinstance(message, str) else "bytes"
        self._events.put_nowait({"type": "websocket.receive", kind: message})

    def leave(self) -> None:
        self._events.put_nowait({"type": "websocket.disconnect", "code": 1000})

    @property
    def unheard(self) -> int:
        return self._events.qsize()

    @property
    def heard(self) -> list[Any]:
        found = [each for each in self.sent if each["type"] == "websocket.send"]
        return [each.get("text", each.get("bytes")) for each in found]

    @property
    def accepted(self) -> bool:
        return bool(self.sent) and self.sent[0]["type"] == "websocket.accept"

    @property
    def closed(self) -> tuple[int, str]:
        last = self.sent[-1]
        assert last["type"] == "websocket.close", self.sent
        return last["code"], last["reason"]

    async def refused(self) -> int:
        await self.done
        start, body = self.sent
        assert (start["type"], body["type"]) == (
            "websocket.http.response.start",
            "websocket.http.response.body",
        )
        assert b'"error"' in body["body"]
        return int(start["status"])


class Front:
    """The front before such workers."""

    def __init__(self, pool: Pool, most: int) -> None:
        self.pool = pool
        self.lines: list[str] = []
        self.log = AccessLog(self.lines.append)
        self.invocations = Invocations(max_payload_mb=1, log=self.log, metrics=Metrics())
        self.conversations = Conversations(pool=pool, most=most, invocations=self.invocations)

    @property
    def logged(self) -> str:
        self.log.flush()
        return "".join(self.lines)

    async def works_again(self) -> None:
        """A worker is free, and answers."""
        assert (await answer_of(ask(self.pool, b"free"))).body == b"free"


@asynccontextmanager
async def front(*behaviours: Behaviour, most: int = 1, ready: bool = True, **limits: Any) -> Any:
    async with running_pool(*behaviours, ready=ready, **limits) as (pool, _):
        yield Front(pool, most)
