"""A tar archive, read once from its start, in bounded memory whatever it holds.

Nothing is written anywhere, so a member's name can lead nowhere; names that try (``..``) are told.
Read here, not by tarfile, which keeps every member and reads headers of any length at once.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sagedock.errors import EngineError

__all__ = ["Bytes", "Kind", "Member", "gunzipped", "members"]

_BLOCK = 512
#: Longer names and records than this are an attack: Linux has paths of 4 KiB.
_LONGEST_HEADER = 1024 * 1024
_BASE_256 = 0x80
_EIGHT_BYTES = slice(-8, None)
_PIECE = 1024 * 1024

Kind = Literal["file", "folder", "symlink", "hardlink", "other"]
_KINDS: dict[bytes, Kind] = {
    b"0": "file",
    b"\0": "file",
    b"7": "file",
    b"1": "hardlink",
    b"2": "symlink",
    b"5": "folder",
}


@dataclass(frozen=True, kw_only=True)
class Member:
    """One member: ``name`` as it stands there, ``size`` in bytes, ``link`` of either kind."""

    name: str
    kind: Kind
    size: int
    mode: int
    link: str


class Bytes:
    """Chunks as one stream. ``position`` is how many bytes were taken from it."""

    def __init__(self, chunks: Iterator[bytes] | Iterator[memoryview]) -> None:
        self._chunks: Iterator[bytes | memoryview] = iter(chunks)
        self._left = memoryview(b"")
        self.position = 0

    def peek(self, size: int) -> bytes:
        """Return the next ``size`` bytes, or fewer at the end, and leave them there."""
        if len(self._left) < size:
            chunks, have = [bytes(self._left)], len(self._left)
            while have < size and (chunk := next(self._chunks, None)) is not None:
                chunks.append(bytes(chunk))
                have += len(chunk)
            self._left = memoryview(b"".join(chunks))
        return bytes(self._left[:size])

    def read(self, size: int) -> bytes:
        """Return exactly ``size`` bytes, or raise EngineError where there are fewer."""
        return b"".join(self.pieces(size))

    def pieces(self, size: int) -> Iterator[memoryview]:
        """Yield the next ``size`` bytes, or raise EngineError where there are fewer."""
        while size > 0:
            if not self._left:
                chunk = next(self._chunks, None)
                if chunk is None:
                    raise EngineError(
                        f"the image's archive ends after {self.position} bytes, within a file: "
                        "the engine broke off, try again"
                    )
                self._left = memoryview(chunk)
                continue
            piece = self._left[: min(size, _PIECE)]
            self._left = self._left[len(piece) :]
            self.position += len(piece)
            size -= len(piece)
            yield piece

    def up_to(self, size: int) -> bytes:
        """Return the next ``size`` bytes, or fewer at the end."""
        found = self.peek(size)
        self._left = self._left[len(found) :]
        self.position += len(found)
        return found

    def drain(self) -> None:
        """Take all that is left."""
        self.position += len(self._left) + sum(map(len, self._chunks))
        self._left = memoryview(b"")


def gunzipped(chunks: Iterator[memoryview]) -> Iterator[bytes]:
    """Yield what gzip's members hold, piece by piece, however far they expand."""
    inflate = zlib.decompressobj(wbits=31)
    for chunk in chunks:
        data: bytes | memoryview = chunk
        while data:
            try:
                yield inflate.decompress(data, _PIECE)
            except zlib.error as error:
                raise EngineError(f"a layer of the image is not gzip ({error})") from error
            data = inflate.unconsumed_tail
            if inflate.eof:
                data, inflate = inflate.unused_data, zlib.decompressobj(wbits=31)
    yield inflate.flush()


def members(source: Bytes) -> Iterator[tuple[Member, Iterator[memoryview]]]:
    """Yield each member with its content, which is skipped where nobody takes it."""
    told: dict[str, str] = {}
    while True:
        head = source.peek(_BLOCK)
        if not head.strip(b"\0"):  # two empty blocks, or nothing at all
            source.drain()
            return
        head = source.read(_BLOCK)
        kind, size = head[156:157], _number(head[124:136], source)
        if kind in b"xLK" and kind:
            told |= _told(kind, _header(source, size))
            continue
        if kind == b"g":
            _header(source, size)
            continue
        if kind == b"S":
            _skip_sparse_map(source, head)
        member = _member(head, size, told, source)
        told = {}
        size = member.size if member.kind in ("file", "other") else 0
        content = source.pieces(size)
        yield member, content
        for _ in content:
            pass
        for _ in source.pieces(-size % _BLOCK):
            pass


def _member(head: bytes, size: int, told: dict[str, str], source: Bytes) -> Member:
    name = _text(head[:100])
    if head[257:263] == b"ustar\0" and head[345:500].strip(b"\0"):
        name = f"{_text(head[345:500])}/{name}"
    if told.get("size", "").isdigit():
        size = int(told["size"])
    return Member(
        name=told.get("path", name),
        kind=_KINDS.get(head[156:157], "other"),
        size=size,
        mode=_number(head[100:108], source),
        link=told.get("linkpath", _text(head[157:257])),
    )


def _number(field: bytes, source: Bytes) -> int:
    if field[0] & _BASE_256:
        return int.from_bytes(field[_EIGHT_BYTES], "big")
    digits = field.strip(b"\0 ")
    try:
        return int(digits or b"0", 8)
    except ValueError as error:
        raise EngineError(
            f"the image's archive is broken: no header of tar before byte {source.position}"
        ) from error


def _header(source: Bytes, size: int) -> bytes:
    if size > _LONGEST_HEADER:
        raise EngineError(
            f"the image's archive has a header of {size} bytes at byte {source.position}: no "
            "program that is meant well writes one; do not use this image"
        )
    text = source.read(size)
    source.read(-size % _BLOCK)
    return text


def _told(kind: bytes, text: bytes) -> dict[str, str]:
    if kind != b"x":
        return {"path" if kind == b"L" else "linkpath": _text(text)}
    found: dict[str, str] = {}
    while text:
        length, _, _ = text.partition(b" ")
        if not length.isdigit() or not 0 < int(length) <= len(text):
            return found
        record = text[len(length) + 1 : int(length)].removesuffix(b"\n")
        key, _, value = record.partition(b"=")
        if key in (b"path", b"linkpath", b"size"):
            found[key.decode()] = _text(value)
        text = text[int(length) :]
    return found


def _skip_sparse_map(source: Bytes, head: bytes) -> None:
    goes_on = head[482] != 0
    while goes_on:
        goes_on = source.read(_BLOCK)[504] != 0


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "surrogateescape")
