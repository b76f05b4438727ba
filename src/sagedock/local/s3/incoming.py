"""Bytes on their way into the store: a temporary file, hashed while it is written."""

import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from sagedock.local.s3.checksums import Digests

__all__ = ["CHUNK", "Incoming", "copy_range"]

#: Bytes read, hashed and written at a time.
CHUNK = 1024 * 1024


class Incoming:
    """A temporary file that is removed on exit, unless the store has taken it by then."""

    def __init__(self, path: Path, algorithms: Iterable[str] = ()) -> None:
        self.path = path
        self.digests = Digests(algorithms)
        self._file = path.open("xb", buffering=0)

    def write(self, data: bytes) -> None:
        """Append ``data``. Raises OSError (ENOSPC: the disk is full)."""
        _write_all(self._file, data)
        self.digests.update(data)

    def finish(self) -> Path:
        """Close the file and return its path."""
        self._file.close()
        return self.path

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)


def _write_all(file: BinaryIO, data: bytes) -> None:
    """Write all of ``data``: an unbuffered file may take only a part at a time."""
    view = memoryview(data)
    while view:
        view = view[os.write(file.fileno(), view) :]


def copy_range(source: BinaryIO, start: int, length: int, target: Incoming) -> None:
    """Write ``length`` bytes of ``source``, from ``start`` on, to ``target``."""
    source.seek(start)
    while length > 0 and (data := source.read(min(CHUNK, length))):
        target.write(data)
        length -= len(data)
