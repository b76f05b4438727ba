"""One checkpoint, one file: what the program's format wrote, then a stamp that vouches for it.

::

    payload | stamp: a JSON object | footer: the stamp's length and CRC-32, and `sagedock`

The stamp behind the payload holds the payload's length and CRC-32, so that a torn, truncated,
altered or foreign file is told from a whole one. A file gets its name once it is whole and on the
disk: a kill at any instant leaves it there or not, never half.
"""

import contextlib
import dataclasses
import json
import os
import stat
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sagedock.contract import paths
from sagedock.runtime.checkpoints.streams import Payload, Sink

__all__ = ["Stamp", "Unreadable", "open_payload", "verify", "write"]

_VERSION = 1
_FOOTER = struct.Struct(">II8s")
_MAGIC = b"sagedock"
_LONGEST_STAMP = 65536
_CHUNK = 1 << 20


class Unreadable(Exception):
    """A file that is no whole checkpoint; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """What a checkpoint says of itself. ``run`` is one for all ranks of one start of a program."""

    step: int
    rank: int
    ranks: int
    format: str
    run: str
    saved_at: str
    payload_bytes: int = 0
    payload_crc32: int = 0
    version: int = _VERSION


def write(
    file: Path,
    stamp: Stamp,
    fill: Callable[[BinaryIO], object],
    *,
    fsync: Callable[[int], None] = os.fsync,
) -> Stamp:
    """Write a checkpoint that is there, whole and durable, or not at all; return its full stamp.

    ``fill`` writes the payload. Raises OSError where the disk refuses, FileNotFoundError among
    them where another process of the same rank has removed the unfinished file.
    """
    unfinished = file.with_name(f"{file.name}.{os.getpid()}{paths.UNSYNCED}")
    try:
        with unfinished.open("wb", buffering=0) as raw:
            stamp = _write_into(raw.fileno(), stamp, fill)
            fsync(raw.fileno())
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
    _sync_folder(file.parent, fsync)
    return stamp


def _write_into(fd: int, stamp: Stamp, fill: Callable[[BinaryIO], object]) -> Stamp:
    with Sink(fd) as sink:
        with sink.buffered() as buffered:
            fill(buffered)
        full = dataclasses.replace(stamp, payload_bytes=sink.size, payload_crc32=sink.crc32)
        text = json.dumps(dataclasses.asdict(full)).encode()
        sink.write(text + _FOOTER.pack(len(text), zlib.crc32(text), _MAGIC))
    return full


def _sync_folder(folder: Path, fsync: Callable[[int], None]) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fsync(fd)
    finally:
        os.close(fd)


def verify(file: Path) -> Stamp:
    """Read the whole file; return its stamp, or raise Unreadable."""
    with _opened(file) as fd:
        stamp = _stamp_of(fd)
        if _crc32(fd, stamp.payload_bytes) != stamp.payload_crc32:
            raise Unreadable("its content was altered: the checksum does not match")
        return stamp


@contextlib.contextmanager
def open_payload(file: Path) -> Iterator[BinaryIO]:
    """Open what the format wrote, and nothing behind it."""
    with _opened(file) as fd, Payload(fd, _stamp_of(fd).payload_bytes).buffered() as payload:
        yield payload


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[int]:
    """Open a regular file: a folder, a link or a FIFO of that name is foreign, and may block."""
    try:
        fd = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise Unreadable(f"it cannot be opened: {error.strerror}") from error
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise Unreadable("it is not a regular file")
        yield fd
    finally:
        os.close(fd)


def _stamp_of(fd: int) -> Stamp:
    size = os.fstat(fd).st_size
    length, crc32, magic = _footer(fd, size)
    start = size - _FOOTER.size - length
    if magic != _MAGIC or length > _LONGEST_STAMP or start < 0:
        raise Unreadable("its end is missing, or it was not written by sagedock")
    text = _read(fd, length, start)
    if zlib.crc32(text) != crc32:
        raise Unreadable("its stamp was altered")
    stamp = _parse(text)
    if stamp.payload_bytes != start:
        raise Unreadable(f"it holds {start} bytes instead of {stamp.payload_bytes}")
    return stamp


def _footer(fd: int, size: int) -> tuple[int, int, bytes]:
    if size < _FOOTER.size:
        raise Unreadable("it is too short to be a checkpoint")
    return _FOOTER.unpack(_read(fd, _FOOTER.size, size - _FOOTER.size))


def _parse(text: bytes) -> Stamp:
    """Return the stamp; raise Unreadable for one of another version, which has other fields."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable("its stamp is not JSON") from error
    types = {each.name: each.type for each in dataclasses.fields(Stamp)}
    if not isinstance(found, dict) or {name: type(found[name]) for name in found} != types:
        raise Unreadable("its stamp has other fields")
    if found["version"] != _VERSION:
        raise Unreadable(f"it is of version {found['version']}, not {_VERSION}")
    return Stamp(**found)


def _read(fd: int, length: int, start: int) -> bytes:
    try:
        found = os.pread(fd, length, start)
    except OSError as error:
        raise Unreadable(f"it cannot be read: {error.strerror}") from error
    if len(found) < length:
        raise Unreadable("it became shorter while it was read")
    return found


def _crc32(fd: int, length: int) -> int:
    crc32 = 0
    for start in range(0, length, _CHUNK):
        crc32 = zlib.crc32(_read(fd, min(_CHUNK, length - start), start), crc32)
    return crc32
