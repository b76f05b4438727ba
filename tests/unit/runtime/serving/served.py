"""The serving contract over real connections, before workers that are threads."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from sagedock.runtime.serving.front.access_log import AccessLog
from sagedock.runtime.serving.front.application import Application
from sagedock.runtime.serving.front.invocation import Invocations
from sagedock.runtime.serving.front.listener import listen
from sagedock.runtime.serving.front.metrics import Metrics
from sagedock.runtime.serving.front.server import Server
from sagedock.runtime.serving.options import Options
from sagedock.runtime.serving.pool.frames import Frame
from sagedock.runtime.serving.pool.pool import Pool
from tests.unit.runtime.serving.fake_workers import (
    Behaviour,
    running_pool,
    until,
)

MB = 1024 * 1024


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


@dataclass(kw_only=True)
class Reply:
    """An answer as it came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> str:
        return str(json.loads(self.body)["error"])


@dataclass(kw_only=True)
class Served:
    """A server in this loop, and what it said and logged."""

    port: int
    pool: Pool
    invocations: Invocations
    server: Server
    serving: "asyncio.Task[None]"
    listener: socket.socket
    lines: list[str]
    said: list[str]
    options: Options
    log: AccessLog = field(repr=False)

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Reply:
        reader, writer = await self.open()
        try:
            writer.write(request(method, path, body, **headers))
            return await reply(reader)
        finally:
            writer.close()

    async def invoke(self, body: bytes = b"[1]", **headers: str) -> Reply:
        return await self.ask("POST", "/invocations", body, **headers)

    @property
    def logged(self) -> list[dict[str, Any]]:
        self.log.flush()
        return [json.loads(line) for line in "".join(self.lines).splitlines()]


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    given = {"host": "x", "content_length": str(len(body)), **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in given.items() if value]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode() + body


async def reply(reader: asyncio.StreamReader) -> Reply:
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
    first, *lines = head.decode().strip().split("\r\n")
    headers = {n.lower(): v for n, _, v in (line.partition(": ") for line in lines)}
    if headers.get("transfer-encoding") == "chunked":
        body = b"".join([chunk async for chunk in chunks(reader)])
    else:
        body = await reader.readexactly(int(headers["content-length"]))
    return Reply(status=int(first.split()[1]), headers=headers, body=body)


async def chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Yield the chunks; IncompleteReadError where the connection ends before the last one."""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        yield await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readexactly(2)


@asynccontextmanager
async def served(*behaviours: Behaviour, ready: bool = True, **variables: str) -> Any:
    """Serve before such workers."""
    options = Options.read({"SAGEMAKER_MODEL_SERVER_WORKERS": "1", **variables})
    async with running_pool(
        *behaviours,
        ready=ready,
        workers=options.workers,
        waiting=options.queue_size,
        timeout_s=options.timeout_s,
    ) as (pool, said):
        lines: list[str] = []
        log = AccessLog(lines.append)
        metrics = Metrics()
        invocations = Invocations(max_payload_mb=options.max_payload_mb, log=log, metrics=metrics)
        application = Application(
            pool=pool, options=options, invocations=invocations, metrics=metrics
        )
        server = Server(application, invocations, said.append, 20)
        listener = listen(0, "127.0.0.1")
        port = listener.getsockname()[1]
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await until(lambda: server.started)
        yield Served(
            port=port,
            pool=pool,
            invocations=invocations,
            server=server,
            serving=serving,
            listener=listener,
            lines=lines,
            said=said,
            options=options,
            log=log,
        )
        server.should_exit = True
        await asyncio.wait_for(serving, 20)


def tell_headers(frame: Frame) -> bytes:
    return frame.headers
