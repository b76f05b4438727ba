"""The queue, its bounds, batches, deadlines, and clients that leave."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from sagedock.runtime.serving.pool.frames import Frame, Kind
from sagedock.runtime.serving.pool.pool import Full
from sagedock.runtime.serving.pool.work import CutShort
from sagedock.runtime.serving.worker.channel import Channel
from tests.unit.runtime.serving.fake_workers import (
    Gate,
    answer_of,
    answering,
    ask,
    echo,
    running_pool,
    until,
)


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


def test_every_request_gets_its_own_answer() -> None:
    async def test() -> None:
        async with running_pool(answering(echo), workers=3, waiting=1000) as (pool, _):
            works = [ask(pool, b"%d" % number) for number in range(500)]
            answers = [await answer_of(work) for work in works]
            assert [answer.body for answer in answers] == [b"%d" % n for n in range(500)]
            assert (pool.waiting, pool.running) == (0, 0)

    run(test())


def test_as_many_wait_as_may_and_no_more() -> None:
    async def test() -> None:
        gate = Gate()
        async with running_pool(answering(gate), waiting=3) as (pool, _):
            first = ask(pool, b"first")
            await until(lambda: gate.entered)
            waiting = [ask(pool, b"next") for _ in range(3)]
            with pytest.raises(Full):
                pool.enter(1)
            gate.open()
            for work in (first, *waiting):
                assert (await answer_of(work)).status == 200
            pool.enter(1)

    run(test())


def test_a_request_that_is_still_coming_in_holds_a_place() -> None:
    async def test() -> None:
        async with running_pool(answering(echo), waiting=1) as (pool, _):
            pool.enter(1)  # for the worker, which is free
            pool.enter(1)
            with pytest.raises(Full):
                pool.enter(1)
            pool.leave()
            pool.enter(1)

    run(test())


def test_large_bodies_are_bounded_by_their_bytes() -> None:
    async def test() -> None:
        gate = Gate()
        async with running_pool(answering(gate), waiting_bytes=100) as (pool, _):
            ask(pool, b"first")
            await until(lambda: gate.entered)
            ask(pool, b"x" * 80)
            with pytest.raises(Full):
                pool.enter(30)
            ask(pool, b"y" * 20)
            gate.open()

    run(test())


def test_a_client_that_leaves_frees_its_place_and_is_never_run() -> None:
    async def test() -> None:
        gate = Gate()
        async with running_pool(answering(gate), waiting=1) as (pool, _):
            running = ask(pool, b"running")
            await until(lambda: gate.entered)
            pool.abandon(ask(pool, b"gone"))
            stays = ask(pool, b"stays")
            gate.open()
            assert (await answer_of(running)).body == b"running"
            assert (await answer_of(stays)).body == b"stays"
            assert gate.entered == [b"running", b"stays"]

    run(test())


def test_the_result_of_a_client_that_left_is_dropped() -> None:
    async def test() -> None:
        gate = Gate()
        async with running_pool(answering(gate)) as (pool, _):
            gone = ask(pool, b"gone")
            await until(lambda: gate.entered)
            pool.abandon(gone)
            gate.open()
            assert (await answer_of(ask(pool, b"next"))).body == b"next"
            assert gone.answer.cancelled()

    run(test())


@pytest.mark.parametrize(("takes", "most", "largest"), [(8, 32, 8), (100, 4, 4), (1, 32, 1)])
def test_batches_are_as_large_as_both_sides_allow(takes: int, most: int, largest: int) -> None:
    sizes: list[int] = []
    gate = Gate()

    def behave(channel: Channel) -> str:
        channel.send([Frame(Kind.READY, takes)])
        while True:
            batch = channel.batch()
            sizes.append(len(batch))
            gate(batch[0])
            channel.send([Frame(Kind.ANSWER, f.id, 200, body=f.body) for f in batch])

    async def test() -> None:
        async with running_pool(behave, batch_size=most) as (pool, _):
            first = ask(pool, b"alone")
            await until(lambda: gate.entered)
            works = [ask(pool, b"%d" % number) for number in range(20)]
            gate.open()
            assert [(await answer_of(w)).body for w in works] == [b"%d" % n for n in range(20)]
            assert (await answer_of(first)).body == b"alone"
            assert sizes[0] == 1  # a lone request does not wait for others
            assert max(sizes) == largest
            assert sum(sizes) == pool.counts.batched == 21

    run(test())


def test_a_request_that_no_worker_takes_in_time_may_be_tried_again() -> None:
    async def test() -> None:
        gate = Gate()
        async with running_pool(answering(gate), timeout_s=1) as (pool, _):
            running = ask(pool, b"running")
            await until(lambda: gate.entered)
            waiting = ask(pool, b"waiting")
            answers = [await answer_of(running), await answer_of(waiting)]
            assert [answer.status for answer in answers] == [504, 503]
            assert b"retry-after" in answers[1].headers
            assert gate.entered == [b"running"]
            gate.open()

    run(test())


def streaming(count: int, piece: bytes, whole: bool = True) -> Any:
    """Return a worker that streams its answers; what it could send is in ``sent``."""
    sent: list[int] = []

    def behave(channel: Channel) -> str:
        channel.send([Frame(Kind.READY, 1)])
        while True:
            (frame,) = channel.batch()
            channel.send([Frame(Kind.START, frame.id, 200)])
            for number in range(count):
                if channel.abandoned(frame.id):
                    break
                channel.send([Frame(Kind.PIECE, frame.id, body=piece)])
                sent.append(number)
            channel.send([Frame(Kind.END, frame.id, 200 if whole else 500)])

    return behave, sent


def test_a_streamed_answer_comes_in_pieces() -> None:
    async def test() -> None:
        behave, _ = streaming(3, b"piece")
        async with running_pool(behave) as (pool, _):
            answer = await answer_of(ask(pool, b""))
            assert answer.pieces is not None
            assert [piece async for piece in answer.pieces] == [b"piece"] * 3
            assert pool.running == 0

    run(test())


def test_a_stream_that_breaks_is_not_taken_for_a_whole_one() -> None:
    async def test() -> None:
        behave, _ = streaming(2, b"piece", whole=False)
        async with running_pool(behave) as (pool, _):
            answer = await answer_of(ask(pool, b""))
            pieces = []
            with pytest.raises(CutShort):
                async for piece in answer.pieces:
                    pieces.append(piece)
            assert pieces == [b"piece"] * 2

    run(test())


def test_a_client_that_reads_slowly_makes_the_worker_wait() -> None:
    async def test() -> None:
        behave, sent = streaming(200, b"x" * 100_000)
        async with running_pool(behave) as (pool, _):
            answer = await answer_of(ask(pool, b""))
            for _ in range(200):  # nothing is read: what is sent comes to a halt
                before = len(sent)
                await asyncio.sleep(0.05)
                if before >= 10 and len(sent) == before:
                    break
            assert 10 <= len(sent) < 100
            assert len([piece async for piece in answer.pieces]) == 200

    run(test())


def test_a_client_that_leaves_ends_the_stream_and_frees_the_worker() -> None:
    async def test() -> None:
        behave, sent = streaming(1_000_000, b"x" * 10_000)
        async with running_pool(behave) as (pool, _):
            work = ask(pool, b"")
            answer = await answer_of(work)
            await anext(aiter(answer.pieces))
            pool.abandon(work)
            await until(lambda: pool.running == 0)
            assert len(sent) < 100_000

    run(test())


def test_a_request_that_is_overdue_when_its_stream_starts_holds_nothing() -> None:
    async def test() -> None:
        gate = Gate()

        def behave(channel: Channel) -> str:
            channel.send([Frame(Kind.READY, 2)])
            while True:
                for frame in channel.batch():
                    gate(frame)
                    channel.send([Frame(Kind.START, frame.id, 200)])
                    channel.send([Frame(Kind.PIECE, frame.id, body=b"late")])
                    channel.send([Frame(Kind.END, frame.id, 200)])

        async with running_pool(behave, timeout_s=30) as (pool, _):
            work = ask(pool, b"")
            await until(lambda: gate.entered)
            work.deadline = 0.0
            assert (await answer_of(work)).status == 504
            gate.open()
            await until(lambda: pool.running == 0)

    run(test())
