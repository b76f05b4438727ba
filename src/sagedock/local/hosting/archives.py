"""Unpacking model.tar.gz: whoever made it is not trusted."""

import gzip
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, BinaryIO, cast

__all__ = ["BadArchive", "unpack"]

_MOST_MEMBERS = 1_000_000
_READABLE, _EXECUTABLE, _ENTERABLE = 0o644, 0o111, 0o755
_CHUNK_BYTES = 1024 * 1024
#: More than a name or any other record beside the files has: such is held in memory.
_LARGEST_READ = 4 * _CHUNK_BYTES


class BadArchive(Exception):
    """It is no archive of a model; the text says what is wrong with it."""


def unpack(
    archive: BinaryIO, folder: Path, *, most_bytes: int, check_stop: Callable[[], None]
) -> None:
    """Unpack a tar.gz into ``folder``, which is made, or raise BadArchive.

    There are files and folders in it, all below the top: links are refused (source:
    https://repost.aws/knowledge-center/sagemaker-endpoint-creation-fail), and so are absolute names
    and such as lead out, devices, and more than ``most_bytes``. ``check_stop`` is called again and
    again; what it raises ends the unpacking. Raises OSError where the disk refuses.
    """
    folder.mkdir(mode=_ENTERABLE, parents=True)
    left = most_bytes
    try:
        with tarfile.open(fileobj=cast(IO[bytes], _Guarded(archive)), mode="r:") as opened:
            for member in _members(opened):
                target = _place(folder, member)
                if member.isdir():
                    target.mkdir(mode=_ENTERABLE, parents=True, exist_ok=True)
                    continue
                left -= member.size
                if left < 0:
                    raise BadArchive(f"it unpacks to more than {most_bytes} bytes")
                _write(opened, member, target, check_stop)
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError) as error:
        raise BadArchive(str(error)) from error
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise BadArchive(f"one name is a file and a folder: {error.filename}") from error


class _Guarded:
    """What is packed, read forward; nothing that is too large is read at once."""

    def __init__(self, archive: BinaryIO) -> None:
        self._file = gzip.GzipFile(fileobj=archive)
        self.seek = self._file.seek
        self.tell = self._file.tell
        self.close = self._file.close

    def read(self, size: int) -> bytes:
        if size > _LARGEST_READ:
            raise BadArchive(f"a record beside its files has {size} bytes")
        return self._file.read(size)


def _members(opened: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    number = 0
    while (member := opened.next()) is not None:
        opened.members = []  # type: ignore[attr-defined] # else all of them are held in memory
        number += 1
        if number > _MOST_MEMBERS:
            raise BadArchive(f"it has more than {_MOST_MEMBERS} members")
        if member.islnk() or member.issym():
            raise BadArchive(f"{member.name} is a link: pack the file itself")
        if not member.isreg() and not member.isdir():
            raise BadArchive(f"{member.name} is neither a file nor a folder")
        yield member


def _place(folder: Path, member: tarfile.TarInfo) -> Path:
    parts = [part for part in member.name.split("/") if part not in ("", ".")]
    if member.name.startswith("/") or ".." in parts or "\0" in member.name:
        raise BadArchive(f"{member.name} leads out of the archive")
    return folder.joinpath(*parts)


def _write(
    opened: tarfile.TarFile,
    member: tarfile.TarInfo,
    target: Path,
    check_stop: Callable[[], None],
) -> None:
    content = opened.extractfile(member)
    if content is None:
        raise BadArchive(f"{member.name} has no content")
    target.parent.mkdir(mode=_ENTERABLE, parents=True, exist_ok=True)
    target.unlink(missing_ok=True)  # of one name the last counts, as tar has it
    with target.open("xb") as file:
        while chunk := content.read(_CHUNK_BYTES):
            check_stop()
            file.write(chunk)
    target.chmod(_READABLE | (member.mode & _EXECUTABLE))
