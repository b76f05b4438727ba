"""The HTTP client of transform jobs: whatever a container answers, an answer or a clear end."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from sagedock.local.transform.connection import Answer, Broken, Connection, TimedOut

HEAD = b"POST /invocations HTTP/1.1\r\nHost: x\r\n"


@contextmanager
def container(*answers: bytes | Callable[[socket.socket], None]) -> Iterator[tuple[str, int]]:
    """Listen; each connection is given the next answer, and closed."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for answer in answers:
                try:
                    accepted, _ = server.accept()
                except OSError:
                    return
                with accepted:
                    if callable(answer):
                        answer(accepted)
                    else:
                        read_request(accepted)
                        accepted.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()
        server.shutdown(socket.SHUT_RDWR)  # which wakes a thread that accepts
        thread.join(60)


def read_request(accepted: socket.socket) -> bytes:
    """Return one request, whole, however its body is sent."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += accepted.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    if b"chunked" in head:
        while not body.endswith(b"0\r\n\r\n"):
            body += accepted.recv(65536)
    else:
        size = int(head.rpartition(b"Content-Length: ")[2])
        while len(body) < size:
            body += accepted.recv(65536)
    return head + b"\r\n\r\n" + body


def test_the_content_type_is_told_as_it_was_written() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-TYPE:  multipart/mixed; boundary=AbC \r\n"
    found = asked(head + b"CONTENT-LENGTH: 2\r\nConnection: Close\r\n\r\nok")
    assert found == Answer(200, b"ok", "multipart/mixed; boundary=AbC")


def asked(answer: bytes, body: bytes = b"in") -> Answer:
    with container(answer) as address:
        return Connection(address).ask(HEAD, body, 5)


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nout", 200, b"out"),
        (b"HTTP/1.1 200 OK\r\ncontent-length:3\r\n\r\nout", 200, b"out"),
        (b"HTTP/1.1 500\r\nContent-Length: 0\r\n\r\n", 500, b""),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.0 200 OK\r\n\r\nout until the end", 200, b"out until the end"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"3;a=b\r\nout\r\nA\r\n0123456789\r\n0\r\nX-Trailer: 1\r\n\r\n",
            200,
            b"out0123456789",
        ),
        (
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Made\r\nContent-Length: 1\r\n\r\nx",
            201,
            b"x",
        ),
    ],
)
def test_answers(answer: bytes, status: int, body: bytes) -> None:
    assert asked(answer) == Answer(status, body)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"no HTTP at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nout",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nou",
        b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 30_000,
        b"HTTP/1.1 abc OK\r\n\r\n",
    ],
)
def test_what_is_no_answer_is_broken(answer: bytes) -> None:
    with pytest.raises(Broken):
        asked(answer)


def test_a_connection_is_kept_and_replaced_once_the_container_has_closed_it() -> None:
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d"
    seen = []

    def twice(accepted: socket.socket) -> None:
        for number in (1, 2):
            seen.append(read_request(accepted))
            accepted.sendall(ok % number)

    with container(twice, ok % 3) as address:
        connection = Connection(address)
        assert [connection.ask(HEAD, b"in", 5).body for _ in range(3)] == [b"1", b"2", b"3"]
    assert seen[0] == seen[1] == HEAD + b"Content-Length: 2\r\n\r\nin"


def test_an_answer_that_broke_off_is_not_asked_for_again() -> None:
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1"

    def breaks(accepted: socket.socket) -> None:
        read_request(accepted)
        accepted.sendall(ok)
        read_request(accepted)
        accepted.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nout")

    with container(breaks, ok) as address:
        connection = Connection(address)
        connection.ask(HEAD, b"in", 5)
        with pytest.raises(Broken):
            connection.ask(HEAD, b"in", 5)


def test_a_stream_is_sent_in_chunks_and_again_where_the_connection_was_stale() -> None:
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1"
    seen = []

    def keep(accepted: socket.socket) -> None:
        seen.append(read_request(accepted))
        accepted.sendall(ok)

    with container(keep, keep) as address:
        connection = Connection(address)
        connection.ask(HEAD, b"in", 5)
        connection.ask(HEAD, [b"a", b"bc"], 5)
    assert seen[1] == (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n")


def test_nothing_that_listens_is_broken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
    with pytest.raises(Broken):
        Connection(address).ask(HEAD, b"", 5)


def test_the_time_is_for_the_whole_answer() -> None:
    over = threading.Event()

    def drips(accepted: socket.socket) -> None:
        read_request(accepted)
        accepted.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")
        while not over.wait(0.05):
            accepted.sendall(b"x")

    with container(drips) as address:
        with pytest.raises(TimedOut):
            Connection(address).ask(HEAD, b"", 0.4)
        over.set()


def test_a_request_that_is_interrupted_ends_at_once() -> None:
    over, asks = threading.Event(), threading.Event()

    def hangs(accepted: socket.socket) -> None:
        read_request(accepted)
        asks.set()
        over.wait(60)

    with container(hangs) as address:
        connection = Connection(address)
        ended: list[Exception] = []

        def ask() -> None:
            try:
                connection.ask(HEAD, b"", 60)
            except Broken as error:
                ended.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        assert asks.wait(60)
        began = time.monotonic()
        connection.interrupt()
        thread.join(60)
        assert ended
        assert time.monotonic() - began < 5
        with pytest.raises(Broken):
            connection.ask(HEAD, b"", 5)
        over.set()
