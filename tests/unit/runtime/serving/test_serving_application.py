"""The serving contract over HTTP: /ping, bodies, queues, clients that leave."""

import asyncio

import pytest

from sagedock.runtime.serving.pool.frames import Frame
from tests.unit.runtime.serving.fake_workers import (
    Gate,
    answering,
    echo,
    until,
)
from tests.unit.runtime.serving.served import (
    MB,
    reply,
    request,
    run,
    served,
    tell_headers,
)


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
