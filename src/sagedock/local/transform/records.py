"""Objects split into records, read forward: no more than a record is in memory.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TransformInput.html
"""

import gzip
import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import BinaryIO, Literal, assert_never, cast

import anycrc

from sagedock.local.training import recordio
from sagedock.local.transform.failures import bad_data, too_large

__all__ = ["SplitType", "opened", "readable", "records", "without_end"]

SplitType = Literal["None", "Line", "RecordIO", "TFRecord"]

_BUFFER_BYTES = 1024 * 1024
_RECORDIO_HEADER = struct.Struct("<II")
_WHOLE, _FIRST, _LAST = 0, 1, 3
#: TFRecord: length and its checksum; the bytes and theirs follow. Source:
#: https://www.tensorflow.org/tutorials/load_data/tfrecord ("TFRecords format details").
_TFRECORD_HEADER = struct.Struct("<QI")
_CHECKSUM = struct.Struct("<I")
_MASK_DELTA = 0xA282EAD8
_32_BITS = 0xFFFFFFFF


def opened(file: BinaryIO, *, gzipped: bool) -> io.BufferedReader:
    """Return an object's bytes, unpacked where they are packed."""
    if not gzipped:
        return io.BufferedReader(cast(io.RawIOBase, file), _BUFFER_BYTES)
    return io.BufferedReader(cast(io.RawIOBase, gzip.GzipFile(fileobj=file)), _BUFFER_BYTES)


@contextmanager
def readable() -> Iterator[None]:
    """Raise ObjectFailed where the block finds that an object is not packed as gzip packs."""
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise bad_data(f"Failed to decompress the object as gzip: {error}") from error


def without_end(line: bytes) -> bytes:
    """Return a line without what ends it: LF, or CR and LF."""
    return line.removesuffix(b"\n").removesuffix(b"\r")


def records(
    file: io.BufferedReader, split: SplitType, *, framed: bool, most_bytes: int | None
) -> Iterator[bytes]:
    """Yield an object's records; ``framed`` ones with their newline, header, padding, checksums.

    None is one record. Raises ObjectFailed for one of more than ``most_bytes`` (None: no limit),
    not counting a newline, and for what is no record.
    """
    match split:
        case "None":
            return _whole(file, most_bytes)
        case "Line":
            return _lines(file, framed, most_bytes)
        case "RecordIO":
            return _of_recordio(file, framed, most_bytes)
        case "TFRecord":
            return _of_tfrecord(file, framed, most_bytes)
        case _:
            assert_never(split)


def _whole(file: io.BufferedReader, most_bytes: int | None) -> Iterator[bytes]:
    data = file.read(-1 if most_bytes is None else most_bytes + 1)
    _check(len(data), most_bytes)
    yield data


def _lines(file: io.BufferedReader, framed: bool, most_bytes: int | None) -> Iterator[bytes]:
    longest = -1 if most_bytes is None else most_bytes + len(b"\r\n")
    while line := file.readline(longest):
        bare = without_end(line)
        _check(len(bare), most_bytes)
        yield line if framed else bare


def _of_recordio(file: io.BufferedReader, framed: bool, most_bytes: int | None) -> Iterator[bytes]:
    parts: list[bytes] = []
    size = 0
    while header := file.read(_RECORDIO_HEADER.size):
        magic, word = _RECORDIO_HEADER.unpack(_full(header, _RECORDIO_HEADER.size))
        part, length = word >> recordio.LENGTH_BITS, word & recordio.LARGEST
        if magic != recordio.MAGIC or (part in (_WHOLE, _FIRST)) != (not parts):
            raise bad_data("Failed to parse the object as RecordIO: a record does not begin as one")
        size += length
        _check(size, most_bytes)
        data = _full(file.read(length), length)
        padding = _full(file.read(-length % 4), -length % 4)
        parts.append(header + data + padding if framed else data)
        if part in (_WHOLE, _LAST):
            yield (b"" if framed else recordio.MAGIC_BYTES).join(parts)
            parts, size = [], 0
    if parts:
        raise _ends_early()


def _of_tfrecord(file: io.BufferedReader, framed: bool, most_bytes: int | None) -> Iterator[bytes]:
    while header := file.read(_TFRECORD_HEADER.size):
        length, checksum = _TFRECORD_HEADER.unpack(_full(header, _TFRECORD_HEADER.size))
        if _masked(header[:8]) != checksum:
            raise bad_data("Failed to parse the object as TFRecord: a length's checksum is wrong")
        _check(length, most_bytes)
        data = _full(file.read(length), length)
        end = _full(file.read(_CHECKSUM.size), _CHECKSUM.size)
        if _masked(data) != _CHECKSUM.unpack(end)[0]:
            raise bad_data("Failed to parse the object as TFRecord: a record's checksum is wrong")
        yield header + data + end if framed else data


def _masked(data: bytes) -> int:
    crc = int(_crc32c().calc(data))
    return (((crc >> 15) | (crc << 17)) + _MASK_DELTA) & _32_BITS


@cache
def _crc32c() -> anycrc.Model:
    return anycrc.Model("CRC32C")


def _full(data: bytes, size: int) -> bytes:
    if len(data) != size:
        raise _ends_early()
    return data


def _ends_early() -> Exception:
    return bad_data("The object ends within a record")


def _check(size: int, most_bytes: int | None) -> None:
    if most_bytes is not None and size > most_bytes:
        raise too_large(most_bytes)
