"""Manifests: the list of a channel's objects, read entry by entry, however long it is.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html
"""

import io
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from sagedock.local.uris import S3Uri

__all__ = ["BrokenManifest", "read_manifest"]

_CHUNK_CHARACTERS = 64 * 1024
#: A key has at most 1024 bytes, each of which JSON may write as six characters.
_LONGEST_ENTRY = 8 * 1024
_BLANKS = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


class BrokenManifest(Exception):
    """A manifest that is none; the text says what is wrong with it."""


def read_manifest(file: BinaryIO) -> tuple[S3Uri, Iterator[str]]:
    """Return the manifest's prefix, and its entries, which are read while they are asked for.

    Both the call and the entries raise BrokenManifest. Memory is bounded: a hostile manifest
    ends in that error.
    """
    values = _Values(file)
    values.take("[")
    prefix = _prefix(values.value("{", "an object with the member prefix"))
    return prefix, _entries(values)


def _prefix(first: Any) -> S3Uri:
    prefix = first.get("prefix")
    if not isinstance(prefix, str) or not re.match(r"s3://[^/]", prefix):
        raise BrokenManifest('its first element must be {"prefix": "s3://bucket/..."}')
    return S3Uri.parse(_text(prefix))


def _entries(values: "_Values") -> Iterator[str]:
    while values.peek() == ",":
        values.take(",")
        yield _text(values.value('"', "a string"))
    values.take("]")
    if values.peek():
        raise BrokenManifest("something follows the end of its array")


def _text(entry: str) -> str:
    if not entry.isascii():
        try:
            entry.encode()
        except UnicodeEncodeError as error:
            raise BrokenManifest(f"{entry!r} holds half a surrogate pair, which no key can") from (
                error
            )
    return entry


class _Values:
    """JSON text taken apart from its start, with no more of it in memory than the next value."""

    def __init__(self, file: BinaryIO) -> None:
        # A byte order mark is let pass, as most parsers do.
        self._text = io.TextIOWrapper(file, encoding="utf-8-sig")
        self._buffer = ""
        self._at = 0

    def peek(self) -> str:
        """Return the next character that is not blank, or nothing at the end."""
        while True:
            blanks = _BLANKS.match(self._buffer, self._at)
            self._at = blanks.end() if blanks else self._at
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._read_more():
                return ""

    def take(self, sign: str) -> None:
        """Go behind ``sign``, which must be next."""
        if self.peek() != sign:
            raise BrokenManifest(f"it is no JSON array: {sign!r} is missing")
        self._at += 1

    def value(self, begins: str, wanted: str) -> Any:
        """Return the next value, which must begin with the character ``begins``."""
        if self.peek() != begins:
            raise BrokenManifest(f"one of its elements is not {wanted}")
        while True:
            try:
                found, self._at = _DECODER.raw_decode(self._buffer, self._at)
            except (json.JSONDecodeError, RecursionError) as error:
                if len(self._buffer) - self._at > _LONGEST_ENTRY:
                    raise BrokenManifest("one of its elements is too long") from error
                if not self._read_more():
                    raise BrokenManifest(f"it is no JSON: {error}") from error
            else:
                return found

    def _read_more(self) -> bool:
        try:
            more = self._text.read(_CHUNK_CHARACTERS)
        except UnicodeDecodeError as error:
            raise BrokenManifest("it is not UTF-8") from error
        self._buffer = self._buffer[self._at :] + more
        self._at = 0
        return more != ""
