import threading
from itertools import repeat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagedock.engine import LogFrame
from sagedock.errors import StorageError
from sagedock.local.database import Database
from sagedock.local.logs import LogStore, follow
from sagedock.local.logs.lines import EVENT_BYTES, LineAssembler, messages
from sagedock.local.logs.patterns import matcher
from sagedock.local.refusal import Refused

GROUP = "/aws/sagemaker/TrainingJobs"


def frames(data: bytes, size: int, stream: str = "stdout") -> list[LogFrame]:
    return [
        LogFrame(stream=stream, time_s=float(at), data=data[at : at + size])  # type: ignore[arg-type]
        for at in range(0, len(data), size)
    ]


@given(st.lists(st.binary(max_size=30).filter(lambda b: b"\n" not in b)), st.integers(1, 17))
def test_lines_are_whole_however_the_frames_are_cut(lines: list[bytes], size: int) -> None:
    data = b"\n".join(lines)
    assembler = LineAssembler()
    taken = [line for frame in frames(data, size) for line in assembler.take(frame)]
    taken += assembler.end(0.0)
    assert sum(line.consumed for line in taken) == len(data)
    assert b"\n".join(line.data for line in taken) == data.removesuffix(b"\n")


def test_the_two_streams_do_not_tear_each_other() -> None:
    assembler = LineAssembler()
    assert assembler.take(LogFrame(stream="stdout", time_s=0, data=b"half ")) == []
    (err,) = assembler.take(LogFrame(stream="stderr", time_s=1, data=b"whole\n"))
    (out,) = assembler.take(LogFrame(stream="stdout", time_s=2, data=b"line\n"))
    assert (err.data, out.data) == (b"whole", b"half line")


@given(st.binary(max_size=400), st.integers(0, 400), st.integers(1, 50))
def test_what_was_stored_before_a_restart_is_skipped(data: bytes, at: int, size: int) -> None:
    known = data.rfind(b"\n", 0, at) + 1
    assembler = LineAssembler(skip={"stdout": known})
    taken = [line for frame in frames(data, size) for line in assembler.take(frame)]
    taken += assembler.end(0.0)
    assert sum(line.consumed for line in taken) == len(data) - known


def test_a_long_line_becomes_several_events_and_keeps_its_characters() -> None:
    line = "ä€😀" * 100_000
    pieces = messages(line.encode())
    assert "".join(pieces) == line
    assert max(len(piece.encode()) for piece in pieces) <= EVENT_BYTES
    assert messages(b"") == []


def test_following_twice_stores_each_line_once(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.sqlite")
    store = LogStore(database)
    data = b"".join(b"line %d\n" % number for number in range(5000))
    follow(iter(frames(data[:20_000], 999)), store, store.open("r", GROUP, "job/algo-1"))
    follow(iter(frames(data, 1000)), store, store.open("r", GROUP, "job/algo-1"))
    stream = store.open("r", GROUP, "job/algo-1")
    text = "".join(f"{event.message}\n" for event in store.every_event(stream))
    # The first call ended inside a line: an end without a newline is a line, too.
    assert text.count("line 4999\n") == 1
    assert stream.stdout_bytes == len(data)
    database.close()


def test_what_breaks_the_reader_reaches_the_caller(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.sqlite")
    store = LogStore(database)

    def broken() -> "object":
        yield LogFrame(stream="stdout", time_s=0, data=b"one\n")
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        follow(broken(), store, store.open("r", GROUP, "s"))  # type: ignore[arg-type]
    its_reader_ends("s")
    database.close()


@pytest.mark.parametrize(
    ("pattern", "message", "matches"),
    [
        ("", "anything", True),
        ("loss accuracy", "accuracy=1 loss=2", True),
        ("loss accuracy", "loss=2", False),
        ('"out of memory"', "CUDA out of memory", True),
        ('"out of memory"', "memory out of", False),
        ("?Error ?Warning", "Warning: x", True),
        ("?Error ?Warning", "fine", False),
        ("epoch -warmup", "epoch 1", True),
        ("epoch -warmup", "epoch warmup", False),
    ],
)
def test_filter_patterns(pattern: str, message: str, matches: bool) -> None:
    assert matcher(pattern)(message) is matches


def test_a_json_pattern_is_refused() -> None:
    with pytest.raises(Refused, match="Invalid filter pattern"):
        matcher('{ $.level = "ERROR" }')


def test_a_log_that_cannot_be_stored_is_read_no_further(tmp_path: Path) -> None:
    """Its reader waited for ever, with the engine's connection and up to 64 MiB."""
    store = LogStore(Database(tmp_path / "state.sqlite"))
    stream = store.open("r", GROUP, "full/algo-1-1")

    def full(_stream: object, _lines: object) -> None:
        raise StorageError("the disk is full")

    store.write = full  # type: ignore[method-assign]
    endless = repeat(LogFrame(stream="stdout", time_s=0.0, data=b"line\n"))
    with pytest.raises(StorageError):
        follow(endless, store, stream)
    its_reader_ends(stream.name)


def its_reader_ends(stream: str) -> None:
    for reader in threading.enumerate():
        if reader.name == f"logs {stream}":  # else it has ended already
            reader.join(60)
            assert not reader.is_alive()
