import io

import pytest

from sagedock.engine.frames import read_frames, timestamp_s
from sagedock.errors import EngineError

STAMP = b"2026-01-02T03:04:05.678901234Z"


def frame(kind: int, payload: bytes) -> bytes:
    return bytes([kind, 0, 0, 0]) + len(payload).to_bytes(4, "big") + payload


def test_frames_of_both_streams_with_their_times() -> None:
    data = frame(1, STAMP + b" out\n") + frame(2, STAMP + b" err\n")
    frames = list(read_frames(io.BytesIO(data)))
    assert [(each.stream, each.data) for each in frames] == [
        ("stdout", b"out\n"),
        ("stderr", b"err\n"),
    ]
    assert frames[0].time_s == pytest.approx(1767323045.678901)


def test_a_frame_that_comes_in_pieces() -> None:
    class Trickle(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 1, 3))

    (only,) = read_frames(Trickle(frame(1, STAMP + b" a longer line\n")))
    assert only.data == b"a longer line\n"


def test_a_stream_that_breaks_off_inside_a_frame() -> None:
    with pytest.raises(EngineError, match="broke off"):
        list(read_frames(io.BytesIO(frame(1, STAMP + b" whole\n")[:-3])))


def test_a_frame_of_an_unknown_kind() -> None:
    with pytest.raises(EngineError, match="unknown kind 9"):
        list(read_frames(io.BytesIO(frame(9, STAMP + b" x"))))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:01Z", 1.0),
        ("1970-01-01T00:00:01.5Z", 1.5),
        ("1970-01-01T02:00:00.25+02:00", 0.25),
        ("1969-12-31T23:00:00.25-01:00", 0.25),
    ],
)
def test_times(text: str, seconds: float) -> None:
    assert timestamp_s(text) == pytest.approx(seconds)
