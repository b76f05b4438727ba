"""RecordIO, the framing that RecordWrapperType asks for: one record for each object or attribute.

A record is a magic number, its length in the lower 29 bits of a word, and the bytes, padded to
four. Source: https://mxnet.apache.org/versions/1.9.1/api/architecture/note_data_loading
"""

import struct

__all__ = ["LARGEST", "LENGTH_BITS", "MAGIC", "MAGIC_BYTES", "header", "padding"]

MAGIC = 0xCED7230A
MAGIC_BYTES = struct.pack("<I", MAGIC)
_ALIGNED = 4
#: Bytes. The three bits above the length mark parts of a record, and a reader puts the magic
#: number between parts: bytes that do not hold it cannot be parted.
LENGTH_BITS = 29
LARGEST = (1 << LENGTH_BITS) - 1


def header(size: int) -> bytes:
    """Return what goes before ``size`` bytes."""
    return struct.pack("<II", MAGIC, size)


def padding(size: int) -> bytes:
    """Return what goes behind ``size`` bytes."""
    return bytes(-size % _ALIGNED)
