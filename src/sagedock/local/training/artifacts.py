"""From /opt/ml/model and /opt/ml/output/data to model.tar.gz and output.tar.gz."""

import io
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import IO, cast

from sagedock.engine import Engine

__all__ = ["ArtifactClash", "below_the_top", "opened", "pack", "read_file"]

#: Fast: most weights do not compress.
_GZIP_LEVEL = 1
#: The archive may become a channel of a container whose user is not root.
_READABLE = 0o644


class ArtifactClash(Exception):
    """Two hosts wrote a file of the same name."""


def read_file(engine: Engine, container: str, path: str, limit_bytes: int) -> bytes:
    """Return up to ``limit_bytes`` of a file in a container; nothing if there is none."""
    with opened(engine, container, path) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isreg() else None
            return content.read(limit_bytes) if content else b""
    return b""


def pack(engine: Engine, containers: Sequence[str], path: str, scratch: Path) -> Path | None:
    """Return a new tar.gz, in ``scratch``, of what the containers have below ``path``.

    The files lie at its top level. None, if no container has any file there. Raises ArtifactClash
    where two hosts wrote the same name, OSError where the disk refuses.
    """
    with tempfile.NamedTemporaryFile(dir=scratch, suffix=".tar.gz", delete=False) as packed:
        target = Path(packed.name)
        target.chmod(_READABLE)
    with ExitStack() as stack:
        stack.callback(target.unlink)
        if _pack(engine, containers, path, target):
            stack.pop_all()
            return target
    return None


def _pack(engine: Engine, containers: Sequence[str], path: str, target: Path) -> bool:
    is_folder: dict[str, bool] = {}
    with tarfile.open(target, "w:gz", compresslevel=_GZIP_LEVEL) as packed:
        for container in containers:
            with opened(engine, container, path) as archive:
                for member in archive:
                    name = below_the_top(member.name)
                    if name == "." or not _is_data(member):
                        continue
                    if name not in is_folder:
                        is_folder[name] = member.isdir()
                        _copy(archive, member, name, packed)
                    elif not (is_folder[name] and member.isdir()):
                        raise ArtifactClash(name)
    return not all(is_folder.values())


def below_the_top(name: str) -> str:
    """Return a member's name without the folder that the archive is of."""
    return str(PurePosixPath(*PurePosixPath(name).parts[1:]))


def _is_data(member: tarfile.TarInfo) -> bool:
    """Say whether it is a file, folder or link: pipes and devices hold nothing to be stored (what
    AWS does with them is unverified).
    """
    return member.isreg() or member.isdir() or member.issym() or member.islnk()


def _copy(
    archive: tarfile.TarFile, member: tarfile.TarInfo, name: str, packed: tarfile.TarFile
) -> None:
    content = archive.extractfile(member) if member.isreg() else None
    member.name = name
    if member.islnk():
        member.linkname = below_the_top(member.linkname)
    # Docker has long and non-ASCII names in these records too, and they would win.
    records = member.pax_headers.items()
    member.pax_headers = {key: text for key, text in records if key not in ("path", "linkpath")}
    packed.addfile(member, content)


def opened(engine: Engine, container: str, path: str) -> tarfile.TarFile:
    """Open the engine's archive of ``path`` as a stream; an absent path is an empty archive."""
    chunks = engine.archive(container, path)
    first = next(chunks, None)
    if first is None:
        first = _EMPTY_ARCHIVE
    stream = cast(IO[bytes], io.BufferedReader(_Chunks(first, chunks), 1024 * 1024))
    return tarfile.open(fileobj=stream, mode="r|")


_EMPTY_ARCHIVE = bytes(2 * tarfile.BLOCKSIZE)


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
