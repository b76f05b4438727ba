"""A small HTTP server in a thread, whose answers are whatever a test wants them to be."""

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    start: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Server:
    """What came so far, and where it listens."""

    port: int = 0
    requests: list[Asked] = field(default_factory=list)
    connections: int = 0
    scheme: str = "http"

    def url(self, path: str = "/invocations") -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}{path}"


Answer = Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]


async def at_once(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(OK)


def always(answer: bytes, *, then_close: bool = False) -> Answer:
    """Answer every request with these bytes."""

    async def write(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        if then_close:
            writer.close()

    return write


def after(seconds: float, *, workers: int = 1_000) -> Answer:
    """Answer well, each worker one request at a time, in so many seconds."""
    free: list[asyncio.Semaphore] = []

    async def write(_: Asked, writer: asyncio.StreamWriter) -> None:
        free or free.append(asyncio.Semaphore(workers))  # type: ignore[func-returns-value]
        async with free[0]:
            await asyncio.sleep(seconds)
        writer.write(OK)

    return write


@contextmanager
def serving(answer: Answer = at_once, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Serve until the block ends."""
    server, loop, ready = Server(), asyncio.new_event_loop(), threading.Event()
    server.scheme = "https" if tls else "http"

    async def begin() -> None:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            server.connections += 1
            try:
                while not writer.is_closing():
                    request = await _read(reader)
                    server.requests.append(request)
                    await answer(request, writer)
            except (asyncio.IncompleteReadError, ConnectionError):
                pass
            finally:
                writer.close()

        listening = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
        server.port = listening.sockets[0].getsockname()[1]
        ready.set()

    thread = threading.Thread(target=_run, args=(loop, begin), daemon=True)
    thread.start()
    assert ready.wait(60)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(60)


def _run(loop: asyncio.AbstractEventLoop, begin: Callable[[], Awaitable[None]]) -> None:
    asyncio.set_event_loop(loop)
    loop.create_task(begin())  # type: ignore[arg-type]
    loop.run_forever()
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0.01))
    loop.close()


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    start, *lines = head.rstrip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(start, headers, body)
