"""Short invocations go past ASGI; whichever way one goes, its client sees the same."""

import asyncio
import contextlib
import json

import pytest

from sagedock.runtime.serving.pool.frames import Frame, Kind
from sagedock.runtime.serving.worker.channel import Channel
from tests.unit.runtime.serving.fake_workers import Gate, answering, echo, until
from tests.unit.runtime.serving.served import MB, reply, request, run, served, tell_headers

SIZES = (0, 1, 65_536, 65_537, 2 * MB)


@pytest.mark.parametrize("size", SIZES)
def test_bodies_of_every_size_come_back_on_one_connection(size: int) -> None:
    async def test() -> None:
        async with served(answering(echo)) as server:
            reader, writer = await server.open()
            for _ in range(3):
                writer.write(request("POST", "/invocations", b"x" * size))
                found = await reply(reader)
                assert (found.status, len(found.body)) == (200, size)
            writer.close()
            assert [line["received"] for line in server.logged] == [size] * 3
            assert {line["sent"] for line in server.logged} == {size}

    run(test())


def test_a_body_that_comes_byte_by_byte_is_whole() -> None:
    async def test() -> None:
        async with served(answering(echo)) as server:
            reader, writer = await server.open()
            for byte in request("POST", "/invocations", b"one by one"):
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0)
            assert (await reply(reader)).body == b"one by one"
            writer.close()

    run(test())


def test_requests_sent_ahead_are_answered_in_their_order() -> None:
    async def test() -> None:
        async with served(answering(echo)) as server:
            reader, writer = await server.open()
            large = b"y" * (MB // 8)
            ahead = [b"a", b"b", large, b"c", large, b"d"]
            writer.write(b"".join(request("POST", "/invocations", each) for each in ahead))
            writer.write(request("GET", "/ping"))
            for each in ahead:
                assert (await reply(reader)).body == each
            assert (await reply(reader)).status == 200
            writer.close()

    run(test())


@pytest.mark.parametrize(
    ("headers", "way"),
    [
        ({}, "short"),
        ({"transfer_encoding": "chunked", "content_length": ""}, "chunked"),
        ({"expect": "100-continue"}, "expected"),
    ],
    ids=["short", "chunked", "expected"],
)
def test_the_model_gets_the_same_headers_either_way(headers: dict[str, str], way: str) -> None:
    async def test() -> None:
        async with served(answering(tell_headers)) as server:
            reader, writer = await server.open()
            body = b"4\r\nbody\r\n0\r\n\r\n" if way == "chunked" else b"body"
            writer.write(request("POST", "/invocations", body, X_A="b", **headers))
            if way == "expected":
                assert b"100" in await reader.readuntil(b"\r\n\r\n")
            found = await reply(reader)
            assert found.status == 200
            assert b"x-a\0b" in found.body
            writer.close()

    run(test())


def test_a_full_queue_refuses_at_once_and_the_connection_goes_on() -> None:
    async def test() -> None:
        gate = Gate()
        async with served(answering(gate), SAGEDOCK_QUEUE_SIZE="1") as server:
            waiting = [asyncio.create_task(server.invoke()) for _ in range(2)]
            await until(lambda: server.pool.waiting == 1)
            reader, writer = await server.open()
            writer.write(request("POST", "/invocations", b"late"))
            refused = await reply(reader)
            assert (refused.status, refused.headers["retry-after"]) == (503, "1")
            gate.open()
            assert {(await each).status for each in waiting} == {200}
            writer.write(request("POST", "/invocations", b"again"))
            assert (await reply(reader)).status == 200
            writer.close()

    run(test())


def test_http_1_0_and_close_end_the_connection_after_the_answer() -> None:
    async def test() -> None:
        async with served(answering(echo)) as server:
            for message in (
                request("POST", "/invocations", b"x", connection="close"),
                request("POST", "/invocations", b"x").replace(b"HTTP/1.1", b"HTTP/1.0"),
            ):
                reader, writer = await server.open()
                writer.write(message)
                assert (await reply(reader)).body == b"x"
                assert await asyncio.wait_for(reader.read(), 20) == b""
                writer.close()

    run(test())


def test_a_header_that_would_break_the_answer_is_an_error() -> None:
    def behave(channel: Channel) -> str:
        channel.send([Frame(Kind.READY, 1)])
        while True:
            for frame in channel.batch():
                headers = b"content-type\0text/plain\r\rx-evil: 1"
                channel.send([Frame(Kind.ANSWER, frame.id, 200, headers=headers, body=b"x")])

    async def test() -> None:
        async with served(behave) as server:
            found = await server.invoke()
            assert found.status == 500
            assert "x-evil" not in found.headers
            assert json.loads(found.body)["error"].endswith("a header that cannot be sent")

    run(test())


def test_a_client_that_left_is_logged_and_its_place_is_free() -> None:
    async def test() -> None:
        gate = Gate()
        async with served(answering(gate), SAGEDOCK_QUEUE_SIZE="1") as server:
            busy = asyncio.create_task(server.invoke())
            await until(lambda: server.pool.running == 1)
            _, writer = await server.open()
            writer.write(request("POST", "/invocations", b"leaves"))
            await until(lambda: server.pool.waiting == 1)
            writer.close()
            await until(lambda: server.pool.waiting == 0)
            gate.open()
            assert (await busy).status == 200
            await until(lambda: len(server.logged) == 2)
            assert sorted(line["status"] for line in server.logged) == [200, 499]

    run(test())


@pytest.mark.parametrize(
    ("begun", "more"),
    [
        (b"POST /invocations HTTP/1.1\r\nhost: x\r\nx: ", b"x"),
        (b"GET /", b"x"),
        (
            b"POST /invocations HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n",
            b"a: b\r\n",
        ),
    ],
    ids=["a header", "a path", "trailers"],
)
def test_what_never_ends_is_not_kept(begun: bytes, more: bytes) -> None:
    async def test() -> None:
        async with served(answering(echo)) as server:
            reader, writer = await server.open()
            writer.write(begun)
            part = more * (65_536 // len(more))
            with contextlib.suppress(ConnectionError):
                for _ in range(64):
                    writer.write(part)
                    await writer.drain()
            with contextlib.suppress(ConnectionError):
                async with asyncio.timeout(60):
                    assert (await reader.read()).startswith(b"HTTP/1.1 ")
            writer.close()

    run(test())
