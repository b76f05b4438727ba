"""The two ends of a checkpoint's file: where the payload goes in, and where it comes out."""

from __future__ import annotations

import contextlib
import io
import os
import zlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, cast

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

__all__ = ["Payload", "Sink"]

_CHUNK = 8 << 20
_BUFFER = 1 << 16
#: After so many bytes the disk is told to begin: it writes while the rest is still serialised.
_FLUSH_EVERY = 16 << 20


class Sink(io.RawIOBase):
    """Writes to a file, counts and checksums what it is given; raises at its end.

    An error of the disk in the middle would have to travel through the serialiser, which may be
    written in C++: it is kept, what follows is dropped, and ``with`` raises it when it ends.
    """

    def __init__(self, fd: int) -> None:
        self.size = 0
        self.crc32 = 0
        self._fd = fd
        self._failure: OSError | None = None
        self._unflushed = 0
        self._flush: Future[None] | None = None
        self._flusher = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Await the disk; raise what it refused, unless the block raised already."""
        self._flusher.shutdown()
        self._take_flush()
        self.close()
        if self._failure is not None and kind is None:
            raise self._failure

    @contextlib.contextmanager
    def buffered(self) -> Iterator[BinaryIO]:
        """Gather small writes into larger ones; all of them are written where the block ends."""
        buffered = io.BufferedWriter(self, _BUFFER)
        try:
            yield cast(BinaryIO, buffered)
        finally:
            buffered.detach()

    def writable(self) -> bool:
        """Say that this end is written to."""
        return True

    def write(self, data: ReadableBuffer) -> int:
        """Write all of ``data``, or note that the disk refused."""
        view = memoryview(data)
        for start in range(0, view.nbytes, _CHUNK):
            if self._failure is None:
                self._write_chunk(view[start : start + _CHUNK])
        return view.nbytes

    def _write_chunk(self, chunk: memoryview) -> None:
        self.crc32 = zlib.crc32(chunk, self.crc32)
        self.size += len(chunk)
        try:
            while chunk:
                written = os.write(self._fd, chunk)
                self._unflushed += written
                chunk = chunk[written:]
        except OSError as error:
            self._failure = error
        self._flush_ahead()

    def _flush_ahead(self) -> None:
        if self._unflushed < _FLUSH_EVERY or (self._flush and not self._flush.done()):
            return
        self._take_flush()
        self._unflushed = 0
        self._flush = self._flusher.submit(os.fdatasync, self._fd)

    def _take_flush(self) -> None:
        """Keep a failure that only a flush was told: the kernel tells each of them once."""
        failure = self._flush.exception() if self._flush else None
        if isinstance(failure, OSError):
            self._failure = self._failure or failure


class Payload(io.RawIOBase):
    """Reads the first ``size`` bytes of a file, whose descriptor stays its owner's."""

    def __init__(self, fd: int, size: int) -> None:
        self._fd = fd
        self._size = size
        self._at = 0

    @contextlib.contextmanager
    def buffered(self) -> Iterator[BinaryIO]:
        """Read ahead, as files do."""
        with io.BufferedReader(self) as buffered:
            yield cast(BinaryIO, buffered)

    def fileno(self) -> int:
        """Return the descriptor, for those that map the file."""
        return self._fd

    def readable(self) -> bool:
        """Say that this end is read from."""
        return True

    def seekable(self) -> bool:
        """Say that it can be read in any order."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read up to the payload's end; return how many bytes."""
        view = memoryview(buffer).cast("B")[: max(0, self._size - self._at)]
        count = os.preadv(self._fd, [view], self._at) if view else 0
        self._at += count
        return count

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to an offset from the start, from here, or from the payload's end."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        """Return the offset from the start."""
        return self._at
