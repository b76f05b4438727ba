"""What the front and the workers say to each other."""

import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagedock.runtime.serving.pool.frames import (
    Frame,
    FrameReader,
    Kind,
    pack_headers,
    unpack_headers,
)
from sagedock.runtime.serving.worker.channel import Channel, Hangup

numbers = st.integers(0, 2**32 - 1)
frames = st.builds(
    Frame,
    kind=st.sampled_from(Kind),
    id=numbers,
    status=st.integers(0, 599),
    more=st.integers(0, 1),
    headers=st.binary(max_size=50),
    body=st.binary(max_size=2000),
)


def raw(frame: Frame) -> bytes:
    return frame.head() + frame.headers + bytes(frame.body)


@given(sent=st.lists(frames, max_size=6), cuts=st.lists(st.integers(1, 700), min_size=1))
def test_frames_arrive_whole_however_they_are_cut(sent: list[Frame], cuts: list[int]) -> None:
    stream, reader, read = b"".join(map(raw, sent)), FrameReader(), []
    while stream:
        piece, stream = stream[: cuts[0]], stream[cuts[0] :]
        cuts = [*cuts[1:], cuts[0]]
        read += reader.feed(piece)
    assert read == sent


name = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1).map(str.encode)
value = st.binary().filter(lambda text: not set(text) & {0, 10})


@given(headers=st.lists(st.tuples(name, value)))
def test_headers_come_out_as_they_went_in(headers: list[tuple[bytes, bytes]]) -> None:
    assert unpack_headers(pack_headers(headers)) == headers


@pytest.fixture
def pair() -> tuple[Channel, socket.socket]:
    ours, theirs = socket.socketpair()
    return Channel(ours), theirs


def test_a_batch_is_read_to_its_last_request(pair: tuple[Channel, socket.socket]) -> None:
    channel, front = pair
    batch = [Frame(Kind.REQUEST, 1, more=1, body=b"a"), Frame(Kind.REQUEST, 2, body=b"b")]
    later = Frame(Kind.REQUEST, 3, body=b"c")
    front.sendall(b"".join(map(raw, [*batch, later])))
    assert channel.batch() == batch
    assert channel.batch() == [later]


def test_large_answers_pass(pair: tuple[Channel, socket.socket]) -> None:
    channel, front = pair
    sent = Frame(Kind.ANSWER, 7, 200, body=b"x" * 5_000_000)
    thread = threading.Thread(target=channel.send, args=([sent],))
    thread.start()
    reader, read = FrameReader(), []
    while not read:
        read += reader.feed(front.recv(1 << 16))
    thread.join()
    assert read == [sent]


def test_a_front_that_has_gone_is_noticed(pair: tuple[Channel, socket.socket]) -> None:
    channel, front = pair
    front.close()
    with pytest.raises(Hangup):
        channel.batch()
    with pytest.raises(Hangup):
        channel.send([Frame(Kind.ANSWER, 1)])


def test_only_the_request_that_is_named_is_abandoned(pair: tuple[Channel, socket.socket]) -> None:
    channel, front = pair
    assert not channel.abandoned(5)
    front.sendall(raw(Frame(Kind.ABANDON, 4)))
    assert not channel.abandoned(5)
    front.sendall(raw(Frame(Kind.ABANDON, 5)))
    assert channel.abandoned(5)
