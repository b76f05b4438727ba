"""The serving contract over HTTP: streams, numbers, the log, and the end."""

import asyncio
import json
import socket

import pytest

from sagedock.runtime.serving.front.listener import admit_no_more, listen
from sagedock.runtime.serving.pool.frames import Frame, Kind
from sagedock.runtime.serving.worker.channel import Channel
from tests.unit.runtime.serving.fake_workers import (
    Behaviour,
    Gate,
    answering,
    echo,
    until,
)
from tests.unit.runtime.serving.served import (
    chunks,
    reply,
    request,
    run,
    served,
)


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
