"""Content types, and the bodies that are read and written without the user's help."""

import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sagedock.runtime.serving.worker import content_types as types
from sagedock.runtime.serving.worker import formats
from sagedock.runtime.serving.worker.defaults import Defaults
from sagedock.runtime.serving.worker.refused import InvalidInput, UnsupportedType


def npy(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def npz(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


class Bomb:
    """Creates a file when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return Path.touch, (self.file,)


# --- content types -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "bare"),
    [
        ("application/json", types.JSON),
        ("Application/JSON; charset=utf-8", types.JSON),
        ('text/csv;header=present;charset="utf-8"', types.CSV),
        ("application/x-ndjson", types.JSON_LINES),
        ("application/jsonlines", types.JSON_LINES),
        ("", ""),
    ],
)
def test_a_content_type_is_known_by_its_bare_name(header: str, bare: str) -> None:
    assert types.media_type(header) == bare


@pytest.mark.parametrize(
    ("header", "charset"),
    [
        ("application/json", "utf-8"),
        ('text/csv; charset="latin-1"', "latin-1"),
        ("text/csv; Charset=UTF-16", "utf-16"),
    ],
)
def test_a_charset_is_read(header: str, charset: str) -> None:
    assert types.charset(header) == charset


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        ("*/*", types.JSON),
        ("text/csv", types.CSV),
        ("image/png, text/csv;q=0.2, application/x-npy", types.NPY),
        ("text/*", types.CSV),
        ("application/json;q=0, text/csv", types.CSV),
        ("text/csv;q=high", types.CSV),
        ("image/png", None),
        ("", None),
    ],
)
def test_the_client_gets_what_it_likes_most(header: str, chosen: str | None) -> None:
    assert types.accepted(header, formats.OFFERED) == chosen


# --- reading -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content_type", "body", "read"),
    [
        (types.JSON, b"[[1, 2], [3, 4]]", [[1, 2], [3, 4]]),
        (types.JSON, "[0.5]", [0.5]),
        (types.JSON, b'{"a": [1]}', {"a": [1]}),
        (types.JSON, b'["a", "b"]', ["a", "b"]),
        (types.JSON, b"[[1], [1, 2]]", [[1], [1, 2]]),
        (types.JSON_LINES, b"[1, 2]\n\n[3, 4]\n", [[1, 2], [3, 4]]),
        (types.JSON_LINES, b'{"a": 1}\n{"a": 2}', [{"a": 1}, {"a": 2}]),
        (types.CSV, "1,2\n3,4\n", [[1, 2], [3, 4]]),
        (types.CSV, b"1,2", [[1, 2]]),
        (types.CSV, "\ufeff0,1\n2,3\n".encode(), [[0, 1], [2, 3]]),
        (types.JSON_LINES, "\ufeff[1]\n[2]", [[1], [2]]),
        (types.NPY, npy(np.arange(4).reshape(2, 2)), [[0, 1], [2, 3]]),
        (types.TEXT, "größe".encode(), "größe"),
    ],
)
def test_a_body_is_read(content_type: str, body: bytes | str, read: Any) -> None:
    found = formats.decode(body, content_type)
    assert (found.tolist() if isinstance(found, np.ndarray) else found) == read


def test_an_archive_of_arrays_is_read_by_name() -> None:
    found = formats.decode(npz(a=np.ones(2), b=np.zeros(1)), types.NPZ)
    assert {name: array.tolist() for name, array in found.items()} == {"a": [1, 1], "b": [0]}


@pytest.mark.parametrize(
    ("content_type", "body", "says"),
    [
        (types.JSON, b"[1, 2", "not JSON"),
        (types.JSON, b"\xff\xfe", "not JSON"),
        (types.JSON, b"[" * 100_000, "nested too deeply"),
        (types.JSON_LINES, b"[1]\n{\n", "line 2 is not JSON"),
        (types.CSV, "1,2\n3\n", "no CSV of numbers"),
        (types.CSV, "a,b\n", "no CSV of numbers"),
        (types.CSV, " \n", "empty"),
        (types.NPY, b"", "not an .npy file"),
        (types.NPY, b"something", "not an .npy file"),
        (types.NPY, npy(np.arange(100))[:-8], "not an .npy file"),
        (types.NPZ, npy(np.arange(3)), "not an .npz file"),
        (types.NPZ, b"PK\x03\x04", "not an .npz file"),
    ],
)
def test_a_broken_body_is_the_clients_fault(content_type: str, body: Any, says: str) -> None:
    with pytest.raises(InvalidInput, match=says) as refusal:
        formats.decode(body, content_type)
    assert refusal.value.status == 400


def test_a_head_that_promises_too_much_is_refused() -> None:
    body = npy(np.zeros(4)).replace(b"(4,), ", b"(4000000000000,), "[:6])
    huge = npy(np.zeros(1))
    head = huge[:10] + huge[10:128].replace(b"(1,)", b"(9999999999999999,)")[:118]
    with pytest.raises(InvalidInput):
        formats.decode(head + b"\0" * 8, types.NPY)
    assert body


def test_a_content_type_that_nobody_reads_is_named() -> None:
    with pytest.raises(UnsupportedType, match="'image/png' is not understood: send one of") as e:
        formats.decode(b"", "image/png")
    assert e.value.status == 415


@pytest.mark.parametrize("kind", ["npy", "npz", "bare", "bare-as-npz"])
def test_a_pickle_is_refused_and_not_run(kind: str, tmp_path: Path) -> None:
    bomb = np.array([Bomb(tmp_path / "ran")], dtype=object)
    body = {
        "npy": npy(bomb),
        "npz": npz(a=bomb),
        "bare": pickle.dumps(Bomb(tmp_path / "ran")),
        "bare-as-npz": pickle.dumps(Bomb(tmp_path / "ran")),
    }[kind]
    with pytest.raises(UnsupportedType, match="pickle"):
        formats.decode(body, types.NPZ if kind.endswith("npz") else types.NPY)
    assert not (tmp_path / "ran").exists()


def test_an_archive_that_unpacks_to_very_much_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", b"\0" * (1 << 20))
    body = buffer.getvalue().replace(
        (1 << 20).to_bytes(4, "little"), (1 << 30).to_bytes(4, "little")
    )
    with pytest.raises(InvalidInput, match="unpacks to more") as refusal:
        formats.decode(body, types.NPZ)
    assert refusal.value.status == 413


# --- writing -------------------------------------------------------------------------------------


class Tensor:
    """As much of a torch tensor as is written."""

    def detach(self) -> "Tensor":
        return self

    def cpu(self) -> "Tensor":
        return self

    def numpy(self) -> Any:
        return np.array([[1.5, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize(
    ("content_type", "prediction", "body"),
    [
        (types.JSON, Tensor(), b"[[1.5, 2.0], [3.0, 4.0]]"),
        (types.JSON, {"a": Tensor(), "b": np.float32(1)}, None),
        (types.JSON_LINES, Tensor(), b"[1.5, 2.0]\n[3.0, 4.0]\n"),
        (types.JSON_LINES, [{"a": 1}, {"a": 2}], b'{"a": 1}\n{"a": 2}\n'),
        (types.CSV, Tensor(), b"1.5,2.0\n3.0,4.0\n"),
        (types.CSV, np.array([1, 2]), b"1\n2\n"),
        (types.CSV, [["a,b", 'c"d', 1]], b'"a,b","c""d",1\n'),
        (types.TEXT, "hello", b"hello"),
        (types.TEXT, 5, b"5"),
    ],
)
def test_a_prediction_is_written(content_type: str, prediction: Any, body: bytes | None) -> None:
    written = formats.encode(prediction, content_type)
    if body is None:
        assert json.loads(written) == {"a": [[1.5, 2.0], [3.0, 4.0]], "b": 1.0}
    else:
        assert written == body


@pytest.mark.parametrize("content_type", [types.JSON, types.JSON_LINES, types.CSV, types.NPY])
def test_as_many_records_come_out_as_went_in(content_type: str) -> None:
    records = np.arange(300.0).reshape(100, 3)
    written = formats.encode(records, content_type)
    assert np.array_equal(formats.decode(written, content_type), records)


def test_arrays_are_written_with_their_names() -> None:
    found = formats.decode(formats.encode({"x": Tensor(), "y": [1]}, types.NPZ), types.NPZ)
    assert sorted(found) == ["x", "y"]


def test_what_is_no_prediction_is_named() -> None:
    with pytest.raises(TypeError, match="type object is no JSON: write an output_fn"):
        formats.encode([object()], types.JSON)
    with pytest.raises(TypeError, match="more than two dimensions"):
        formats.encode(np.zeros((2, 2, 2)), types.CSV)


# --- the defaults --------------------------------------------------------------------------------


def test_the_default_output_takes_the_type_that_the_client_likes() -> None:
    assert Defaults().default_output_fn(np.array([1]), "text/csv") == (b"1\n", types.CSV)
    assert Defaults().default_output_fn(b"\x89PNG", "image/png") == (b"\x89PNG", "image/png")
    with pytest.raises(UnsupportedType, match="no answer can be given as 'image/png'"):
        Defaults().default_output_fn([1], "image/png")


def test_what_yields_its_pieces_is_streamed() -> None:
    pieces, content_type = Defaults().default_output_fn(iter(["a", b"b", {"c": 1}]), "*/*")
    assert (list(pieces), content_type) == ([b"a", b"b", b'{"c": 1}\n'], types.OCTETS)


def test_the_default_prediction_calls_the_model() -> None:
    assert Defaults().default_predict_fn(3, lambda data: data + 1) == 4
    with pytest.raises(TypeError, match="dict cannot be called: write a predict_fn"):
        Defaults().default_predict_fn(3, {})
