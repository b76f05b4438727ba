"""Data to the bytes of a request, and an answer's bytes to data.

The names and the methods are SageMaker SDK v2's: its own serializers fit too.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from typing import IO, Any, Protocol

from sagedock.errors import InvalidRequest

__all__ = [
    "BytesDeserializer",
    "CSVDeserializer",
    "CSVSerializer",
    "Deserializer",
    "IdentitySerializer",
    "JSONDeserializer",
    "JSONLinesDeserializer",
    "JSONLinesSerializer",
    "JSONSerializer",
    "NumpyDeserializer",
    "NumpySerializer",
    "Serializer",
    "StringDeserializer",
]

_JSON = "application/json"
_JSON_LINES = "application/jsonlines"
_CSV = "text/csv"
_NPY = "application/x-npy"


class Serializer(Protocol):
    """Makes a request's body, of the type ``CONTENT_TYPE``, of any data that it knows."""

    @property
    def CONTENT_TYPE(self) -> str:  # noqa: N802 - SDK v2's name
        """The content type of what it makes."""

    def serialize(self, data: Any) -> Any:
        """Return ``data`` as bytes, text or a readable file."""


class Deserializer(Protocol):
    """Makes data of an answer's body; ``ACCEPT`` is what it asks for."""

    @property
    def ACCEPT(self) -> tuple[str, ...]:  # noqa: N802 - SDK v2's name
        """The content types that it reads."""

    def deserialize(self, stream: Any, content_type: str) -> Any:
        """Return what ``stream``, a readable file, holds."""


class IdentitySerializer:
    """Sends bytes, text or a readable file as they are."""

    def __init__(self, content_type: str = "application/octet-stream") -> None:
        self.CONTENT_TYPE = content_type

    def serialize(self, data: Any) -> Any:
        """Return ``data``. Raises InvalidRequest for what is no body of a request."""
        if isinstance(data, bytes | bytearray | str) or hasattr(data, "read"):
            return data
        raise InvalidRequest(
            [
                f"data: {type(data).__name__} is no body of a request: give the predictor "
                "serializer=JSONSerializer(), or another of sagedock.client.serializers, or give "
                "bytes"
            ]
        )


class JSONSerializer:
    """Sends anything that JSON can say; arrays (``tolist``) too."""

    CONTENT_TYPE = _JSON

    def serialize(self, data: Any) -> bytes:
        """Return ``data`` as JSON. Raises TypeError for what JSON cannot say."""
        return json.dumps(_read(data), default=_plain).encode()


class JSONLinesSerializer:
    """Sends records, a line of JSON for each; text and bytes as they are."""

    CONTENT_TYPE = _JSON_LINES

    def serialize(self, data: Any) -> bytes:
        """Return ``data`` as JSON lines. Raises TypeError for what JSON cannot say."""
        data = _read(data)
        if isinstance(data, str | bytes):
            return data.encode() if isinstance(data, str) else data
        return "\n".join(json.dumps(record, default=_plain) for record in data).encode()


class CSVSerializer:
    """Sends a row, or rows, as CSV; text and bytes as they are."""

    CONTENT_TYPE = _CSV

    def serialize(self, data: Any) -> bytes:
        """Return ``data`` as CSV, without an end of line after the last row."""
        data = _read(data)
        if isinstance(data, str | bytes):
            return data.encode() if isinstance(data, str) else data
        rows = data.tolist() if hasattr(data, "tolist") else list(data)
        if not rows or not isinstance(rows[0], list | tuple):
            rows = [rows]
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(rows)
        return out.getvalue().removesuffix("\n").encode()


class NumpySerializer:
    """Sends an array as a .npy file. Objects are refused: they would need pickle."""

    CONTENT_TYPE = _NPY

    def __init__(self, dtype: Any = None) -> None:
        self.dtype = dtype

    def serialize(self, data: Any) -> bytes:
        """Return ``data`` as a .npy file. Raises ValueError for an array of objects."""
        import numpy as np

        out = io.BytesIO()
        np.save(out, np.asarray(data, dtype=self.dtype), allow_pickle=False)
        return out.getvalue()


class BytesDeserializer:
    """Returns the answer's bytes."""

    def __init__(self, accept: str = "*/*") -> None:
        self.ACCEPT = (accept,)

    def deserialize(self, stream: IO[bytes], content_type: str) -> bytes:  # noqa: ARG002
        """Return all of ``stream``."""
        with stream:
            return stream.read()


class StringDeserializer:
    """Returns the answer as text."""

    def __init__(self, encoding: str = "utf-8", accept: str = "application/json") -> None:
        self.encoding = encoding
        self.ACCEPT = (accept,)

    def deserialize(self, stream: IO[bytes], content_type: str) -> str:  # noqa: ARG002
        """Return all of ``stream``, decoded."""
        with stream:
            return stream.read().decode(self.encoding)


class JSONDeserializer:
    """Returns what an answer in JSON says."""

    ACCEPT = (_JSON,)

    def deserialize(self, stream: IO[bytes], content_type: str) -> Any:  # noqa: ARG002
        """Return the value. Raises ValueError where it is no JSON."""
        with stream:
            return json.load(stream)


class JSONLinesDeserializer:
    """Returns a list with what each line says."""

    ACCEPT = (_JSON_LINES,)

    def deserialize(self, stream: IO[bytes], content_type: str) -> list[Any]:  # noqa: ARG002
        """Return the values. Raises ValueError where a line is no JSON."""
        with stream:
            return [json.loads(line) for line in stream.read().splitlines() if line.strip()]


class CSVDeserializer:
    """Returns rows of text."""

    ACCEPT = (_CSV,)

    def deserialize(self, stream: IO[bytes], content_type: str) -> list[list[str]]:  # noqa: ARG002
        """Return the rows."""
        with stream:
            return list(csv.reader(io.StringIO(stream.read().decode())))


class NumpyDeserializer:
    """Returns an array of an answer in .npy, JSON or CSV. Pickles are refused."""

    def __init__(self, dtype: Any = None, accept: str = _NPY) -> None:
        self.dtype = dtype
        self.ACCEPT = (accept,)

    def deserialize(self, stream: IO[bytes], content_type: str) -> Any:
        """Return the array. Raises ValueError for another content type, or a pickle."""
        import numpy as np

        with stream:
            body = stream.read()
        match content_type.partition(";")[0].strip():
            case "application/x-npy":
                return np.load(io.BytesIO(body), allow_pickle=False)
            case "application/json":
                return np.array(json.loads(body), dtype=self.dtype)
            case "text/csv":
                return np.genfromtxt(io.BytesIO(body), delimiter=",", dtype=self.dtype)
            case other:
                raise ValueError(f"an array cannot be read from {other}: use another deserializer")


def _read(data: Any) -> Any:
    return data.read() if hasattr(data, "read") else data


def _plain(value: Any) -> Any:
    """Return what JSON can say of ``value``: an array's lists, a mapping, an iterable."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Iterable) and not isinstance(value, bytes):
        return list(value)
    raise TypeError(f"{type(value).__name__} cannot be said in JSON: use another serializer")
