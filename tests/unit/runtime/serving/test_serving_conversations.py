"""Bidirectional streams at the front: handshakes, messages both ways, ends.

The workers are threads, and what stands for uvicorn is a queue of events.
"""

import asyncio
from typing import Any

import pytest

from sagedock.runtime.serving.front.model_routes import ModelRoutes
from sagedock.runtime.serving.pool.frames import Frame, Kind
from sagedock.runtime.serving.pool.messages import binary, closing, text
from sagedock.runtime.serving.worker.channel import Channel
from tests.unit.runtime.serving.fake_workers import (
    Behaviour,
    answer_of,
    answering,
    ask,
    echo,
    until,
)
from tests.unit.runtime.serving.served import run
from tests.unit.runtime.serving.talking import PATH, Client, echoing, front, talking


def test_messages_go_both_ways_until_the_client_leaves() -> None:
    async def test() -> None:
        async with front(talking(echoing)) as made:
            client = Client(made)
            for message in ("text \u20ac", b"\0binary", "", b""):
                client.say(message)
            await until(lambda: len(client.heard) == 4)
            assert client.accepted
            assert client.heard == ["text \u20ac", b"\0binary", "", b""]
            client.leave()
            await client.done
            await made.works_again()
            assert client.sent[-1]["type"] == "websocket.send"  # who has left hears no goodbye
            assert '"status": 101, "received": 15, "sent": 15' in made.logged

    run(test())


def test_a_handler_that_ends_closes_normally() -> None:
    async def test() -> None:
        def once(channel: Channel, opened: Frame) -> None:
            channel.send([Frame(Kind.PIECE, opened.id, body=text("only this"))])

        async with front(talking(once)) as made:
            client = Client(made)
            await client.done
            assert client.heard == ["only this"]
            assert client.closed == (1000, "")
            await made.works_again()

    run(test())


def test_a_handler_that_fails_closes_with_its_code_and_a_reason_that_fits() -> None:
    async def test() -> None:
        def fail(channel: Channel, opened: Frame) -> None:
            piece = closing(1011, "\u20ac" * 100)
            channel.send([Frame(Kind.PIECE, opened.id, body=piece)])

        async with front(talking(fail)) as made:
            client = Client(made)
            await client.done
            assert client.closed == (1011, "\u20ac" * 41)  # 123 bytes
            assert '"status": 599' in made.logged
            await made.works_again()

    run(test())


def test_a_worker_that_dies_closes_with_1011() -> None:
    async def test() -> None:
        def die(channel: Channel, opened: Frame) -> None:
            channel.frame()
            raise OSError

        async with front(talking(die), talking(echoing)) as made:
            client = Client(made)
            await until(lambda: client.accepted)
            client.say("die")
            await client.done
            assert client.closed == (1011, "the model's process ended")
            await until(lambda: made.pool.healthy)
            await made.works_again()

    run(test())


def test_there_are_as_many_at_once_as_may_be() -> None:
    async def test() -> None:
        async with front(talking(echoing), workers=2) as made:
            first = Client(made)
            await until(lambda: first.accepted)
            assert await Client(made).refused() == 503
            await made.works_again()  # the other worker is free for requests
            first.leave()
            await first.done
            second = Client(made)
            await until(lambda: second.accepted)
            second.leave()
            await second.done

    run(test())


def test_a_client_that_leaves_before_a_worker_is_free_is_forgotten() -> None:
    async def test() -> None:
        async with front(talking(echoing), most=2) as made:
            first, second = Client(made), Client(made)
            await until(lambda: first.accepted and made.pool.waiting == 1)
            second.leave()
            await second.done
            assert made.pool.waiting == 0
            assert second.sent == []
            assert '"status": 499' in made.logged
            first.leave()
            await first.done
            await made.works_again()

    run(test())


def test_a_stream_is_no_part_of_a_batch() -> None:
    async def test() -> None:
        async with front(talking(echoing), most=2) as made:
            first = Client(made)
            await until(lambda: first.accepted)
            made.pool._links[0]._pace_s = 0.00001  # many at once, from here on
            before = [ask(made.pool, b"1") for _ in range(3)]
            second = Client(made)
            await until(lambda: made.pool.waiting == 4)
            after = [ask(made.pool, b"2") for _ in range(3)]
            first.leave()
            assert [(await answer_of(work)).body for work in before] == [b"1"] * 3
            await until(lambda: second.accepted)
            assert not any(work.answer.done() for work in after)
            second.leave()
            assert [(await answer_of(work)).body for work in after] == [b"2"] * 3

    run(test())


def test_a_worker_that_does_not_listen_makes_its_client_wait() -> None:
    async def test() -> None:
        listen = asyncio.Event()
        loop = asyncio.get_running_loop()

        def deaf(channel: Channel, opened: Frame) -> None:
            asyncio.run_coroutine_threadsafe(listen.wait(), loop).result(60)
            echoing(channel, opened)

        async with front(talking(deaf)) as made:
            client = Client(made)
            await until(lambda: client.accepted)
            for _ in range(100):
                client.say(b"x" * 1_000_000)
            await until(lambda: client.unheard < 100)
            await asyncio.sleep(0.2)
            assert client.unheard > 50
            listen.set()
            await until(lambda: len(client.heard) == 100)
            client.leave()
            await client.done

    run(test())


def test_a_client_that_does_not_listen_makes_its_worker_wait() -> None:
    async def test() -> None:
        said: list[int] = []

        def chatter(channel: Channel, opened: Frame) -> None:
            for number in range(100):
                body = binary(b"x" * 1_000_000)
                channel.send([Frame(Kind.PIECE, opened.id, body=body)])
                said.append(number)

        async with front(talking(chatter)) as made:
            client = Client(made)
            await until(lambda: client.accepted)
            client.may_send.clear()
            await until(lambda: len(said) > 1)
            await asyncio.sleep(0.2)
            assert len(said) < 50
            client.may_send.set()
            await client.done
            assert len(client.heard) == 100
            assert client.closed == (1000, "")

    run(test())


def test_a_server_that_stops_lets_handlers_end_and_refuses_newcomers() -> None:
    async def test() -> None:
        async with front(talking(echoing), most=3) as made:
            client, waiting = Client(made), Client(made)
            await until(lambda: client.accepted and made.pool.waiting == 1)
            made.invocations.draining = True
            made.conversations.finish()
            await client.done
            assert client.heard == ["goodbye FINISH"]
            assert client.closed == (1001, "the server stops")
            assert await waiting.refused() == 503
            assert await Client(made).refused() == 503
            assert await made.pool.drain(60)

    run(test())


def test_a_handler_that_goes_on_is_cut_short_when_the_grace_is_over() -> None:
    async def test() -> None:
        def stubborn(channel: Channel, opened: Frame) -> None:
            while True:
                channel.frame()

        async with front(talking(stubborn)) as made:
            client = Client(made)
            await until(lambda: client.accepted)
            made.invocations.draining = True
            made.conversations.finish()
            assert not await made.pool.drain(0.1)
            await client.done
            assert client.closed == (1001, "the server stops")

    run(test())


def test_a_conversation_is_not_overdue_but_a_handler_without_a_client_is() -> None:
    async def test() -> None:
        def stubborn(channel: Channel, opened: Frame) -> None:
            while True:
                channel.frame()

        workers = talking(stubborn), talking(echoing)
        async with front(*workers, timeout_s=0.8, stream_timeout_s=0.8) as made:
            client = Client(made)
            await until(lambda: client.accepted)
            await asyncio.sleep(1.2)
            assert not client.done.done()
            client.leave()
            await client.done
            await until(lambda: made.pool.counts.lost == 1 and made.pool.healthy)
            await made.works_again()

    run(test())


@pytest.mark.parametrize(
    ("behaviour", "path", "most", "status"),
    [
        (talking(echoing), "/invocations", 1, 404),
        (talking(echoing), "/", 1, 404),
        (talking(echoing), PATH, 0, 503),
        (answering(echo), PATH, 1, 404),
    ],
)
def test_handshakes_that_are_refused(
    behaviour: Behaviour, path: str, most: int, status: int
) -> None:
    async def test() -> None:
        async with front(behaviour, most=most) as made:
            assert await Client(made, path).refused() == status
            await made.works_again()

    run(test())


def test_a_model_that_is_not_loaded_refuses() -> None:
    async def test() -> None:
        async with front(lambda channel: channel.frame() and "", ready=False) as made:
            assert await Client(made).refused() == 503

    run(test())


def test_the_worker_gets_headers_and_the_query_string() -> None:
    async def test() -> None:
        def tell(channel: Channel, opened: Frame) -> None:
            channel.send([Frame(Kind.PIECE, opened.id, body=binary(opened.headers))])

        async with front(talking(tell)) as made:
            client = Client(made, headers=[(b"x-a", b"b")], query_string=b"voice=low")
            await client.done
            (headers,) = client.heard
            assert headers == b"x-a\0b\nx-amzn-sagemaker-model-query-string\0voice=low"

    run(test())


def test_a_server_of_many_models_refuses() -> None:
    async def test() -> None:
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        async def receive() -> dict[str, Any]:
            return {"type": "websocket.connect"}

        routes = ModelRoutes(models=None, invocations=None, metrics=None)  # type: ignore[arg-type]
        await routes({"type": "websocket", "path": PATH}, receive, send)
        assert sent[0]["status"] == 404

    run(test())
