"""Objects split into records: lines, RecordIO, TFRecord, packed or not."""

import gzip
import io
import struct
from pathlib import Path

import anycrc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagedock.local.training import recordio
from sagedock.local.transform.failures import ObjectFailed
from sagedock.local.transform.records import SplitType, opened, readable, records

FEW_BYTES = st.binary(max_size=40)


def masked(data: bytes) -> bytes:
    crc = anycrc.Model("CRC32C").calc(data)
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)


def tfrecord(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + masked(length) + data + masked(data)


def in_recordio(data: bytes) -> bytes:
    return recordio.header(len(data)) + data + recordio.padding(len(data))


def part(data: bytes, mark: int) -> bytes:
    return struct.pack("<II", recordio.MAGIC, mark << 29 | len(data)) + data + bytes(-len(data) % 4)


def split(
    data: bytes, how: SplitType, *, framed: bool = False, most_bytes: int | None = None
) -> list[bytes]:
    file = opened(io.BytesIO(data), gzipped=False)
    return list(records(file, how, framed=framed, most_bytes=most_bytes))


def told(data: bytes, how: SplitType, most_bytes: int | None = None) -> str:
    with pytest.raises(ObjectFailed) as caught:
        split(data, how, most_bytes=most_bytes)
    assert caught.value.blame == "ClientError"
    return str(caught.value)


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"a", [b"a"]),
        (b"a\n", [b"a"]),
        (b"a\nb\n", [b"a", b"b"]),
        (b"a\r\nb", [b"a", b"b"]),
        (b"a\n\nb\n\n", [b"a", b"", b"b", b""]),
        (b"\n", [b""]),
    ],
)
def test_lines(data: bytes, lines: list[bytes]) -> None:
    assert split(data, "Line") == lines


@given(data=st.binary(max_size=200))
def test_framed_lines_are_the_object(data: bytes) -> None:
    assert b"".join(split(data, "Line", framed=True)) == data


@given(items=st.lists(FEW_BYTES, max_size=6))
def test_recordio(items: list[bytes]) -> None:
    data = b"".join(map(in_recordio, items))
    assert split(data, "RecordIO") == items
    assert b"".join(split(data, "RecordIO", framed=True)) == data


@given(items=st.lists(FEW_BYTES, max_size=6))
def test_tfrecord(items: list[bytes]) -> None:
    data = b"".join(map(tfrecord, items))
    assert split(data, "TFRecord") == items
    assert b"".join(split(data, "TFRecord", framed=True)) == data


def test_a_recordio_record_in_parts_is_one_record() -> None:
    data = part(b"one", 1) + part(b"two", 2) + part(b"three", 3) + in_recordio(b"next")
    magic = recordio.MAGIC_BYTES
    assert split(data, "RecordIO") == [b"one" + magic + b"two" + magic + b"three", b"next"]
    assert b"".join(split(data, "RecordIO", framed=True)) == data


def test_no_split_is_one_record_even_of_nothing() -> None:
    assert split(b"a\nb", "None") == [b"a\nb"]
    assert split(b"", "None") == [b""]


@pytest.mark.parametrize("how", ["None", "Line", "RecordIO", "TFRecord"])
def test_a_record_of_just_the_limit_is_let_pass_and_one_byte_more_is_not(how: SplitType) -> None:
    frame = {"RecordIO": in_recordio, "TFRecord": tfrecord}.get(how, lambda data: data)
    mib = 1024 * 1024
    assert split(frame(b"x" * mib), how, most_bytes=mib) == [b"x" * mib]
    assert told(frame(b"x" * (mib + 1)), how, mib) == ("Too much data for max payload size of 1 MB")


def test_a_line_of_just_the_limit_may_end() -> None:
    assert split(b"abc\r\nde\n", "Line", most_bytes=3) == [b"abc", b"de"]


def test_a_record_that_claims_to_be_huge_is_refused_before_it_is_read() -> None:
    length = struct.pack("<Q", 1 << 60)
    assert told(length + masked(length), "TFRecord", 1024 * 1024).startswith("Too much data")


@pytest.mark.parametrize(
    ("data", "how", "why"),
    [
        (b"no", "RecordIO", "ends within a record"),
        (b"nothing of the kind", "RecordIO", "does not begin as one"),
        (in_recordio(b"abc")[:-2], "RecordIO", "ends within a record"),
        (part(b"a", 1), "RecordIO", "ends within a record"),
        (part(b"a", 3), "RecordIO", "does not begin as one"),
        (part(b"a", 1) + in_recordio(b"b"), "RecordIO", "does not begin as one"),
        (b"nothing of the kind", "TFRecord", "a length's checksum is wrong"),
        (tfrecord(b"abc")[:-1], "TFRecord", "ends within a record"),
        (tfrecord(b"abc").replace(b"abc", b"abd"), "TFRecord", "a record's checksum is wrong"),
        (b"short", "TFRecord", "ends within a record"),
    ],
)
def test_what_is_no_record_is_told(data: bytes, how: SplitType, why: str) -> None:
    assert why in told(data, how)


@given(data=st.binary(max_size=60), how=st.sampled_from(["RecordIO", "TFRecord"]))
def test_any_bytes_are_records_or_are_told(data: bytes, how: SplitType) -> None:
    try:
        split(data, how, most_bytes=1024 * 1024)
    except ObjectFailed as failure:
        assert failure.blame == "ClientError"


def test_a_packed_object_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"a\n") + gzip.compress(b"b\n"))
    with path.open("rb") as file:
        lines = records(opened(file, gzipped=True), "Line", framed=False, most_bytes=None)
        assert list(lines) == [b"a", b"b"]


@pytest.mark.parametrize(
    "data",
    [b"plain text", gzip.compress(b"a" * 100)[:-9], gzip.compress(b"abc")[:12] + b"\xff" * 9],
    ids=["plain", "short", "broken"],  # what is packed has the time in it
)
def test_what_is_not_packed_well_is_told(data: bytes) -> None:
    file = opened(io.BytesIO(data), gzipped=True)
    with pytest.raises(ObjectFailed, match="Failed to decompress"), readable():
        list(records(file, "Line", framed=False, most_bytes=None))
