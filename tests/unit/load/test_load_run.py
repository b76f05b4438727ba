"""Runs against small servers: well, slow, stalling, failing, hanging up, and talking nonsense."""

import asyncio
import os
import signal
import sys
import threading
import time
from dataclasses import replace

import pytest

from sagedock.errors import InvalidRequest, SagedockError
from sagedock.load import Body, Closed, Open, Plan, Result, Shape, UrlTarget, run
from sagedock.load.progress import Progress
from tests.unit.load.serving import OK, Asked, Server, after, always, serving

pytest.importorskip("httptools")

NEVER = 3600.0


def plan(server: Server, **changes: object) -> Plan:
    """Twenty requests, by two users."""
    made = Plan(
        target=UrlTarget(url=server.url()),
        shape=Closed(concurrency=2),
        duration_s=30,
        requests=20,
        timeout_s=20,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def failures(result: Result) -> list[tuple[str, int, int]]:
    return [(each.kind, each.status, each.count) for each in result.errors]


def test_a_closed_loop_asks_as_often_as_told_over_connections_that_are_kept() -> None:
    with serving() as server:
        result = run(plan(server))
    assert (result.answered, result.failed, result.unfinished) == (20, 0, 0)
    assert len(server.requests) == 20
    assert server.connections == result.generator.connections == 2
    assert result.latency is not None
    assert result.latency.count == 20
    assert 0 < result.latency.min_ms <= result.latency.p50_ms <= result.latency.max_ms
    assert result.rate == pytest.approx(20 / result.lasted_s)
    assert result.received_bytes == 20 * len(OK)
    assert result.sent_bytes > 20 * len("POST /invocations HTTP/1.1")


def test_a_run_ends_by_its_duration_and_the_warm_up_is_not_counted() -> None:
    with serving(after(0.01)) as server:
        began = time.monotonic()
        result = run(plan(server, requests=None, duration_s=0.4, warmup_s=0.4))
        took = time.monotonic() - began
    assert 0.8 <= took < 10
    assert 0.35 <= result.lasted_s <= took - 0.39  # which the warm-up took
    assert 0 < result.answered < len(server.requests)
    assert sum(each.answered for each in result.timeline) <= result.answered


def test_bodies_take_turns_and_the_request_is_as_given() -> None:
    bodies = (Body(data=b"1,2", content_type="text/csv"), Body(data=b"[3]"))
    with serving() as server:
        target = UrlTarget(
            url=server.url("/a?b=c"), bodies=bodies, headers={"X-Own": "1", "accept": "text/csv"}
        )
        run(plan(server, target=target, requests=4, shape=Closed(concurrency=1)))
    assert [each.body for each in server.requests] == [b"1,2", b"[3]"] * 2
    first = server.requests[0]
    assert first.start == "POST /a?b=c HTTP/1.1"
    assert first.headers == {
        "host": f"127.0.0.1:{server.port}",
        "content-type": "text/csv",
        "x-own": "1",
        "accept": "text/csv",
        "content-length": "3",
    }


def test_an_open_loop_sends_when_due_whatever_is_answered() -> None:
    with serving(after(0.2)) as server:
        result = run(plan(server, shape=Open(rate=100), requests=50))
    assert (result.answered, result.failed) == (50, 0)  # ten users at most would have got 25
    assert result.latency is not None
    assert result.latency.min_ms >= 199
    assert result.generator.lag is not None
    assert result.generator.lag.count == 50
    assert server.connections > 10


def test_a_stall_shows_in_every_request_that_was_due_meanwhile() -> None:
    """One connection, stalled once for a second: a closed loop would see one slow answer."""
    stalls = iter([0.0, 1.0])

    async def stall_once(_: Asked, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(next(stalls, 0.0))
        writer.write(OK)

    with serving(stall_once) as server:
        shape = Open(rate=100, most_connections=1)
        result = run(plan(server, shape=shape, requests=100))
    assert (result.answered, result.failed) == (100, 0)
    assert result.latency is not None
    assert result.latency.p50_ms > 400  # half of them were due in the first half of the stall
    assert result.latency.max_ms >= 990


def test_what_is_not_answered_in_time_has_failed_and_the_others_go_on() -> None:
    seen = iter(range(1000))

    async def every_other(_: Asked, writer: asyncio.StreamWriter) -> None:
        if next(seen) % 2:
            await asyncio.sleep(NEVER)
        writer.write(OK)

    with serving(every_other) as server:
        result = run(plan(server, requests=8, shape=Closed(concurrency=8), timeout_s=2))
    assert result.answered == 4
    assert failures(result) == [("timeout", 0, 4)]
    assert result.errors[0].detail == "waited 2 s for an answer"


def test_what_finds_no_connection_in_time_has_failed_too() -> None:
    with serving(after(NEVER)) as server:
        shape = Open(rate=50, most_connections=1)
        result = run(plan(server, shape=shape, requests=10, timeout_s=0.3))
    assert (result.answered, result.failed, result.latency) == (0, 10, None)
    assert {each.detail for each in result.errors} <= {
        "waited 0.3 s for an answer",
        "waited 0.3 s for a connection",
    }


def test_failures_are_counted_by_status_with_the_first_example() -> None:
    statuses = iter([500, 200, 503, 500] * 5)

    async def fail(_: Asked, writer: asyncio.StreamWriter) -> None:
        status = next(statuses)
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 3\r\n\r\n{status}".encode())

    with serving(fail) as server:
        result = run(plan(server))
    assert failures(result) == [("status", 500, 10), ("status", 503, 5)]
    assert [each.example for each in result.errors] == ["500", "503"]
    assert (result.answered, result.failed_share) == (5, 0.75)
    assert server.connections == 2


@pytest.mark.parametrize(
    ("answer", "kind", "detail"),
    [
        (b"", "closed", "the server hung up instead of answering"),
        (OK[:-1], "closed", "the server hung up in the middle of an answer"),
        (b"SSH-2.0-OpenSSH_9\r\n", "malformed", "not HTTP/1.1"),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "malformed", ""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "malformed", "not HTTP/1.1"),
    ],
)
def test_what_is_no_answer_is_told_apart(answer: bytes, kind: str, detail: str) -> None:
    with serving(always(answer, then_close=True)) as server:
        result = run(plan(server, requests=4))
    assert failures(result) == [(kind, result.errors[0].status, 4)]
    assert result.errors[0].detail.startswith(detail)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\n\r\n{}",
        b"HTTP/1.0 200 \r\n\r\n{}",
    ],
    ids=["closes", "by-its-end", "http-1.0"],
)
def test_servers_that_close_are_asked_over_new_connections(answer: bytes) -> None:
    with serving(always(answer, then_close=True)) as server:
        result = run(plan(server))
    assert (result.answered, failures(result)) == (20, [])
    assert server.connections >= 20


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
    ],
    ids=["continue", "hints", "chunked", "empty"],
)
def test_forms_of_an_answer(answer: bytes) -> None:
    with serving(always(answer)) as server:
        result = run(plan(server))
    assert (result.answered, failures(result)) == (20, [])
    assert server.connections == 2


def test_a_second_answer_is_not_taken_for_that_of_the_next_request() -> None:
    with serving(always(OK + OK)) as server:
        result = run(plan(server, requests=6, shape=Closed(concurrency=1)))
    assert result.answered == 6
    assert len(server.requests) == 6
    assert server.connections == 6


def test_the_first_byte_of_a_stream_is_timed() -> None:
    async def stream(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        writer.write(b"1\r\na\r\n")
        await asyncio.sleep(0.6)
        writer.write(b"1\r\nb\r\n0\r\n\r\n")

    with serving(stream) as server:
        result = run(plan(server, requests=4))
    assert result.latency is not None
    assert result.first_byte is not None
    assert result.latency.min_ms >= 599
    assert result.first_byte.p50_ms < result.latency.min_ms - 100


def test_a_port_where_nobody_listens_is_not_asked_without_a_pause() -> None:
    with serving() as server:
        pass
    result = run(plan(server, requests=None, duration_s=0.5))
    assert result.answered == 0
    assert [each.kind for each in result.errors] == ["connect"]
    assert 2 <= result.failed <= 14
    assert "refused" in result.errors[0].detail.lower()


def test_every_problem_of_a_plan_is_told_at_once_and_nothing_is_sent() -> None:
    with serving() as server, pytest.raises(InvalidRequest) as refused:
        run(plan(server, shape=Open(rate=0), duration_s=-1, requests=0, warmup_s=float("nan")))
    fields = [problem.partition(":")[0] for problem in refused.value.problems]
    assert fields == ["rate", "duration", "warmup", "requests"]
    assert server.connections == 0


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (UrlTarget(url="ftp://x/"), "is not a URL"),
        (UrlTarget(url="http://u:p@127.0.0.1/"), "user name"),
        (UrlTarget(url="http://127.0.0.1:99999/"), "give a host and a port that exist"),
        (UrlTarget(url="http://127.0.0.1/", headers={"A": "b\r\nC: d"}), "printable ASCII"),
        (UrlTarget(url="http://127.0.0.1/a b"), "no spaces"),
        (UrlTarget(url="http://127.0.0.1/é"), "printable ASCII"),
        (UrlTarget(url="http://127.0.0.1/", headers={"Transfer-Encoding": "x"}), "sent whole"),
        (UrlTarget(url="http://127.0.0.1/", method="HEAD"), "use GET"),
    ],
)
def test_what_would_become_another_request_is_refused(target: UrlTarget, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        run(Plan(target=target))


def test_ctrl_c_keeps_what_was_measured() -> None:
    """The interrupt comes once ten answers did; of the eleventh request there is none."""
    answers = iter([OK] * 10)

    async def ten(_: Asked, writer: asyncio.StreamWriter) -> None:
        if (answer := next(answers, None)) is None:
            threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
            await asyncio.sleep(NEVER)
        writer.write(answer or b"")

    with serving(ten) as server:
        began = time.monotonic()
        result = run(plan(server, shape=Closed(concurrency=1), requests=None, timeout_s=60))
    assert time.monotonic() - began < 20
    assert (result.interrupted, result.answered, result.unfinished) == (True, 10, 1)


def test_progress_is_told_and_adds_up() -> None:
    seen: list[Progress] = []
    with serving(after(0.01)) as server:
        run(plan(server, requests=None, duration_s=0.8, warmup_s=0.3), seen.append)
    assert seen[0].is_warming_up
    assert not seen[-1].is_warming_up
    assert seen[-1].answered > 0
    assert seen[-1].of_s == 0.8


def test_an_error_of_the_target_ends_the_run() -> None:
    class Expiring(UrlTarget):
        asked = 0

        def message(self, number: int) -> bytes:
            if number == 5:
                raise PermissionError("the session has expired")
            return super().message(number)

    began = time.monotonic()
    with serving() as server, pytest.raises(PermissionError, match="expired"):
        run(plan(server, target=Expiring(url=server.url()), timeout_s=60))
    assert time.monotonic() - began < 20


def test_cpu_time_of_the_server_is_measured() -> None:
    """The server is a thread of this process, which is asked for itself."""
    with serving() as server:
        result = run(plan(server, requests=2000, server_pid=os.getpid()))
    assert result.server_cpu_us is not None
    assert result.server_cpu_us > 5
    assert result.server_cores is not None
    assert result.server_cores == pytest.approx(
        result.server_cpu_us * 2000 / 1e6 / result.lasted_s, rel=0.01
    )


@pytest.mark.parametrize("shape", [Closed(concurrency=2), Open(rate=200)])
def test_asyncios_own_loop_does_as_well(shape: Shape, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    with serving() as server:
        result = run(plan(server, shape=shape))
    assert (result.answered, result.failed) == (20, 0)


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httptools", None)
    with serving() as server, pytest.raises(SagedockError, match=r"install 'sagedock\[load\]'"):
        run(plan(server))
    assert server.connections == 0


def test_a_process_that_is_none_is_told_before_anything_is_sent() -> None:
    with serving() as server, pytest.raises(InvalidRequest, match="no process 4194305 runs"):
        run(plan(server, server_pid=4194305))
    assert server.connections == 0
