"""The serving contract over HTTP, before workers that are threads: real connections, no model."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from sagedock.runtime.serving.front.access_log import AccessLog
from sagedock.runtime.serving.front.application import Application
from sagedock.runtime.serving.front.invocation import Invocations
from sagedock.runtime.serving.front.listener import admit_no_more, listen
from sagedock.runtime.serving.front.metrics import Metrics
from sagedock.runtime.serving.front.server import Server
from sagedock.runtime.serving.options import Options
from sagedock.runtime.serving.pool.frames import Frame, Kind
from sagedock.runtime.serving.pool.pool import Pool
from sagedock.runtime.serving.worker.channel import Channel
from tests.unit.runtime.serving.fake_workers import (
    Behaviour,
    Gate,
    answering,
    echo,
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


# --- /ping ---------------------------------------------------------------------------------------


def test_ping_is_200_once_the_model_is_loaded_and_not_before() -> None:
    async def test() -> None:
        gate = Gate()
        slow = answering(echo, before=lambda: gate(Frame(0)))
        async with served(slow, ready=False) as server:
            early = await server.ask("GET", "/ping")
            assert (early.status, early.error) == (503, "0 of 1 workers can serve")
            gate.open()
            await until(lambda: server.pool.healthy)
            assert (await server.ask("GET", "/ping")).status == 200
            assert [line["status"] for line in server.logged] == [503]  # 200 is not worth a line

    run(test())


def test_ping_is_503_as_soon_as_a_worker_is_dead() -> None:
    async def test() -> None:
        gate = Gate()

        def dies(frame: Frame) -> bytes:
            raise OSError

        again = answering(echo, before=lambda: gate(Frame(0)))
        async with served(answering(dies), again) as server:
            assert (await server.invoke()).status == 500
            assert (await server.ask("GET", "/ping")).status == 503
            gate.open()
            await until(lambda: server.pool.healthy)
            assert (await server.ask("HEAD", "/ping")).status == 200

    run(test())


def test_ping_does_not_wait_for_inference() -> None:
    async def test() -> None:
        gate = Gate()
        async with served(answering(gate)) as server:
            waiting = [asyncio.create_task(server.invoke()) for _ in range(50)]
            await until(lambda: server.pool.waiting == 49)
            assert (await server.ask("GET", "/ping")).status == 200
            gate.open()
            assert {(await each).status for each in waiting} == {200}

    run(test())


# --- /invocations --------------------------------------------------------------------------------


def test_every_header_reaches_the_model_and_unknown_ones_do_no_harm() -> None:
    async def test() -> None:
        async with served(answering(tell_headers)) as server:
            found = await server.invoke(
                X_Amzn_SageMaker_Custom_Attributes="trace=7", X_Amzn_SageMaker_From_2030="new"
            )
            assert found.status == 200
            assert b"x-amzn-sagemaker-custom-attributes\0trace=7" in found.body

    run(test())


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/invocations", 405, "POST"),
        ("POST", "/ping", 405, "GET"),
        ("DELETE", "/metrics", 405, "GET"),
        ("GET", "/", 404, None),
        ("POST", "/models", 404, None),
    ],
)
def test_what_is_not_served_is_refused(
    method: str, path: str, status: int, allow: str | None
) -> None:
    async def test() -> None:
        gate = Gate()
        async with served(answering(gate)) as server:
            found = await server.ask(method, path)
            assert (found.status, found.headers.get("allow")) == (status, allow)
            assert gate.entered == []
            gate.open()

    run(test())


@pytest.mark.parametrize("size", [6 * MB, 25 * MB])
def test_large_bodies_go_both_ways(size: int) -> None:
    async def test() -> None:
        body = bytes(range(256)) * (size // 256)
        async with served(answering(echo)) as server:
            found = await server.invoke(body)
            assert (found.status, found.body == body) == (200, True)
            assert server.logged[-1]["received"] == server.logged[-1]["sent"] == size

    run(test())


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_gets_a_clean_413(chunked: bool) -> None:
    async def test() -> None:
        async with served(answering(echo), SAGEMAKER_MAX_PAYLOAD_IN_MB="1") as server:
            reader, writer = await server.open()
            body = b"x" * (MB + 1)
            if chunked:
                head = request(
                    "POST", "/invocations", transfer_encoding="chunked", content_length=""
                )
                writer.write(head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
            else:
                writer.write(request("POST", "/invocations", body))
            found = await reply(reader)
            assert (found.status, found.error) == (413, "the body is larger than 1 MB")
            writer.write(request("POST", "/invocations", b"next"))
            assert (await reply(reader)).body == b"next"
            assert server.pool.waiting == 0
            writer.close()

    run(test())


def test_a_body_in_chunks_is_read() -> None:
    async def test() -> None:
        async with served(answering(echo)) as server:
            reader, writer = await server.open()
            head = request("POST", "/invocations", transfer_encoding="chunked", content_length="")
            writer.write(head + b"3\r\nabc\r\n")
            await asyncio.sleep(0.02)
            writer.write(b"2\r\nde\r\n0\r\n\r\n")
            assert (await reply(reader)).body == b"abcde"
            writer.close()

    run(test())


def test_a_full_queue_says_when_to_come_again() -> None:
    async def test() -> None:
        gate = Gate()
        async with served(answering(gate), SAGEDOCK_QUEUE_SIZE="2") as server:
            waiting = [asyncio.create_task(server.invoke()) for _ in range(3)]
            await until(lambda: server.pool.running == 1 and server.pool.waiting == 2)
            found = await server.invoke()
            assert (found.status, found.headers["retry-after"]) == (503, "1")
            gate.open()
            assert [(await each).status for each in waiting] == [200] * 3

    run(test())


def test_a_client_that_hangs_up_frees_its_place() -> None:
    async def test() -> None:
        gate = Gate()
        async with served(answering(gate), SAGEDOCK_QUEUE_SIZE="1") as server:
            running = asyncio.create_task(server.invoke(b"running"))
            await until(lambda: gate.entered)
            _, writer = await server.open()
            writer.write(request("POST", "/invocations", b"gone"))
            await until(lambda: server.pool.waiting == 1)
            await asyncio.sleep(0.11)  # the server looks whether clients of slow requests stay
            server.invocations.watch()
            writer.close()
            await until(lambda: server.pool.waiting == 0)
            next_one = asyncio.create_task(server.invoke(b"next"))
            await until(lambda: server.pool.waiting == 1)
            gate.open()
            assert ((await running).body, (await next_one).body) == (b"running", b"next")
            assert gate.entered == [b"running", b"next"]
            assert 499 in [line["status"] for line in server.logged]

    run(test())


def test_a_client_that_hangs_up_in_its_body_frees_its_place() -> None:
    async def test() -> None:
        async with served(answering(echo), SAGEDOCK_QUEUE_SIZE="1") as server:
            _, writer = await server.open()
            writer.write(request("POST", "/invocations", b"half", content_length="100"))
            await until(lambda: server.pool.waiting == 1)
            writer.close()
            await until(lambda: server.pool.waiting == 0)
            assert (await server.invoke()).status == 200

    run(test())


def test_a_slow_model_is_answered_for_in_time() -> None:
    async def test() -> None:
        gate = Gate()
        seconds = {"SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS": "0.2"}
        async with served(answering(gate), answering(echo), **seconds) as server:
            found = await server.invoke()
            assert (found.status, found.error) == (504, "the model did not answer in time")
            await until(lambda: server.pool.counts.started == 2 and server.pool.healthy)
            assert (await server.invoke()).status == 200
            gate.open()

    run(test())


# --- streams -------------------------------------------------------------------------------------


def stream_of(*pieces: bytes, gate: Gate | None = None, end: int = 200) -> Behaviour:
    """Return a worker that streams; before its last piece it waits at the gate."""

    def behave(channel: Channel) -> str:
        channel.send([Frame(Kind.READY, 1)])
        while True:
            (frame,) = channel.batch()
            headers = b"content-type\0text/event-stream"
            channel.send([Frame(Kind.START, frame.id, 200, headers=headers)])
            for piece in pieces:
                if piece is pieces[-1] and gate:
                    gate(frame)
                channel.send([Frame(Kind.PIECE, frame.id, body=piece)])
            channel.send([Frame(Kind.END, frame.id, end)])

    return behave


def test_a_stream_reaches_the_client_while_it_is_made() -> None:
    async def test() -> None:
        gate = Gate()
        async with served(stream_of(b"first", b"last", gate=gate)) as server:
            reader, writer = await server.open()
            writer.write(request("POST", "/invocations", b"x"))
            head = await reader.readuntil(b"\r\n\r\n")
            assert b"transfer-encoding: chunked" in head.lower()
            assert b"content-type: text/event-stream" in head
            came = chunks(reader)
            assert await anext(came) == b"first"  # the last is not made yet
            gate.open()
            assert [chunk async for chunk in came] == [b"last"]
            writer.write(request("POST", "/invocations", b"x"))  # the connection goes on
            assert (await reply(reader)).body == b"firstlast"
            writer.close()

    run(test())


def test_a_stream_that_breaks_ends_without_its_last_chunk() -> None:
    async def test() -> None:
        async with served(stream_of(b"piece", end=500)) as server:
            with pytest.raises(asyncio.IncompleteReadError):
                await server.invoke()
            assert server.said == []  # no traceback of our own
            assert server.logged[-1]["status"] == 599

    run(test())


def test_a_client_that_leaves_a_stream_frees_the_worker() -> None:
    async def test() -> None:
        async with served(stream_of(*[b"x" * 50_000] * 2000)) as server:
            reader, writer = await server.open()
            writer.write(request("POST", "/invocations", b"x"))
            await reader.readexactly(100_000)
            writer.transport.abort()
            await until(lambda: server.pool.running == 0)
            assert server.logged[-1]["status"] == 499

    run(test())


# --- what else is answered -----------------------------------------------------------------------


def test_batch_transform_learns_how_to_call() -> None:
    async def test() -> None:
        async with served(
            answering(echo),
            SAGEMAKER_MAX_PAYLOAD_IN_MB="40",
            SAGEMAKER_MAX_CONCURRENT_TRANSFORMS="8",
        ) as server:
            found = json.loads((await server.ask("GET", "/execution-parameters")).body)
            assert found == {
                "MaxConcurrentTransforms": 2,  # 2 x 40 MB is no more than 100 MB
                "BatchStrategy": "MULTI_RECORD",
                "MaxPayloadInMB": 40,
            }

    run(test())


def test_numbers_are_told_to_prometheus() -> None:
    async def test() -> None:
        async with served(answering(echo)) as server:
            for _ in range(3):
                await server.invoke(b"12345")
            found = await server.ask("GET", "/metrics")
            assert found.headers["content-type"].startswith("text/plain; version=0.0.4")
            rows = dict(
                line.rsplit(" ", 1)
                for line in found.body.decode().splitlines()
                if not line.startswith("#")
            )
            assert rows['sagedock_invocations_total{status="200"}'] == "3"
            assert rows['sagedock_invocation_seconds_bucket{le="+Inf"}'] == "3"
            assert (rows["sagedock_received_bytes_total"], rows["sagedock_workers_ready"]) == (
                "15",
                "1",
            )

    run(test())


def test_each_invocation_is_a_line_of_json() -> None:
    async def test() -> None:
        async with served(answering(echo)) as server:
            await server.invoke(b"12345")
            await server.ask("GET", '/"quoted"\n'.strip())
            first, second = server.logged
            assert (first["method"], first["path"], first["status"]) == (
                "POST",
                "/invocations",
                200,
            )
            assert (first["received"], first["sent"], first["request"]) == (5, 5, 1)
            assert first["ms"] > 0
            assert first["time"].endswith("Z")
            assert second["path"] == '/"quoted"'

    run(test())


# --- the end -------------------------------------------------------------------------------------


def test_a_stop_answers_all_that_came_in_and_takes_nothing_more() -> None:
    async def test() -> None:
        gate = Gate()
        async with served(answering(gate)) as server:
            waiting = [asyncio.create_task(server.invoke(b"%d" % n)) for n in range(24)]
            await until(lambda: server.pool.waiting == 23)
            reader, writer = await server.open()  # it has come in, and asks nothing so far
            stopping = asyncio.create_task(server.server.stop(server.listener))
            await until(lambda: not accepts(server.port))
            writer.write(request("GET", "/ping"))
            assert (await reply(reader)).status == 503
            writer.close()
            await stopping
            await until(lambda: not accepts(server.port))
            gate.open()
            replies = [await each for each in waiting]
            assert [(r.status, r.headers["connection"]) for r in replies] == [(200, "close")] * 24
            assert {r.body for r in replies} == {b"%d" % n for n in range(24)}
            await asyncio.wait_for(server.serving, 20)

    run(test())


def test_who_has_come_in_before_the_stop_is_not_reset() -> None:
    listener = listen(0, "127.0.0.1")
    with socket.create_connection(listener.getsockname()) as early:
        admit_no_more(listener)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(listener.getsockname())
        accepted, _ = listener.accept()
        listener.close()
        early.sendall(b"asked")
        assert accepted.recv(5) == b"asked"
        accepted.close()


def accepts(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
