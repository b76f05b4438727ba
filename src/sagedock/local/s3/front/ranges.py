"""Parts of an object: the ``Range`` header, and part numbers of multipart objects."""

import re
from dataclasses import dataclass
from itertools import accumulate

from sagedock.local.s3.errors import S3Error
from sagedock.local.s3.model import StoredObject

__all__ = ["ByteRange", "part_range", "read_range", "read_source_range"]

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@dataclass(frozen=True, kw_only=True)
class ByteRange:
    """``length`` bytes from ``start`` on, of ``size`` in all."""

    start: int
    length: int
    size: int

    @property
    def header(self) -> str:
        """The value of Content-Range."""
        return f"bytes {self.start}-{self.start + self.length - 1}/{self.size}"


def read_range(header: str, size: int) -> ByteRange | None:
    """Return what ``header`` asks for, or None where it is to be ignored: several ranges, nonsense.

    Raises InvalidRange where none of it is in the object.
    """
    found = _RANGE.fullmatch(header.replace(" ", ""))
    if found is None or found[0] == "bytes=-":
        return None
    first, last = found[1], found[2]
    if first and last and int(first) > int(last):
        return None
    start = int(first) if first else max(size - int(last), 0)
    end = min(int(last), size - 1) if first and last else size - 1
    if start > end:
        raise S3Error("InvalidRange", RangeRequested=header, ActualObjectSize=size)
    return ByteRange(start=start, length=end - start + 1, size=size)


def read_source_range(header: str, size: int) -> ByteRange:
    """Return what ``x-amz-copy-source-range`` asks for: ``bytes=FIRST-LAST``, all in the object."""
    found = _RANGE.fullmatch(header)
    if found is None or not found[1] or not found[2]:
        raise S3Error(
            "InvalidArgument",
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first "
            "and last are the zero-based offsets of the first and last bytes to copy",
            ArgumentName="x-amz-copy-source-range",
            ArgumentValue=header,
        )
    first, last = int(found[1]), int(found[2])
    if first > last or last >= size:
        raise S3Error(
            "InvalidArgument",
            f"Range specified is not valid for source object of size: {size}",
            ArgumentName="x-amz-copy-source-range",
            ArgumentValue=header,
        )
    return ByteRange(start=first, length=last - first + 1, size=size)


def part_range(found: StoredObject, number: str) -> ByteRange:
    """Return the bytes of one part; an object that was put whole is its own part 1."""
    if not number.isascii() or not number.isdigit() or not 1 <= int(number) <= 10_000:
        raise S3Error(
            "InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive"
        )
    sizes = [part.size for part in found.kept.parts] or [found.size]
    if int(number) > len(sizes):
        raise S3Error(
            "InvalidPartNumber", PartNumberRequested=int(number), ActualPartCount=len(sizes)
        )
    ends = list(accumulate(sizes))
    index = int(number) - 1
    return ByteRange(start=ends[index] - sizes[index], length=sizes[index], size=found.size)
