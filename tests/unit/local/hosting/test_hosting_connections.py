"""Connections to containers: whatever a server answers, well or badly."""

import asyncio
import select
import socket
import threading
import time
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
                    backend, REQUEST, **{"timeout_s": 60, "most_bytes": 100, **more}
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


ANSWER = OK + b"Content-Length: 2\r\n\r\nok"


def twice(then: Callable[[socket.socket], None], pause_s: float) -> tuple[list[bytes], list[bytes]]:
    """Send two requests to a server that answers the first one of each connection, and does
    ``then`` with it. Return the answers, and what was read of requests. The event loop stands still
    for ``pause_s`` in between.
    """
    heard: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                accepted, _ = listener.accept()
            except OSError:  # the test is over
                return
            with accepted:
                heard.append(accepted.recv(1000))
                accepted.sendall(ANSWER)
                then(accepted)

    async def run() -> list[bytes]:
        backend, answers = Backend(*listener.getsockname()), []
        for _ in range(2):
            connection, answer = await call(backend, REQUEST, timeout_s=60, most_bytes=100)
            connection.release()
            answers.append(answer.body)
            time.sleep(pause_s)
        for each in backend.idle:
            each.close()
        return answers

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        try:
            return asyncio.run(run()), heard
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def test_a_kept_connection_that_the_server_closes_is_replaced() -> None:
    answers, heard = twice(lambda accepted: accepted.close(), pause_s=0.2)
    assert (answers, heard) == ([b"ok"] * 2, [REQUEST] * 2)


def test_a_request_that_nobody_read_is_sent_again() -> None:
    def unread(accepted: socket.socket) -> None:
        select.select([accepted], [], [], 60)  # the next request is there; it is left unread

    answers, heard = twice(unread, pause_s=0)
    assert (answers, heard) == ([b"ok"] * 2, [REQUEST] * 2)


def test_a_request_that_was_read_is_not_sent_again() -> None:
    heard: list[bytes] = []

    def ends_of_it(accepted: socket.socket) -> None:
        heard.append(accepted.recv(1000))

    with pytest.raises(Broken):
        twice(ends_of_it, pause_s=0)
    assert heard == [REQUEST]


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
        asked(says(), timeout_s=0.3)


def test_where_nobody_listens() -> None:
    async def run() -> None:
        await call(Backend("127.0.0.1", 1), REQUEST, timeout_s=1, most_bytes=1)

    with pytest.raises(Unreachable):
        asyncio.run(run())
