"""Whatever happens to a file, load neither raises nor returns what was not saved."""

import json
import struct
import tempfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagedock.runtime.checkpoints import JSON
from tests.amount import amount
from tests.unit.runtime.checkpoint_states import checkpoints

OLD, NEW = {"n": 1, "weights": [1, 2, 3]}, {"n": 2, "weights": list(range(200))}
NAME = "step-000000000002.rank-0.ckpt"


def written(folder: Path) -> bytes:
    made = checkpoints(folder, format=JSON)
    made.load()
    made.save(1, OLD)
    made.save(2, NEW)
    return (folder / NAME).read_bytes()


with tempfile.TemporaryDirectory() as _scratch:
    WHOLE = written(Path(_scratch))
places = st.integers(0, len(WHOLE) - 1)
quickly = settings(deadline=None, max_examples=amount(200, quick=50))


def loaded_from(content: bytes) -> tuple[Any, list[str]]:
    """Return what is loaded where the newest checkpoint has this content, and what is said."""
    said: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        written(folder)
        (folder / NAME).write_bytes(content)
        return checkpoints(folder, said, format=JSON).load(), said


def check(content: bytes) -> None:
    state, said = loaded_from(content)
    if content == WHOLE:
        assert state == NEW
    else:
        assert state == OLD
        assert f"{NAME} is passed over: " in said[0]


def test_the_whole_file_is_loaded() -> None:
    check(WHOLE)


@quickly
@given(st.integers(0, len(WHOLE) - 1))
def test_truncated(length: int) -> None:
    check(WHOLE[:length])


@quickly
@given(places, st.integers(0, 7))
def test_one_bit_flipped(place: int, bit: int) -> None:
    content = bytearray(WHOLE)
    content[place] ^= 1 << bit
    check(bytes(content))


@quickly
@given(places, st.binary(min_size=1, max_size=64))
def test_overwritten(place: int, junk: bytes) -> None:
    check(WHOLE[:place] + junk + WHOLE[place + len(junk) :])


@quickly
@given(places, st.binary(min_size=1, max_size=64))
def test_inserted(place: int, junk: bytes) -> None:
    check(WHOLE[:place] + junk + WHOLE[place:])


@quickly
@given(places, places)
def test_a_piece_lost_or_repeated(start: int, end: int) -> None:
    check(WHOLE[:start] + WHOLE[end:])


@quickly
@given(places, st.integers(1, 4096))
def test_zeros_where_blocks_never_reached_the_disk(place: int, length: int) -> None:
    check((WHOLE[:place] + b"\0" * length)[: len(WHOLE)].ljust(len(WHOLE), b"\0"))


@quickly
@given(st.binary(max_size=400))
def test_foreign(content: bytes) -> None:
    check(content)


def stamped(payload: bytes, stamp: bytes) -> bytes:
    """Return a file whose footer is right, whatever its stamp says."""
    return payload + stamp + struct.pack(">II8s", len(stamp), zlib.crc32(stamp), b"sagedock")


def honest(**changes: Any) -> dict[str, Any]:
    fields = {"step": 2, "rank": 0, "ranks": 1, "format": "json", "run": "x", "saved_at": "now"}
    return {
        **fields,
        "payload_bytes": 2,
        "payload_crc32": zlib.crc32(b"{}"),
        "version": 1,
    } | changes


def test_the_forger_of_these_tests_can_forge() -> None:
    assert loaded_from(stamped(b"{}", json.dumps(honest()).encode()))[0] == {}


@pytest.mark.parametrize(
    "stamp",
    [
        b"",
        b"[]",
        b"null",
        b"[" * 60_000,
        b"\xff",
        b'{"version": 1}',
        *(
            json.dumps(honest(**changes)).encode()
            for changes in (
                {"payload_bytes": "2"},
                {"payload_bytes": -2},
                {"payload_bytes": 10**30},
                {"run": ["x"]},
                {"step": True},
                {"step": 3},
                {"ranks": 2},
                {"more": 1},
                {"version": 2},
            )
        ),
    ],
    ids=lambda stamp: stamp[:90].decode("ascii", "replace"),
)
def test_a_hostile_stamp(stamp: bytes) -> None:
    check(stamped(b"{}", stamp))


@quickly
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
        max_leaves=6,
    ),
    st.sampled_from(sorted(honest().keys() - {"format"})),  # another format is an error
)
def test_any_value_in_a_stamp(value: Any, name: str) -> None:
    state, _ = loaded_from(stamped(b"{}", json.dumps(honest(**{name: value})).encode()))
    assert state in (OLD, {})
