"""Files that a container holds, running or ended: found, read, and stored as objects."""

import io
import shutil
import tarfile
import uuid
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO, NamedTuple, TypeAlias, cast

from sagedock.engine import Engine, OverlayFile, open_overlay_file
from sagedock.local.platform import Platform
from sagedock.local.uris import S3Uri

__all__ = [
    "FoundFile",
    "Stamp",
    "below_the_top",
    "found_files",
    "opened",
    "read_file",
    "store_file",
]

_CHUNK_BYTES = 4 * 1024 * 1024
_EMPTY_ARCHIVE = bytes(2 * tarfile.BLOCKSIZE)

#: What tells one state of a file from another: its size, and when it was changed.
Stamp: TypeAlias = tuple[int, float]


class FoundFile(NamedTuple):
    """A regular file of a container: its path below the folder that was searched, its stamp, and
    its content, which is read before the next one is asked for.
    """

    name: str
    stamp: Stamp
    content: OverlayFile | IO[bytes] | None


def found_files(
    engine: Engine, container: str, target: str, below: str = ""
) -> Iterator[FoundFile]:
    """Yield the regular files in the folder ``below`` of the overlay at ``target``.

    Symbolic links are not followed. Where the engine's folders cannot be read, they are copied.
    """
    files = engine.files(container, target, below)
    if files is None:
        path = f"{target}/{below}" if below else target
        yield from _in_archive(engine, container, path)
        return
    top = f"{below}/" if below else ""
    for each in files:
        yield FoundFile(each.relative.removeprefix(top), (each.size, each.mtime_ns), each)


def store_file(platform: Platform, found: FoundFile, where: S3Uri) -> bool:
    """Store one file whole, and return True; False if it is gone, or changed while it was read."""
    copy = platform.scratch_folder / uuid.uuid4().hex
    content = found.content
    try:
        source = _opened(content)
        if source is None:
            return False
        with source, copy.open("wb") as target:
            shutil.copyfileobj(source, target, _CHUNK_BYTES)
        if isinstance(content, OverlayFile) and not _is_still(content):
            return False
        platform.objects.put_file(where.bucket, where.key, copy)
    finally:
        copy.unlink(missing_ok=True)
    return True


def read_file(engine: Engine, container: str, path: str, limit_bytes: int) -> bytes:
    """Return up to ``limit_bytes`` of a file in a container; nothing if there is none."""
    with opened(engine, container, path) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isreg() else None
            return content.read(limit_bytes) if content else b""
    return b""


def below_the_top(name: str) -> str:
    """Return a member's name without the folder that the archive is of."""
    return str(PurePosixPath(*PurePosixPath(name).parts[1:]))


def opened(engine: Engine, container: str, path: str) -> tarfile.TarFile:
    """Open the engine's archive of ``path`` as a stream; an absent path is an empty archive."""
    chunks = engine.archive(container, path)
    first = next(chunks, None)
    if first is None:
        first = _EMPTY_ARCHIVE
    stream = cast(IO[bytes], io.BufferedReader(_Chunks(first, chunks), 1024 * 1024))
    return tarfile.open(fileobj=stream, mode="r|")


def _in_archive(engine: Engine, container: str, path: str) -> Iterator[FoundFile]:
    """Yield the files of an archive; one that has several names is read anew for each."""
    links: dict[str, str] = {}
    with opened(engine, container, path) as archive:
        for member in archive:
            name = below_the_top(member.name)
            if member.islnk():
                links[name] = below_the_top(member.linkname)
            elif member.isreg():
                yield FoundFile(name, _stamp(member), archive.extractfile(member))
    while links:
        pending, links = links, {}
        names = {leads_to: name for name, leads_to in pending.items()}
        with opened(engine, container, path) as archive:
            for member in archive:
                name = names.get(below_the_top(member.name), "")
                if name and member.isreg():
                    del pending[name]
                    links = pending
                    yield FoundFile(name, _stamp(member), archive.extractfile(member))


def _stamp(member: tarfile.TarInfo) -> Stamp:
    return member.size, float(member.mtime)


def _opened(content: OverlayFile | IO[bytes] | None) -> IO[bytes] | None:
    if not isinstance(content, OverlayFile):
        return content
    try:
        return open_overlay_file(content)
    except FileNotFoundError:  # it is gone, or another one, meanwhile
        return None


def _is_still(file: OverlayFile) -> bool:
    try:
        status = (file.layer / file.relative).lstat()
    except FileNotFoundError:
        return False
    return (status.st_size, status.st_mtime_ns) == (file.size, file.mtime_ns)


class _Chunks(io.RawIOBase):
    """An iterator of bytes, read as a file."""

    def __init__(self, first: bytes, rest: Iterator[bytes]) -> None:
        self._pending = memoryview(first)
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._pending:
            chunk = next(self._rest, None)
            if chunk is None:
                return 0
            self._pending = memoryview(chunk)
        size = min(len(buffer), len(self._pending))
        buffer[:size] = self._pending[:size]
        self._pending = self._pending[size:]
        return size
