"""JSONPath as far as SageMaker has it, and rows of CSV."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagedock.local.transform.csv_rows import BadRow, fields, row
from sagedock.local.transform.json_path import InvalidPath, NotFound, compile_path

VALUE = {"id": 7, "features": [1, 2, 3, 4], "SageMakerOutput": {"a": {"b": "x"}}, "a b": 0}


@pytest.mark.parametrize(
    ("path", "selected"),
    [
        ("$", VALUE),
        ("$.id", 7),
        ("$['id']", 7),
        ("$['a b']", 0),
        ("$.SageMakerOutput", {"a": {"b": "x"}}),
        ("$.SageMakerOutput.a.b", "x"),
        ("$.SageMakerOutput['a'].b", "x"),
        ("$.SageMakerOutput.['a'].b", "x"),
        ("$['id','SageMakerOutput']", {"id": 7, "SageMakerOutput": {"a": {"b": "x"}}}),
        ("$['id', 'features']", {"id": 7, "features": [1, 2, 3, 4]}),
        ("$.features[0]", 1),
        ("$.features[-1]", 4),
        ("$.features[0,-1]", [1, 4]),
        ("$.features[1:]", [2, 3, 4]),
        ("$.features[:2]", [1, 2]),
        ("$.features[0:3]", [1, 2, 3]),
        ("$.features[-2:]", [3, 4]),
        ("$.features[0:-1]", [1, 2, 3]),
        ("$.features[0,2:]", [1, 3, 4]),
        ("$.features[2:9]", [3, 4]),
        ("$.features[*]", [1, 2, 3, 4]),
        ("$.features.*", [1, 2, 3, 4]),
        ("$.SageMakerOutput.*", [{"b": "x"}]),
        ("$.SageMakerOutput.*.b", ["x"]),
    ],
)
def test_paths(path: str, selected: Any) -> None:
    assert compile_path(path).select(VALUE) == selected


@pytest.mark.parametrize(
    ("path", "columns"),
    [
        ("$", ["a", "b", "c"]),
        ("$[0]", ["a"]),
        ("$[-1]", ["c"]),
        ("$[1:]", ["b", "c"]),
        ("$[0:2]", ["a", "b"]),
        ("$[0,-1]", ["a", "c"]),
        ("$[ 0 , 2 ]", ["a", "c"]),
        ("$[*]", ["a", "b", "c"]),
    ],
)
def test_columns(path: str, columns: list[str]) -> None:
    assert compile_path(path).columns(["a", "b", "c"]) == columns


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("id", "must begin with $"),
        ("", "must begin with $"),
        ("$id", "is not supported: id"),
        ("$..id", "is not supported: ..id"),
        ("$[?(@.a>1)]", "is not supported"),
        ("$[0", "is not supported: [0"),
        ("$['a", "is not supported"),
        ("$[a]", "is not supported"),
        ("$['a',0]", "is not supported"),
        ("$[1:2:3]", "is not supported"),
        ("$[]", "is not supported"),
    ],
)
def test_what_is_not_supported_is_told(path: str, why: str) -> None:
    with pytest.raises(InvalidPath) as caught:
        compile_path(path)
    assert why in str(caught.value)


def test_two_ranges_are_refused_in_the_words_that_were_seen() -> None:
    with pytest.raises(InvalidPath) as caught:
        compile_path("$[0:2,246:]")
    assert str(caught.value) == (
        "only single range filters of format (eg: [1:5]) are supported. "
        "Format [0:2,246:] is not supported"
    )


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("$.other", "there is no 'other'"),
        ("$['id','other']", "there is no 'other'"),
        ("$.id.more", "there is no 'more'"),
        ("$.features[4]", "index 4 is not within an array of 4"),
        ("$.features[-5]", "index -5 is not within an array of 4"),
        ("$.features[0,4]", "index 4 is not within an array of 4"),
        ("$[0]", "no array that has an index 0"),
        ("$[0:1]", "no array that has a range"),
        ("$.id.*", "nothing that has members"),
    ],
)
def test_what_is_not_there_is_told(path: str, why: str) -> None:
    with pytest.raises(NotFound) as caught:
        compile_path(path).select(VALUE)
    assert why in str(caught.value)


def test_names_are_none_of_a_row() -> None:
    with pytest.raises(NotFound, match="only indexes"):
        compile_path("$.id").columns(["a"])


@given(
    value=st.lists(st.integers(), max_size=8),
    start=st.none() | st.integers(-9, 9),
    end=st.none() | st.integers(-9, 9),
)
def test_a_range_is_pythons(value: list[int], start: int | None, end: int | None) -> None:
    path = f"$[{'' if start is None else start}:{'' if end is None else end}]"
    assert compile_path(path).select(value) == value[start:end]


@given(text=st.text(alphabet="$.[]*,:'-0a ", max_size=12))
def test_any_text_is_a_path_or_is_told(text: str) -> None:
    try:
        path = compile_path(text)
    except InvalidPath:
        return
    try:
        path.select({"a": [0, {"a": 1}]})
    except NotFound:
        return


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("", [""]),
        ("a,b", ["a", "b"]),
        ("a,,", ["a", "", ""]),
        ('"a,b",c', ['"a,b"', "c"]),
        ('a,"say ""hi"""', ["a", '"say ""hi"""']),
        ('"",""', ['""', '""']),
        ("ä,\u2028", ["ä", "\u2028"]),
    ],
)
def test_fields(line: str, found: list[str]) -> None:
    assert fields(line) == found
    assert row(found) == line


@pytest.mark.parametrize("line", ['{"a": 1}', 'a"b,c', '"a"b', '"a', 'a,"'])
def test_what_is_no_row_is_told(line: str) -> None:
    with pytest.raises(BadRow):
        fields(line)


@given(columns=st.lists(st.text(st.characters(exclude_characters="\r\n")), min_size=1, max_size=5))
def test_quoted_fields_come_back_as_they_were(columns: list[str]) -> None:
    quoted = ['"{}"'.format(each.replace('"', '""')) for each in columns]
    assert fields(",".join(quoted)) == quoted
