"""Records gathered to payloads, answers put together, and who says how many and how large."""

import gzip
import io
import json
import random
import tracemalloc
from typing import Any, BinaryIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagedock.local.transform.assembling import Assembler, AssemblyType, output_key
from sagedock.local.transform.failures import ObjectFailed
from sagedock.local.transform.parameters import (
    Parameters,
    answered_parameters,
    parameters_of,
    strategy_asked,
)
from sagedock.local.transform.payloads import Batching, Strategy, Stream, payloads
from sagedock.local.transform.records import SplitType, opened
from tests.unit.local.test_transform_records import in_recordio, tfrecord

MIB = 1024 * 1024
LINES = st.lists(st.binary(max_size=12).map(lambda each: each.replace(b"\n", b"")), max_size=20)


def bodies(
    data: bytes,
    split: SplitType = "Line",
    strategy: Strategy = "MULTI_RECORD",
    most_bytes: int | None = 6 * MIB,
    *,
    gzipped: bool = False,
) -> list[bytes]:
    file = opened(io.BytesIO(data), gzipped=gzipped)
    batching = Batching(split=split, strategy=strategy, most_bytes=most_bytes)
    return [
        b"".join(each.body) if isinstance(each.body, Stream) else each.body
        for each in payloads(file, batching)
    ]


def test_single_records_go_one_by_one_without_what_frames_them() -> None:
    assert bodies(b"a\nb\n", "Line", "SINGLE_RECORD") == [b"a", b"b"]
    assert bodies(in_recordio(b"a") * 2, "RecordIO", "SINGLE_RECORD") == [b"a", b"a"]
    assert bodies(tfrecord(b"a") * 2, "TFRecord", "SINGLE_RECORD") == [b"a", b"a"]


def test_many_records_go_together_as_they_are() -> None:
    assert bodies(b"a\nb") == [b"a\nb"]
    assert bodies(in_recordio(b"a") * 2, "RecordIO") == [in_recordio(b"a") * 2]
    assert bodies(tfrecord(b"a") * 2, "TFRecord") == [tfrecord(b"a") * 2]


@pytest.mark.parametrize(
    ("data", "split"),
    [(b"aaa\n", "Line"), (in_recordio(b"aaa"), "RecordIO"), (tfrecord(b"aaa"), "TFRecord")],
)
def test_as_many_records_as_fit_go_together(data: bytes, split: SplitType) -> None:
    most = 3 * len(data)
    assert bodies(data * 8, split, most_bytes=most) == [data * 3, data * 3, data * 2]


@given(lines=LINES, end=st.booleans(), most_bytes=st.integers(12, 40))
def test_no_line_is_lost_torn_or_in_another_place(
    lines: list[bytes], end: bool, most_bytes: int
) -> None:
    data = b"\n".join(lines) + (b"\n" if lines and end else b"")
    found = bodies(data, most_bytes=most_bytes)
    assert b"".join(found) == data
    assert all(each.endswith(b"\n") for each in found[:-1])
    assert all(len(each.removesuffix(b"\n")) <= most_bytes for each in found)
    # No two neighbours would have fitted into one.
    firsts = [each.split(b"\n", 1)[0] for each in found[1:]]
    for payload, first in zip(found, firsts, strict=False):
        assert len(payload) + len(first) > most_bytes


def test_a_record_above_the_limit_fails_the_object_after_those_before_it() -> None:
    file = opened(io.BytesIO(b"ab\n" + b"c" * 9 + b"\n"), gzipped=False)
    batching = Batching(split="Line", strategy="MULTI_RECORD", most_bytes=4)
    found = payloads(file, batching)
    assert next(found).body == b"ab\n"
    with pytest.raises(ObjectFailed, match="Too much data for max payload size"):
        next(found)


def test_an_object_that_is_not_split_goes_whole_whatever_the_strategy() -> None:
    for strategy in ("MULTI_RECORD", "SINGLE_RECORD"):
        assert bodies(b"a\nb\n", "None", strategy) == [b"a\nb\n"]  # type: ignore[arg-type]
    with pytest.raises(ObjectFailed, match="Too much data"):
        bodies(b"x" * 5, "None", most_bytes=4)


def test_an_object_without_records_has_no_payload() -> None:
    assert bodies(b"") == []
    assert bodies(b"", "Line", "SINGLE_RECORD") == []
    assert bodies(b"", "None") == [b""]


def test_without_a_limit_an_object_is_a_stream_that_can_be_sent_again() -> None:
    data = random.Random(1).randbytes(3 * MIB)
    file = opened(io.BytesIO(gzip.compress(data)), gzipped=True)
    batching = Batching(split="None", strategy="MULTI_RECORD", most_bytes=None)
    (payload,) = payloads(file, batching)
    assert isinstance(payload.body, Stream)
    assert len(list(payload.body)) == 3
    assert b"".join(payload.body) == data


def test_packed_objects_are_split_too() -> None:
    assert bodies(gzip.compress(b"a\nb\n"), "Line", "SINGLE_RECORD", gzipped=True) == [b"a", b"b"]
    with pytest.raises(ObjectFailed, match="Failed to decompress"):
        bodies(b"a\n", gzipped=True)


class Endless(io.RawIOBase):
    """Lines that nobody keeps: 16 MiB of them."""

    def __init__(self) -> None:
        self._left = 16 * MIB

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = min(len(buffer), self._left)
        buffer[:size] = (b"x" * 99 + b"\n") * (size // 100) + b"x" * (size % 100)
        self._left -= size
        return size


@pytest.mark.parametrize("strategy", ["MULTI_RECORD", "SINGLE_RECORD"])
def test_memory_holds_a_few_payloads_however_large_the_object(strategy: Strategy) -> None:
    batching = Batching(split="Line", strategy=strategy, most_bytes=MIB)
    tracemalloc.start()
    try:
        found = payloads(opened(cast(BinaryIO, Endless()), gzipped=False), batching)
        total = sum(len(cast(bytes, each.body)) for each in found)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert total > 15 * MIB
    assert peak < 8 * MIB


def assembled(answers: list[bytes], how: AssemblyType, order: list[int]) -> bytes:
    file = io.BytesIO()
    assembler = Assembler(file, how)
    for number in order:
        assembler.take(number, answers[number])
    assert assembler.written == len(answers)
    assert assembler.early == 0
    return file.getvalue()


@pytest.mark.parametrize(("how", "stored"), [("None", b"ab\nc"), ("Line", b"a\nb\nc\n")])
def test_answers_end_with_one_newline_where_lines_are_asked_for(
    how: AssemblyType, stored: bytes
) -> None:
    assert assembled([b"a", b"b\n", b"c"], how, [0, 1, 2]) == stored


@given(answers=st.lists(st.binary(max_size=4), max_size=8), data=st.data())
def test_answers_are_put_together_in_order(answers: list[bytes], data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(answers))))
    assert assembled(answers, "None", list(order)) == b"".join(answers)


def test_an_output_is_called_as_its_input() -> None:
    assert output_key("a/b.csv.gz") == "a/b.csv.gz.out"


@pytest.mark.parametrize(
    ("request_", "answered", "holds"),
    [
        ({}, {}, (1, 6, "MULTI_RECORD")),
        ({}, {"MaxConcurrentTransforms": 64, "MaxPayloadInMB": 1}, (64, 1, "MULTI_RECORD")),
        ({}, {"BatchStrategy": "SINGLE_RECORD"}, (1, 6, "SINGLE_RECORD")),
        ({}, {"MaxPayloadInMB": 0}, (1, 0, "MULTI_RECORD")),
        (
            {"MaxConcurrentTransforms": 2, "MaxPayloadInMB": 3, "BatchStrategy": "SingleRecord"},
            {"MaxConcurrentTransforms": 4, "MaxPayloadInMB": 5, "BatchStrategy": "MULTI_RECORD"},
            (2, 3, "SINGLE_RECORD"),
        ),
        (
            {"MaxConcurrentTransforms": 0, "MaxPayloadInMB": 0},
            {"MaxConcurrentTransforms": 4, "MaxPayloadInMB": 5},
            (4, 0, "MULTI_RECORD"),
        ),
    ],
)
def test_the_request_comes_before_the_container_before_the_default(
    request_: dict[str, Any], answered: dict[str, Any], holds: tuple[int, int, str]
) -> None:
    found = parameters_of(request_, answered_parameters(json.dumps(answered).encode()))
    assert (found.max_concurrent, found.max_payload_mb, found.strategy) == holds
    assert found.most_bytes == (holds[1] * MIB or None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[1]",
        b"null",
        b"[" * 10_000,
        b'{"MaxConcurrentTransforms": "8"}',
        b'{"MaxConcurrentTransforms": true, "MaxPayloadInMB": -1}',
        b'{"MaxConcurrentTransforms": 0, "MaxPayloadInMB": 101}',
        b'{"BatchStrategy": "MultiRecord"}',
    ],
)
def test_what_a_container_answers_amiss_is_left_out(body: bytes) -> None:
    assert answered_parameters(body) == {}


def test_row_116_the_first_line_of_the_data_log() -> None:
    assert parameters_of({}, {}).told == (
        "MaxConcurrentTransforms=1, MaxPayloadInMB=6, BatchStrategy=MULTI_RECORD"
    )
    told = Parameters(max_concurrent=64, max_payload_mb=1, strategy="SINGLE_RECORD").told
    assert told == "MaxConcurrentTransforms=64, MaxPayloadInMB=1, BatchStrategy=SINGLE_RECORD"


def test_the_strategy_as_containers_know_it() -> None:
    assert strategy_asked({}) is None
    assert strategy_asked({"BatchStrategy": "SingleRecord"}) == "SINGLE_RECORD"
