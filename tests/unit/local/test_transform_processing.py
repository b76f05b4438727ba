"""InputFilter, JoinSource and OutputFilter, for CSV, JSON and JSON lines."""

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagedock.local.transform.data_processing import processing_of
from sagedock.local.transform.failures import ObjectFailed
from sagedock.local.transform.payloads import Batching, Payload, Strategy, payloads
from sagedock.local.transform.records import opened

CSV, JSON, JSON_LINES = "text/csv", "application/json", "application/jsonlines"


def asked(content_type: str | None, split: str = "Line", **processing: str) -> dict[str, Any]:
    accept = processing.pop("Accept", content_type)
    return {
        "TransformInput": {"ContentType": content_type, "SplitType": split},
        "TransformOutput": {"Accept": accept},
        "DataProcessing": processing,
    }


def sent(
    data: bytes,
    request: dict[str, Any],
    strategy: Strategy = "MULTI_RECORD",
    most_bytes: int | None = 1024,
) -> list[Payload]:
    batching = Batching(
        split=request["TransformInput"]["SplitType"],
        strategy=strategy,
        most_bytes=most_bytes,
        processing=processing_of(request),
    )
    return list(payloads(opened(io.BytesIO(data), gzipped=False), batching))


def stored(data: bytes, answer: bytes, request: dict[str, Any]) -> bytes:
    (payload,) = sent(data, request)
    processing = processing_of(request)
    assert processing is not None
    return processing.result(payload.records, answer)


def test_nothing_is_done_where_nothing_is_asked() -> None:
    assert processing_of(asked(CSV)) is None
    assert processing_of({"TransformInput": {}, "TransformOutput": {}}) is None
    plain = asked(None, InputFilter="$", OutputFilter="$", JoinSource="None")
    assert processing_of(plain) is None


# The examples of the developer guide's page.


def test_the_guides_csv_example_joins_a_row_with_its_result() -> None:
    assert stored(b"1,2,3", b"1", asked(CSV, JoinSource="Input")) == b"1,2,3,1"


def test_the_guides_json_example_adds_the_result_to_the_object() -> None:
    found = stored(b'{"key":1}', b'{"label":1}', asked(JSON, "None", JoinSource="Input"))
    assert json.loads(found) == {"key": 1, "SageMakerOutput": {"label": 1}}


def test_the_guides_id_column_is_stored_and_not_sent() -> None:
    request = asked(CSV, InputFilter="$[1:]", JoinSource="Input", OutputFilter="$[0,-1]")
    (payload,) = sent(b"id1,2,3\nid2,5,6\n", request)
    assert payload.body == b"2,3\n5,6\n"
    assert stored(b"id1,2,3\nid2,5,6\n", b"0.1\n0.2\n", request) == b"id1,0.1\nid2,0.2"


def test_the_guides_id_attribute_is_stored_and_not_sent() -> None:
    request = asked(
        JSON_LINES,
        InputFilter="$.features",
        JoinSource="Input",
        OutputFilter="$['id','SageMakerOutput']",
    )
    data = b'{"id": 1, "features": [1, 2]}\n{"id": 2, "features": [3, 4]}\n'
    (payload,) = sent(data, request)
    assert payload.body == b"[1,2]\n[3,4]\n"
    lines = stored(data, b'{"p": 0.5}\n[7]\n', request).splitlines()
    assert [json.loads(each) for each in lines] == [
        {"id": 1, "SageMakerOutput": {"p": 0.5}},
        {"id": 2, "SageMakerOutput": [7]},
    ]


def test_what_is_no_object_is_kept_beside_the_result() -> None:
    found = stored(b"[1, 2]", b"3", asked(JSON, "None", JoinSource="Input"))
    assert json.loads(found) == {"SageMakerInput": [1, 2], "SageMakerOutput": 3}


def test_a_reserved_attribute_of_the_input_is_overwritten() -> None:
    found = stored(b'{"SageMakerOutput": 1}', b"2", asked(JSON, "None", JoinSource="Input"))
    assert json.loads(found) == {"SageMakerOutput": 2}


def test_a_document_may_have_many_lines_both_ways() -> None:
    request = asked(JSON, "None", InputFilter="$.a", JoinSource="Input")
    (payload,) = sent(b'{\n  "a": [1,\n 2]\n}\n', request)
    assert payload.body == b"[1,2]"
    assert json.loads(stored(b'{"a":\n1}', b'{\n"b": 2\n}\n', request)) == {
        "a": 1,
        "SageMakerOutput": {"b": 2},
    }


def test_an_output_filter_without_a_join_reads_the_answer_alone() -> None:
    assert stored(b"1,2", b"a,b,c", asked(CSV, OutputFilter="$[0:2]")) == b"a,b"
    request = asked(JSON_LINES, OutputFilter="$.class")
    assert stored(b'{"x": 1}\n{"x": 2}', b'{"class": 0}\n{"class": "b"}\n', request) == b'0\n"b"'


def test_rows_may_be_answered_with_json_that_is_not_joined() -> None:
    request = asked(CSV, InputFilter="$[:1]", OutputFilter="$['class']", Accept=JSON_LINES)
    (payload,) = sent(b"1,2\n3,4\n", request)
    assert payload.body == b"1\n3\n"
    assert stored(b"1,2", b'{"class": "x", "score": 1}', request) == b'"x"'


def test_single_records_are_sent_without_a_newline() -> None:
    request = asked(CSV, InputFilter="$[1:]", JoinSource="Input")
    found = sent(b"a,1\nb,2\n", request, "SINGLE_RECORD")
    assert [(each.body, list(each.records)) for each in found] == [
        (b"1", [b"a,1"]),
        (b"2", [b"b,2"]),
    ]


def test_quoted_fields_are_kept_as_they_are() -> None:
    request = asked(CSV, InputFilter="$[1:]", JoinSource="Input", OutputFilter="$[0,2]")
    assert sent(b'"a,b","c"\n', request)[0].body == b'"c"\n'
    assert stored(b'"a,b","c"\n', b'"x,y"\n', request) == b'"a,b","x,y"'


def test_a_type_may_have_parameters() -> None:
    assert stored(b"1", b"2", asked("Text/CSV; charset=utf-8", JoinSource="Input")) == b"1,2"


@pytest.mark.parametrize(
    ("data", "answer", "request_", "blame", "why"),
    [
        (b"1", b'{"a": 1}', asked(CSV, JoinSource="Input"), "AlgorithmError",
         "Failed to parse output from the algorithm as CSV"),
        (b"{}", b"a,b", asked(JSON, "None", JoinSource="Input"), "AlgorithmError",
         "Failed to parse output from the algorithm as JSON"),
        (b"{}", b"NaN", asked(JSON, "None", JoinSource="Input"), "AlgorithmError",
         "NaN is no value of JSON"),
        (b"1\n2", b"1\n", asked(CSV, JoinSource="Input"), "AlgorithmError",
         "answered 1 records to a mini-batch of 2"),
        (b"1", b"1\n2\n", asked(CSV, JoinSource="Input"), "AlgorithmError",
         "answered 2 records to a mini-batch of 1"),
        (b"no json", b"1", asked(JSON_LINES, JoinSource="Input"), "ClientError",
         "Failed to parse input as JSON"),
        (b"\xff", b"1", asked(CSV, JoinSource="Input", OutputFilter="$[0]"), "ClientError",
         "Failed to parse input as CSV"),
        (b"1", b"2", asked(CSV, JoinSource="Input", OutputFilter="$[9]"), "ClientError",
         "Invalid JsonPath: $[9]: index 9 is not within an array of 2"),
        (b"{}", b"1", asked(JSON, "None", OutputFilter="$.a"), "ClientError",
         "Invalid JsonPath: $.a: there is no 'a'"),
    ],
)  # fmt: skip
def test_what_cannot_be_associated_is_told(
    data: bytes, answer: bytes, request_: dict[str, Any], blame: str, why: str
) -> None:
    with pytest.raises(ObjectFailed) as caught:
        stored(data, answer, request_)
    assert (caught.value.blame, why in str(caught.value)) == (blame, True), str(caught.value)


def test_a_column_that_is_not_there_fails_before_anything_is_sent() -> None:
    with pytest.raises(ObjectFailed, match=r"Invalid JsonPath: \$\[3\]: index 3"):
        sent(b"1,2\n", asked(CSV, InputFilter="$[3]"))


def test_two_ranges_fail_an_object_in_the_words_that_were_seen() -> None:
    with pytest.raises(ObjectFailed) as caught:
        processing_of(asked(CSV, OutputFilter="$[0:2,246:]"))
    assert str(caught.value) == (
        "Invalid JsonPath: $[0:2,246:]: only single range filters of format (eg: [1:5]) are "
        "supported. Format [0:2,246:] is not supported"
    )


def test_a_number_that_no_json_holds_is_told() -> None:
    with pytest.raises(ObjectFailed, match="Failed to write the record as JSON"):
        stored(b'{"a": 1e999}', b"1", asked(JSON, "None", JoinSource="Input"))


def test_a_hostile_document_is_told() -> None:
    with pytest.raises(ObjectFailed, match="Failed to parse input as JSON"):
        sent(b"[" * 100_000, asked(JSON, "None", InputFilter="$[0]"), most_bytes=None)


ROWS = st.lists(st.lists(st.integers(0, 99), min_size=2, max_size=4), min_size=1, max_size=30)


@given(rows=ROWS, most_bytes=st.integers(16, 64))
def test_every_row_is_joined_with_its_own_result(rows: list[list[int]], most_bytes: int) -> None:
    request = asked(CSV, InputFilter="$[1:]", JoinSource="Input", OutputFilter="$[0,-1]")
    data = b"".join(b",".join(b"%d" % each for each in row) + b"\n" for row in rows)
    processing = processing_of(request)
    assert processing is not None
    found = []
    for payload in sent(data, request, most_bytes=most_bytes):
        assert isinstance(payload.body, bytes)
        assert len(payload.body) <= most_bytes + 1
        sums = [sum(map(int, line.split(b","))) for line in payload.body.splitlines()]
        answer = b"".join(b"%d\n" % each for each in sums)
        found += processing.result(payload.records, answer).splitlines()
    assert found == [b"%d,%d" % (row[0], sum(row[1:])) for row in rows]
