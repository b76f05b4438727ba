"""The writing end of a FIFO, which never blocks longer than its job lasts."""

import errno
import fcntl
import os
import select
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self

__all__ = ["Ended", "Ending", "Fifo", "ReaderLeft"]

_CHUNK_BYTES = 256 * 1024
_HELD_BYTES = 16 * 1024
#: What Linux lets anybody have (/proc/sys/fs/pipe-max-size).
_PIPE_BYTES = 1024 * 1024
_SHORTEST_WAIT_MS = 2.0
_LONGEST_WAIT_MS = 50.0


class Ended(Exception):
    """The job has ended: nothing is to be written any more."""


class ReaderLeft(Exception):
    """The reader closed the FIFO before its end, as it may."""


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Ending:
    """A flag, set once, that ends what waits for a FIFO."""

    def __init__(self) -> None:
        self._watched, self._held = os.pipe()
        self.is_set = False

    def set(self) -> None:
        """End all that waits now or later."""
        if not self.is_set:
            self.is_set = True
            os.close(self._held)

    def close(self) -> None:
        """Give the flag back; nobody may wait for it any more."""
        self.set()
        os.close(self._watched)

    def wait(self, timeout_ms: float | None, descriptor: int | None = None) -> None:
        """Return after ``timeout_ms``, or when ``descriptor`` may be written; raise Ended."""
        poll = select.poll()
        poll.register(self._watched, 0)  # its other end closing is always told
        if descriptor is not None:
            poll.register(descriptor, select.POLLOUT)
        poll.poll(timeout_ms)
        if self.is_set:
            raise Ended


class Fifo:
    """The writing end of the FIFO that a reader opened. A context manager.

    Its methods raise ReaderLeft, or Ended once ``ending`` is set. What was not flushed is lost.
    """

    def __init__(self, descriptor: int, ending: Ending) -> None:
        self._descriptor = descriptor
        self._ending = ending
        self._held = bytearray()
        try:
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        except OSError as error:
            if error.errno != errno.EPERM:  # this user's pipes are large enough in sum
                raise

    @classmethod
    def of_first(cls, paths: Sequence[Path], ending: Ending) -> tuple[int, Self]:
        """Wait until a reader has opened one of ``paths``; return which, and its writing end."""
        wait_ms = _SHORTEST_WAIT_MS
        while True:
            for number, path in enumerate(paths):
                descriptor = _open(path)
                if descriptor is not None:
                    return number, cls(descriptor, ending)
            ending.wait(wait_ms)
            wait_ms = min(2 * wait_ms, _LONGEST_WAIT_MS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)

    def write(self, data: bytes) -> None:
        """Write all of ``data``, at once or when more has come: see ``flush``."""
        if self._ending.is_set:
            raise Ended
        if len(self._held) + len(data) < _HELD_BYTES:
            self._held += data
            return
        self.flush()
        self._write_now(data)

    def flush(self) -> None:
        """Write what is held back: many small pieces would wake the reader as many times."""
        held, self._held = bytes(self._held), bytearray()
        self._write_now(held)

    def copy(self, source: _Readable) -> None:
        """Write what ``source`` has from its position on."""
        while chunk := source.read(_CHUNK_BYTES):
            self.write(chunk)

    def pass_on(self, source: BinaryIO) -> None:
        """Write what ``source``, a plain file at its start, has.

        The kernel hands the pages of one that is not small on: they are not copied.
        """
        if os.fstat(source.fileno()).st_size < _HELD_BYTES:
            self.copy(source)
            return
        self.flush()
        splice = partial(
            os.splice,
            source.fileno(),
            self._descriptor,
            _PIPE_BYTES,
            flags=os.SPLICE_F_NONBLOCK,
        )
        try:
            while self._some(splice):
                pass
        except OSError as error:
            if error.errno != errno.EINVAL:  # a file system that cannot
                raise
            self.copy(source)

    def _write_now(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self._some(partial(os.write, self._descriptor, rest)) :]

    def _some(self, write: Callable[[], int]) -> int:
        """Return how many bytes ``write`` wrote, once it could write any."""
        while True:
            if self._ending.is_set:
                raise Ended
            try:
                return write()
            except BlockingIOError:
                self._ending.wait(None, self._descriptor)
            except BrokenPipeError as error:
                raise ReaderLeft from error


def _open(path: Path) -> int | None:
    try:
        return os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno != errno.ENXIO:  # no reader yet
            raise
        return None
