"""Bidirectional streams in the worker: what ``stream_fn`` gets, what becomes of what it says."""

import socket
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from sagedock.errors import InvalidRequest
from sagedock.runtime.serving import InvalidInput
from sagedock.runtime.serving.pool.frames import Frame, FrameReader, Kind
from sagedock.runtime.serving.pool.messages import LARGEST_MESSAGE, reason_of
from sagedock.runtime.serving.worker.channel import Channel, Hangup
from sagedock.runtime.serving.worker.conversation import converse
from sagedock.runtime.serving.worker.defaults import Defaults
from sagedock.runtime.serving.worker.model import Model
from sagedock.runtime.serving.worker.user_code import find_functions

NUMBER = 7


def model_of(stream_fn: Any) -> Model:
    module = ModuleType("inference")
    module.stream_fn = stream_fn  # type: ignore[attr-defined]
    functions = find_functions(module, Defaults())
    return Model(functions=functions, model="model", properties={}, default_accept="x")


class Front:
    """The other end of the worker's socket pair."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        self._socket.settimeout(30)
        self.channel = Channel(theirs)
        self._reader = FrameReader()
        self._frames: list[Frame] = []
        self._thread: threading.Thread | None = None

    def tell(self, kind: Kind, body: bytes = b"", status: int = 0, number: int = NUMBER) -> None:
        self._socket.sendall(Frame(kind, number, status, body=body).head() + body)

    def say(self, message: str | bytes) -> None:
        is_text = isinstance(message, str)
        body = message.encode() if isinstance(message, str) else message
        self.tell(Kind.MESSAGE, body, int(is_text))

    def start(self, stream_fn: Any, headers: bytes = b"") -> None:
        opened = Frame(Kind.OPEN, NUMBER, headers=headers)
        arguments = (self.channel, model_of(stream_fn), opened)
        self._thread = threading.Thread(target=converse, args=arguments, daemon=True)
        self._thread.start()
        assert self.next().kind == Kind.START

    def next(self) -> Frame:
        while not self._frames:
            self._frames += self._reader.feed(self._socket.recv(1 << 20))
        return self._frames.pop(0)

    def rest(self) -> list[bytes]:
        """Return the pieces up to the end."""
        pieces = []
        while (frame := self.next()).kind == Kind.PIECE:
            pieces.append(bytes(frame.body))
        assert (frame.kind, frame.id, frame.status) == (Kind.END, NUMBER, 0)
        assert self._thread
        self._thread.join(30)
        assert not self._thread.is_alive()
        return pieces


@pytest.fixture
def front() -> Iterator[Front]:
    made = Front()
    yield made
    made._socket.close()


def test_messages_come_as_what_they_are_and_go_as_what_they_are(front: Front) -> None:
    def stream_fn(messages: Any, model: Any, context: Any) -> Any:
        yield [model, context.get_request_header(0, "X-A")]
        yield from messages
        yield bytearray(b"the end")

    front.start(stream_fn, headers=b"x-a\0b")
    front.say("text \u20ac")
    front.say(b"\xff")
    front.tell(Kind.FINISH)
    assert front.rest() == [b't["model", "b"]', "ttext \u20ac".encode(), b"b\xff", b"bthe end"]


def test_a_handler_may_leave_the_context_out_and_return_what_it_says(front: Front) -> None:
    front.start(lambda messages, model: [next(messages), "done"])
    front.say("first")
    assert front.rest() == [b"tfirst", b"tdone"]


def test_a_handler_may_say_nothing(front: Front) -> None:
    front.start(lambda messages, model: None)
    assert front.rest() == []


def test_a_client_that_leaves_ends_the_messages_and_the_handler(front: Front) -> None:
    closed = threading.Event()

    def stream_fn(messages: Any, model: Any) -> Any:
        try:
            yield from messages
            yield "nobody hears this"
        finally:
            closed.set()

    front.start(stream_fn)
    front.say("one")
    assert front.next().body == b"tone"
    front.tell(Kind.ABANDON)
    assert front.rest() == []
    assert closed.is_set()


def test_a_handler_that_only_speaks_is_ended_when_its_client_leaves(front: Front) -> None:
    closed = threading.Event()

    def stream_fn(messages: Any, model: Any) -> Any:
        try:
            while True:
                yield "on and on"
        finally:
            closed.set()

    front.start(stream_fn)
    for _ in range(10):
        front.say("unheard")
    assert front.next().body == b"ton and on"
    front.tell(Kind.ABANDON)
    assert set(front.rest()) <= {b"ton and on"}
    assert closed.is_set()


def test_what_is_for_another_stream_is_not_heard(front: Front) -> None:
    front.start(lambda messages, model: list(messages))
    front.tell(Kind.MESSAGE, b"late", number=NUMBER - 1)
    front.tell(Kind.FINISH, number=NUMBER - 1)
    front.say("mine")
    front.tell(Kind.FINISH)
    assert front.rest() == [b"tmine"]


def test_a_failure_is_in_the_log_and_not_at_the_client(
    front: Front, capsys: pytest.CaptureFixture[str]
) -> None:
    def stream_fn(messages: Any, model: Any) -> Any:
        yield "before"
        raise RuntimeError("secret of the inside")

    front.start(stream_fn)
    before, last = front.rest()
    assert before == b"tbefore"
    assert reason_of(last) == (1011, "stream_fn failed; the log says why (request 7)")
    printed = capsys.readouterr()
    assert "request 7: stream_fn failed" in printed.out
    assert "RuntimeError: secret of the inside" in printed.err


def test_invalid_input_is_told(front: Front) -> None:
    def stream_fn(messages: Any, model: Any) -> Any:
        raise InvalidInput("send audio first")

    front.start(stream_fn)
    assert [reason_of(each) for each in front.rest()] == [(1008, "send audio first")]


def test_a_message_may_be_as_large_as_a_client_s(front: Front) -> None:
    front.start(lambda messages, model: [b"x" * LARGEST_MESSAGE, b"x" * (LARGEST_MESSAGE + 1)])
    whole, last = front.rest()
    assert len(whole) == LARGEST_MESSAGE + 1
    assert reason_of(last)[0] == 1011


def test_a_front_that_has_gone_ends_the_worker(front: Front) -> None:
    def stream_fn(messages: Any, model: Any) -> Any:
        yield from messages

    front._socket.close()
    with pytest.raises(Hangup):
        converse(front.channel, model_of(stream_fn), Frame(Kind.OPEN, NUMBER))


def test_news_are_seen_even_where_they_have_been_read_already(front: Front) -> None:
    assert not front.channel.has_news()
    front.say("one")
    front.say("two")
    assert front.channel.frame().body == b"one"  # the second has come with it
    assert front.channel.has_news()
    assert front.channel.frame().body == b"two"
    assert not front.channel.has_news()


def test_stream_fn_takes_messages_and_model() -> None:
    with pytest.raises(InvalidRequest, match="stream_fn takes 1 arguments: it must take 2"):
        model_of(lambda messages: None)
