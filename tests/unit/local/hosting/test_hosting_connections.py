"""Connections to containers: whatever a server answers, well or badly."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from sagedock.local.hosting.calls import TimedOut, Unreachable, call
from sagedock.local.hosting.connection import Answer, Broken
from sagedock.local.hosting.routes import Backend

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
REQUEST = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"


def asked(serve: Serve, times: int = 1, **more: object) -> list[Answer]:
    """Return what ``serve`` answers to so many requests, one after the other."""

    async def run() -> list[Answer]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        backend = Backend("127.0.0.1", server.sockets[0].getsockname()[1])
        answers = []
        async with server:
            for _ in range(times):
                connection, answer = await call(
                    backend, REQUEST, timeout_s=0.5, **{"most_bytes": 100, **more}
                )
                connection.release()
                answers.append(answer)
            for connection in backend.idle:
                connection.close()
        return answers

    return asyncio.run(run())


def says(*pieces: bytes, close: bool = False) -> Serve:
    """Return a server that answers each request with ``pieces``, one write each."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (await reader.read(1000)) != b"":
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.01)
            if close:
                break
        writer.close()

    return serve


OK = b"HTTP/1.1 200 OK\r\n"


def test_a_body_with_a_length() -> None:
    (answer,) = asked(says(OK + b"Content-Length: 5\r\nX-A: b\r\n\r\n", b"he", b"llo"))
    assert (answer.status, answer.body, answer.header(b"x-a")) == (200, b"hello", b"b")


def test_a_body_in_chunks() -> None:
    (answer,) = asked(
        says(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"3\r\nabc\r\n", b"0\r\n\r\n")
    )
    assert answer.body == b"abc"


def test_a_body_that_ends_with_the_connection() -> None:
    answers = asked(says(OK + b"\r\n", b"abc", close=True), times=2)
    assert [answer.body for answer in answers] == [b"abc", b"abc"]


def test_a_status_without_a_body() -> None:
    (answer,) = asked(says(b"HTTP/1.1 204 No Content\r\n\r\n"))
    assert (answer.status, answer.body) == (204, b"")


def test_an_announcement_before_the_answer() -> None:
    (answer,) = asked(
        says(b"HTTP/1.1 100 Continue\r\nX-A: b\r\n\r\n", OK + b"Content-Length: 2\r\n\r\nok")
    )
    assert (answer.status, answer.body, answer.header(b"x-a")) == (200, b"ok", None)


def test_a_kept_connection_that_the_server_closes_is_replaced() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK + b"Content-Length: 2\r\n\r\nok")
        await reader.read(1000)  # the next request comes, and is not answered
        writer.close()

    assert [answer.body for answer in asked(serve, times=3)] == [b"ok"] * 3


@pytest.mark.parametrize(
    "pieces",
    [
        (b"no http at all\r\n\r\n",),
        (OK + b"Content-Length: 5\r\n\r\n", b"he"),
        (OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", b"hello"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"zz\r\n"),
        (),
    ],
)
def test_what_is_no_whole_answer_is_broken(pieces: tuple[bytes, ...]) -> None:
    with pytest.raises(Broken):
        asked(says(*pieces, close=True))


def test_more_than_may_come_ends_the_answer() -> None:
    (answer,) = asked(says(OK + b"Content-Length: 101\r\n\r\n", b"x" * 101))
    assert not answer.complete


def test_an_answer_that_does_not_come_times_out() -> None:
    with pytest.raises(TimedOut):
        asked(says())


def test_where_nobody_listens() -> None:
    async def run() -> None:
        await call(Backend("127.0.0.1", 1), REQUEST, timeout_s=1, most_bytes=1)

    with pytest.raises(Unreachable):
        asyncio.run(run())
