"""Model workers that are threads: the real frames over a real socket pair, without a model."""

import asyncio
import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

from sagedock.runtime.serving.pool.frames import Frame, Kind
from sagedock.runtime.serving.pool.pool import Pool, PoolLimits
from sagedock.runtime.serving.pool.work import Answer
from sagedock.runtime.serving.worker.channel import Channel, Hangup

Behaviour = Callable[[Channel], str]
_PIDS = itertools.count(1000)


class FakeWorker:
    """A thread that behaves as a worker's process does; ``behave`` returns how it ended."""

    def __init__(self, behave: Behaviour, loop: asyncio.AbstractEventLoop) -> None:
        self.socket, self._theirs = socket.socketpair()
        self.socket.setblocking(False)
        self.pid = next(_PIDS)
        self._behave = behave
        self._loop = loop
        self._ended: asyncio.Future[str] = loop.create_future()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            how = self._behave(Channel(self._theirs))
        except (Hangup, OSError):
            how = "was killed by SIGKILL"
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end, how)

    def _end(self, how: str) -> None:
        if not self._ended.done():
            self._ended.set_result(how)

    async def connect(self, link: asyncio.Protocol) -> None:
        await self._loop.create_unix_connection(lambda: link, sock=self.socket)

    def kill(self) -> None:
        """End it: whatever it waits for, the pool hears that it has gone."""
        try:
            self._theirs.shutdown(socket.SHUT_RDWR)
        except OSError:
            return
        self._end("was killed by SIGKILL")

    async def wait(self) -> str:
        return await asyncio.shield(self._ended)


def answering(
    answer: Callable[[Frame], bytes], *, batch: int = 1, before: Callable[[], Any] = lambda: None
) -> Behaviour:
    """Return a worker that answers each request; ``before`` is called before it is ready."""

    def behave(channel: Channel) -> str:
        before()
        channel.send([Frame(Kind.READY, batch)])
        while True:
            frames = channel.batch()
            channel.send([Frame(Kind.ANSWER, f.id, 200, body=answer(f)) for f in frames])

    return behave


def echo(frame: Frame) -> bytes:
    return bytes(frame.body)


def failing(cause: str, *, hopeless: bool = False) -> Behaviour:
    """Return a worker that cannot load its model."""

    def behave(channel: Channel) -> str:
        channel.send([Frame(Kind.FAILED, status=int(hopeless), body=cause.encode())])
        return "ended with 1"

    return behave


class Gate:
    """Holds workers in the middle of a request, and knows which requests they have."""

    def __init__(self) -> None:
        self.entered: list[bytes] = []
        self.left: list[bytes] = []
        self._open = threading.Event()

    def __call__(self, frame: Frame) -> bytes:
        self.entered.append(bytes(frame.body))
        assert self._open.wait(60)
        self.left.append(bytes(frame.body))
        return bytes(frame.body)

    def open(self) -> None:
        self._open.set()


@asynccontextmanager
async def running_pool(
    *behaviours: Behaviour,
    ready: bool = True,
    kernel_kills: Callable[[], int] = lambda: 0,
    **limits: Any,
) -> "Iterator[tuple[Pool, list[str]]]":  # type: ignore[misc]
    """Run a pool whose workers behave so, one behaviour for each start, the last one again.

    Yields the pool and the list of what it says.
    """
    loop = asyncio.get_running_loop()
    said: list[str] = []
    starts = itertools.chain(behaviours, itertools.repeat(behaviours[-1]))

    async def launch(_: int) -> FakeWorker:
        return FakeWorker(next(starts), loop)

    pool = Pool(
        launch=launch,
        limits=PoolLimits(**limits),
        say=said.append,
        pauses_s=(0.01, 0.02),
        kernel_kills=kernel_kills,
    )
    pool.start()
    try:
        if ready:
            await until(lambda: pool.healthy)
        yield pool, said
    finally:
        await pool.close()


async def until(true: Callable[[], Any], timeout_s: float = 60) -> None:
    """Wait until something holds."""
    ends = asyncio.get_running_loop().time() + timeout_s
    while not true():
        assert asyncio.get_running_loop().time() < ends, "it did not come true"
        await asyncio.sleep(0.005)


def ask(pool: Pool, body: bytes, headers: bytes = b"") -> "Any":
    """Enter and submit one request; return its work."""
    pool.enter(len(body))
    return pool.submit(headers, body)


async def answer_of(work: Any, timeout_s: float = 60) -> Answer:
    """Return a request's answer."""
    found: Answer = await asyncio.wait_for(asyncio.shield(work.answer), timeout_s)
    return found
