"""Workers that die, hang, or never load; and the pool's own end."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import pytest

from sagedock.runtime.serving.pool.frames import Frame
from tests.unit.runtime.serving.fake_workers import (
    Gate,
    answer_of,
    answering,
    ask,
    echo,
    failing,
    running_pool,
    until,
)


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


def dies_of_poison(frame: Frame) -> bytes:
    if frame.body == b"poison":
        raise OSError("killed")
    return bytes(frame.body)


def test_a_pool_is_healthy_once_every_model_is_loaded() -> None:
    async def test() -> None:
        gate = Gate()
        slow = answering(echo, before=lambda: gate(Frame(0)))
        async with running_pool(answering(echo), slow, ready=False, workers=2) as (pool, _):
            await until(lambda: pool.ready == 1 and gate.entered)
            assert not pool.healthy
            assert (await answer_of(ask(pool, b"one serves already"))).status == 200
            gate.open()
            await until(lambda: pool.healthy)

    run(test())


def test_a_dead_worker_fails_its_own_request_alone_and_is_replaced() -> None:
    async def test() -> None:
        async with running_pool(answering(dies_of_poison), workers=2) as (pool, said):
            poisoned = ask(pool, b"poison")
            answer = await answer_of(poisoned)
            assert answer.status == 500
            assert not pool.healthy  # at once
            assert (await answer_of(ask(pool, b"other"))).body == b"other"
            await until(lambda: pool.healthy)
            assert (pool.counts.lost, pool.counts.started) == (1, 3)
            assert "was killed by SIGKILL; starting another" in said[0]

    run(test())


def test_a_request_whose_worker_the_kernel_killed_for_memory_is_507() -> None:
    async def test() -> None:
        kills = 0
        async with running_pool(
            answering(dies_of_poison), kernel_kills=lambda: kills, workers=2
        ) as (pool, _):
            assert (await answer_of(ask(pool, b"poison"))).status == 500
            await until(lambda: pool.healthy)
            poisoned = ask(pool, b"poison")
            kills = 1
            answer = await answer_of(poisoned)
            assert answer.status == 507
            assert b"no memory is left for this request" in bytes(answer.body)

    run(test())


def test_an_answer_larger_than_may_be_is_refused_and_its_worker_lives_on() -> None:
    async def test() -> None:
        async with running_pool(answering(echo), answer_bytes=1 << 20) as (pool, _):
            assert (await answer_of(ask(pool, b"x" * (1 << 20)))).status == 200
            refused = await answer_of(ask(pool, b"x" * ((1 << 20) + 1)))
            assert (refused.status, bytes(refused.body)) == (
                500,
                b'{"error": "the answer is larger than 1 MB"}',
            )
            assert (await answer_of(ask(pool, b"next"))).body == b"next"
            assert pool.counts.lost == 0

    run(test())


def test_what_waits_is_answered_by_the_workers_successor() -> None:
    async def test() -> None:
        async with running_pool(answering(dies_of_poison)) as (pool, _):
            works = [ask(pool, body) for body in (b"poison", b"a", b"b")]
            answers = [await answer_of(work) for work in works]
            assert [answer.status for answer in answers] == [500, 200, 200]

    run(test())


def test_a_worker_that_hangs_is_ended_and_replaced() -> None:
    async def test() -> None:
        gate = Gate()
        behaviours = answering(gate), answering(echo)
        async with running_pool(*behaviours, timeout_s=1.0) as (pool, said):
            assert (await answer_of(ask(pool, b"hangs"))).status == 504
            await until(lambda: pool.counts.started == 2 and pool.healthy)
            assert (await answer_of(ask(pool, b"next"))).body == b"next"
            assert "has run one batch for 1 s: ending it" in said[0]
            gate.open()

    run(test())


def test_a_model_that_cannot_be_loaded_is_given_up_with_its_cause() -> None:
    async def test() -> None:
        async with running_pool(failing("no file model.pt"), ready=False) as (pool, _):
            assert await asyncio.wait_for(asyncio.shield(pool.failed), 60) == "no file model.pt"
            assert pool.counts.started == 3
            assert not pool.healthy

    run(test())


def test_a_model_that_no_attempt_would_load_is_given_up_at_once() -> None:
    async def test() -> None:
        behaviour = failing("SyntaxError", hopeless=True)
        async with running_pool(behaviour, ready=False) as (pool, _):
            assert await asyncio.wait_for(asyncio.shield(pool.failed), 60) == "SyntaxError"
            assert pool.counts.started == 1
            assert not pool.healthy

    run(test())


def test_a_start_that_fails_once_is_tried_again() -> None:
    async def test() -> None:
        behaviours = failing("a race"), answering(echo)
        async with running_pool(*behaviours) as (pool, said):
            assert (await answer_of(ask(pool, b"hello"))).body == b"hello"
            assert "a race; starting another" in said[0]
            assert not pool.failed.done()

    run(test())


def test_a_model_that_takes_too_long_to_load_is_given_up() -> None:
    async def test() -> None:
        gate = Gate()
        slow = answering(echo, before=lambda: gate(Frame(0)))
        async with running_pool(slow, ready=False, startup_timeout_s=0.05) as (pool, _):
            cause = await asyncio.wait_for(asyncio.shield(pool.failed), 60)
            assert cause == "the model was not loaded within 0.05 s"
            gate.open()

    run(test())


def test_a_pool_drains_before_it_ends() -> None:
    async def test() -> None:
        async with running_pool(
            answering(lambda frame: time.sleep(0.01) or echo(frame)), workers=2
        ) as (pool, _):
            works = [ask(pool, b"x") for _ in range(24)]
            assert await pool.drain(60)
            assert [work.answer.result().status for work in works] == [200] * 24

    run(test())


def test_what_outlasts_the_drain_is_told_so() -> None:
    async def test() -> None:
        gate = Gate()
        async with running_pool(answering(gate)) as (pool, _):
            works = [ask(pool, b"running"), ask(pool, b"waiting")]
            await until(lambda: gate.entered)
            assert not await pool.drain(0.05)
            assert [work.answer.result().status for work in works] == [503, 503]
            gate.open()  # the answer that comes now is nobody's
            await until(lambda: len(gate.left) == 1)
            assert pool.healthy

    run(test())


def test_an_error_of_the_pools_own_ends_the_server() -> None:
    async def test() -> None:
        async with running_pool(answering(echo)) as (pool, _):
            pool._links[0].overdue = None  # type: ignore[assignment, method-assign]
            with pytest.raises(TypeError):
                await asyncio.wait_for(asyncio.shield(pool.failed), 60)

    run(test())
