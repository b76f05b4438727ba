"""HTTP itself, byte by byte: what any client may send, and what none should."""

import socket
from collections.abc import Iterable, Iterator
from itertools import chain, repeat

import pytest

from tests.conftest import Local

LIST = (
    b"POST / HTTP/1.1\r\nhost: local\r\ncontent-type: application/x-amz-json-1.1\r\n"
    b"x-amz-target: SageMaker.ListTrainingJobs\r\n"
)
ENDS = b"connection: close\r\n"
CHUNKED = LIST + b"transfer-encoding: chunked\r\n\r\n"
PROPOSAL = (
    LIST + b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\nUpgrade: h2c\r\n"
    b"content-length: 2\r\n\r\n{}"
)
MANY = 64  # times 64 KiB


def connected(local: Local) -> socket.socket:
    host, port = local.server.endpoint_url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=30)


def sent(local: Local, parts: Iterable[bytes]) -> bytes:
    """Return all that the server answers until it closes; each part is sent by itself."""
    with connected(local) as connection:
        try:
            for part in parts:
                connection.sendall(part)
        except ConnectionError:
            pass  # it has refused the rest
        return b"".join(received(connection))


def received(connection: socket.socket) -> Iterator[bytes]:
    try:
        while part := connection.recv(65536):
            yield part
    except ConnectionError:
        return


@pytest.mark.parametrize(
    "parts",
    [
        [LIST + ENDS + b"content-length: 2\r\n\r\n{}"],
        [LIST + ENDS + b"content-length: 2\r\n\r\n", b"{", b"}"],
        [
            LIST
            + ENDS
            + b"transfer-encoding: chunked\r\n\r\n1\r\n{\r\n1;x=y\r\n}\r\n0\r\nt: v\r\n\r\n"
        ],
        [LIST.replace(b"1.1", b"1.0", 1) + b"content-length: 2\r\n\r\n{}"],
        [bytes([each]) for each in LIST + ENDS + b"content-length: 2\r\n\r\n{}"],
        [CHUNKED[:-2] + ENDS + b"\r\n1\r\n{\r\n", b"1\r\n \r\n" * 50_000, b"1\r\n}\r\n0\r\n\r\n"],
    ],
    ids=["whole", "in parts", "chunked", "HTTP/1.0", "byte by byte", "in chunks of a byte"],
)
def test_a_body_comes_in_many_ways(local: Local, parts: list[bytes]) -> None:
    answer = sent(local, parts)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b'{"TrainingJobSummaries":[]}')


def test_a_client_may_ask_before_it_sends_a_body(local: Local) -> None:
    with connected(local) as connection:
        connection.sendall(LIST + ENDS + b"expect: 100-continue\r\ncontent-length: 2\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"{}")
        assert b"HTTP/1.1 200 " in b"".join(received(connection))


def test_a_client_may_send_several_requests_at_once(local: Local) -> None:
    one = LIST + b"content-length: 2\r\n\r\n{}"
    last = LIST + ENDS + b"content-length: 2\r\n\r\n{}"
    answer = sent(local, [one + one + one[:40], one[40:] + last])
    assert answer.count(b"HTTP/1.1 200 ") == 4


@pytest.mark.parametrize("protocol", [b"h2c", b"websocket"])
def test_a_proposal_to_upgrade_is_passed_over(local: Local, protocol: bytes) -> None:
    """The request is answered as it is, with its body: HTTP/2 clients ask so at first."""
    upgrade = b"connection: Upgrade, close\r\nupgrade: " + protocol + b"\r\n"
    answer = sent(local, [LIST + upgrade + b"content-length: 2\r\n\r\n", b"{}"])
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b'{"TrainingJobSummaries":[]}')


def test_such_a_proposal_may_come_in_pieces_and_again(local: Local) -> None:
    """The connection lives on: Java's client proposes it with its first requests."""
    with connected(local) as connection:
        for _ in range(2):
            connection.sendall(PROPOSAL[:-40])
            connection.sendall(PROPOSAL[-40:])
            answer = b""
            while not answer.endswith(b"}"):
                answer += connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200 ")


def test_such_a_proposal_behind_a_request_is_refused(local: Local) -> None:
    """No client makes it so, and its body would be taken for another protocol's bytes."""
    answer = sent(local, [LIST + b"content-length: 2\r\n\r\n{}" + PROPOSAL])
    assert b"HTTP/1.1 400 " in answer


@pytest.mark.parametrize(
    ("begun", "more"),
    [
        (LIST + b"x: ", b"x"),
        (LIST, b"x: y\r\n"),
        (b"GET /", b"x"),
        (CHUNKED + b"2;", b"x"),
        (CHUNKED + b"2\r\n{}\r\n0\r\n", b"x: y\r\n"),
    ],
    ids=["a header", "headers", "a path", "a chunk's extension", "trailers"],
)
def test_what_never_ends_is_not_kept(local: Local, begun: bytes, more: bytes) -> None:
    """The connection is closed long before; else this would wait for an answer in vain."""
    part = more * (65536 // len(more))
    answer = sent(local, chain([begun], repeat(part, MANY)))
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "head",
    [
        b"hello\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nno name: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\na: b\0c\r\n\r\n",
        b"GET /\xe9 HTTP/1.1\r\nhost: x\r\n\r\n",
        LIST + b"content-length: -2\r\n\r\n{}",
        LIST + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}",
        CHUNKED + b"zz\r\n",
        b"\x16\x03\x01\x02\x00\x01\r\n\r\n",
    ],
    ids=repr,
)
def test_what_is_no_http_is_refused(local: Local, head: bytes) -> None:
    assert b"HTTP/1.1 400 " in sent(local, [head])


def test_a_client_that_leaves_in_the_middle_is_forgotten(local: Local) -> None:
    with connected(local) as connection:
        connection.sendall(LIST + b"content-length: 20\r\n\r\n{")
    assert local.client("sagemaker").list_training_jobs()["TrainingJobSummaries"] == []


def test_who_tries_tls_first_is_told_and_the_log_is_not(
    local: Local, caplog: pytest.LogCaptureFixture
) -> None:
    assert sent(local, [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32)]).startswith(
        b"HTTP/1.1 400 "
    )
    assert "Invalid HTTP request" not in caplog.text  # Docker does, before each push
