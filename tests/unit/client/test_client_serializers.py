"""Bodies made of data, and data of answers."""

import io
import json
from typing import Any

import pytest

from sagedock.client import serializers as s

np = pytest.importorskip("numpy")


@pytest.mark.parametrize(
    ("serializer", "data", "body"),
    [
        (s.JSONSerializer(), {"a": [1, 2.5, None]}, b'{"a": [1, 2.5, null]}'),
        (s.JSONSerializer(), np.array([[1, 2]]), b"[[1, 2]]"),
        (s.JSONSerializer(), {"x": np.float32(0.5), "n": range(2)}, b'{"x": 0.5, "n": [0, 1]}'),
        (s.JSONLinesSerializer(), [{"a": 1}, [2]], b'{"a": 1}\n[2]'),
        (s.JSONLinesSerializer(), "raw\n", b"raw\n"),
        (s.CSVSerializer(), [1, "a,b"], b'1,"a,b"'),
        (s.CSVSerializer(), [[1, 2], [3, 4]], b"1,2\n3,4"),
        (s.CSVSerializer(), np.array([[1.5, 2], [3, 4]]), b"1.5,2.0\n3.0,4.0"),
        (s.CSVSerializer(), b"1,2", b"1,2"),
        (s.IdentitySerializer(), b"\x00", b"\x00"),
    ],
)
def test_what_is_sent(serializer: Any, data: Any, body: bytes) -> None:
    assert serializer.serialize(data) == body


def test_arrays_travel_as_npy_without_pickle() -> None:
    body = s.NumpySerializer("float32").serialize([[1, 2]])
    read = s.NumpyDeserializer().deserialize(io.BytesIO(body), "application/x-npy")
    assert (read.dtype, read.tolist()) == (np.float32, [[1.0, 2.0]])
    with pytest.raises(ValueError, match="allow_pickle"):
        s.NumpySerializer().serialize(np.array([object()]))
    hostile = io.BytesIO()
    np.save(hostile, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    hostile.seek(0)
    with pytest.raises(ValueError, match="allow_pickle"):
        s.NumpyDeserializer().deserialize(hostile, "application/x-npy")


@pytest.mark.parametrize(
    ("deserializer", "body", "content_type", "data"),
    [
        (s.JSONDeserializer(), b"[1]", "application/json", [1]),
        (s.JSONLinesDeserializer(), b'{"a": 1}\n\n2\n', "application/jsonlines", [{"a": 1}, 2]),
        (s.CSVDeserializer(), b'1,"a,b"\n', "text/csv", [["1", "a,b"]]),
        (s.StringDeserializer(), "ä".encode(), "text/plain", "ä"),
        (s.BytesDeserializer(), b"\xff", "x/y", b"\xff"),
    ],
)
def test_what_is_read(deserializer: Any, body: bytes, content_type: str, data: Any) -> None:
    assert deserializer.deserialize(io.BytesIO(body), content_type) == data


def test_an_array_is_read_of_json_and_csv_too() -> None:
    numpy = s.NumpyDeserializer()
    assert numpy.deserialize(io.BytesIO(b"[1, 2]"), "application/json; x=y").tolist() == [1, 2]
    assert numpy.deserialize(io.BytesIO(b"1,2\n3,4"), "text/csv").tolist() == [[1, 2], [3, 4]]
    with pytest.raises(ValueError, match="cannot be read from image/png"):
        numpy.deserialize(io.BytesIO(b""), "image/png")


def test_what_json_cannot_say_is_refused_by_its_type() -> None:
    with pytest.raises(TypeError, match="bytes cannot be said in JSON"):
        s.JSONSerializer().serialize({"a": b"x"})
    assert json.loads(s.JSONSerializer().serialize(io.StringIO("x"))) == "x"
