"""Bodies as arrays, and predictions as bodies: JSON, JSON lines, CSV, .npy, .npz, text.

A pickle is refused: whoever may send one may run any program here.
"""

import io
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sagedock.runtime.serving.worker import content_types as types
from sagedock.runtime.serving.worker.refused import InvalidInput, UnsupportedType

if TYPE_CHECKING:
    import numpy as np

__all__ = ["OFFERED", "decode", "encode", "encode_piece"]

_PICKLE = b"\x80"
#: What an archive may unpack to, in bytes: a small body must not fill the memory.
_UNPACKED = 1 << 29


def decode(body: bytes | str, content_type: str) -> Any:
    """Return what a body holds: an array, for .npz a mapping of arrays, for text a str.

    JSON that is no array of numbers is returned as Python has it. Raises UnsupportedType, or
    InvalidInput.
    """
    reader = _READERS.get(content_type)
    if reader is None:
        known = ", ".join(_READERS)
        raise UnsupportedType(
            f"content type {content_type or '(none)'!r} is not understood: send one of {known},"
            " or give the model an input_fn"
        )
    return reader(body)


def encode(prediction: Any, content_type: str) -> bytes:
    """Return a prediction as a body of ``content_type``, one of OFFERED.

    Takes arrays, tensors, numbers, text, and lists and mappings of them.
    """
    return _WRITERS[content_type](_plain(prediction))


def encode_piece(piece: Any) -> bytes:
    """Return a piece of a streamed prediction: bytes and text as they are, else a line of JSON."""
    if isinstance(piece, bytes | bytearray | memoryview):
        return bytes(piece)
    if isinstance(piece, str):
        return piece.encode()
    return _to_json(_plain(piece)) + b"\n"


# --- reading -------------------------------------------------------------------------------------


def _text(body: bytes | str) -> str:
    """Return a body as text, without the byte order mark that spreadsheets begin a file with."""
    return (body if isinstance(body, str) else body.decode("utf-8")).removeprefix("\ufeff")


def _bytes(body: bytes | str) -> bytes:
    return body.encode() if isinstance(body, str) else bytes(body)


def _array(value: Any) -> Any:
    """Return a list of numbers as an array, anything else as it is."""
    import numpy as np

    if not isinstance(value, list):
        return value
    try:
        array = np.array(value)
    except ValueError:  # lists of different lengths
        return value
    return array if array.dtype.kind in "biuf" else value


def _from_json(body: bytes | str) -> Any:
    try:
        return _array(json.loads(body))
    except ValueError as error:
        raise InvalidInput(f"the body is not JSON: {error}") from None
    except RecursionError:
        raise InvalidInput("the body's JSON is nested too deeply") from None


def _from_json_lines(body: bytes | str) -> Any:
    rows = []
    for number, line in enumerate(_text(body).splitlines(), 1):
        if line.strip():
            try:
                rows.append(json.loads(line))
            except ValueError as error:
                raise InvalidInput(f"line {number} is not JSON: {error}") from None
    return _array(rows)


def _from_csv(body: bytes | str) -> Any:
    """Return n x m numbers; one line is 1 x m."""
    import numpy as np

    text = _text(body)
    if not text.strip():
        raise InvalidInput("the body is empty: send lines of numbers, separated by commas")
    try:
        return np.loadtxt(io.StringIO(text), delimiter=",", ndmin=2)
    except ValueError as error:
        reason = str(error).partition(";")[0]
        raise InvalidInput(f"the body is no CSV of numbers: {reason}") from None


def _from_npy(body: bytes | str) -> Any:
    import numpy as np

    raw = _bytes(body)
    _refuse_pickle(raw)
    try:
        return np.load(io.BytesIO(raw), allow_pickle=False)
    except (ValueError, EOFError, OSError, MemoryError) as error:
        raise _no_array("an .npy file", error) from None


def _from_npz(body: bytes | str) -> "Mapping[str, np.ndarray[Any, Any]]":
    import zipfile

    import numpy as np

    raw = _bytes(body)
    _refuse_pickle(raw)
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            if sum(member.file_size for member in archive.infolist()) > _UNPACKED:
                raise InvalidInput(f"the archive unpacks to more than {_UNPACKED} bytes", 413)
        with np.load(io.BytesIO(raw), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (ValueError, EOFError, OSError, MemoryError, zipfile.BadZipFile) as error:
        raise _no_array("an .npz file", error) from None


def _refuse_pickle(raw: bytes) -> None:
    if raw[:1] == _PICKLE and not raw.startswith(b"\x93NUMPY"):
        raise UnsupportedType("pickles are not read: send an array of numbers")


def _no_array(what: str, error: Exception) -> InvalidInput:
    if "Object arrays" in str(error):
        return UnsupportedType(f"arrays of objects (pickles) are not read: send numbers as {what}")
    reason = "it does not start as one" if "pickle" in str(error) else error  # numpy's other guess
    return InvalidInput(f"the body is not {what}: {reason}")


_READERS: dict[str, Callable[[bytes | str], Any]] = {
    types.JSON: _from_json,
    types.JSON_LINES: _from_json_lines,
    types.CSV: _from_csv,
    types.NPY: _from_npy,
    types.NPZ: _from_npz,
    types.TEXT: _text,
}


# --- writing -------------------------------------------------------------------------------------


def _plain(value: Any) -> Any:
    """Return tensors as arrays, within lists and mappings too."""
    if hasattr(value, "detach"):
        return value.detach().cpu().numpy()
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def _listed(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"a prediction of type {type(value).__name__} is no JSON: write an output_fn")


def _to_json(value: Any) -> bytes:
    return json.dumps(value, default=_listed).encode()


def _rows(value: Any) -> list[Any]:
    """Return one entry per record: the first axis, or the only value."""
    rows = value.tolist() if hasattr(value, "tolist") else value
    return rows if isinstance(rows, list) else [rows]


def _to_json_lines(value: Any) -> bytes:
    return b"".join(_to_json(row) + b"\n" for row in _rows(value))


def _to_csv(value: Any) -> bytes:
    def line(row: Any) -> str:
        return ",".join(map(_cell, row if isinstance(row, list) else [row]))

    return "".join(line(row) + "\n" for row in _rows(value)).encode()


def _cell(value: Any) -> str:
    if isinstance(value, list | dict):
        raise TypeError("a prediction of more than two dimensions is no CSV: accept JSON instead")
    text = value if isinstance(value, str) else json.dumps(value, default=_listed)
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if set(text) & set(',"\n\r') else text


def _to_npy(value: Any) -> bytes:
    import numpy as np

    buffer = io.BytesIO()
    np.save(buffer, np.asarray(value), allow_pickle=False)
    return buffer.getvalue()


def _to_npz(value: Any) -> bytes:
    import numpy as np

    arrays = value if isinstance(value, Mapping) else {"arr_0": value}
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{name: np.asarray(a) for name, a in arrays.items()})
    return buffer.getvalue()


def _to_text(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else _to_json(value)


_WRITERS: dict[str, Callable[[Any], bytes]] = {
    types.JSON: _to_json,
    types.JSON_LINES: _to_json_lines,
    types.CSV: _to_csv,
    types.NPY: _to_npy,
    types.NPZ: _to_npz,
    types.TEXT: _to_text,
}
#: What a prediction can be given as, JSON first.
OFFERED = tuple(_WRITERS)
