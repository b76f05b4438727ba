"""The user's program, packed for the training toolkit: sourcedir.tar.gz."""

import gzip
import os
import re
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

__all__ = ["ARCHIVE", "Source"]

ARCHIVE = "sourcedir.tar.gz"
#: Folders that tools keep beside the source; the job has no use for them.
_LEFT_OUT = frozenset(
    {
        ".git",
        ".hg",
        ".hypothesis",
        ".ipynb_checkpoints",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".svn",
        ".tox",
        ".venv",
        "__pycache__",
    }
)
_LEFT_OUT_FILES = frozenset({".DS_Store"})
#: What sagemaker-training 5.1.4 takes as an entry point.
_ENTRY_POINT = re.compile(r"[A-Za-z0-9._+/-]+")


@dataclass(frozen=True, kw_only=True)
class Source:
    """An entry point, the folder it lies in, and more files or folders for the archive's top.

    Without a folder the entry point is one file. A folder ``s3://...tar.gz`` is packed already.
    """

    entry_point: str
    source_dir: str | None = None
    dependencies: Sequence[str] = ()

    @property
    def program(self) -> str:
        """The entry point as the toolkit is told it: a path inside the archive."""
        path = self.entry_point if self.source_dir else Path(self.entry_point).name
        return path if self.is_packed else os.path.normpath(path)

    @property
    def is_packed(self) -> bool:
        """Whether the archive is in S3 already."""
        return (self.source_dir or "").startswith("s3://")

    def problems(self) -> list[str]:
        """Return what is wrong, each line naming the parameter."""
        if self.is_packed:
            return [*self._entry_point_problems()]
        missing = [*self._entry_point_problems(), *self._missing()]
        return missing or [
            f"source_dir: {path} is a broken link or no regular file: remove it"
            for path in self.members().values()
            if not path.is_file()
        ]

    def write(self, file: IO[bytes]) -> None:
        """Write the archive. The same files give the same bytes, whenever and by whom."""
        with (
            gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
        ):
            self.add_to(archive)

    def add_to(self, archive: tarfile.TarFile, prefix: str = "") -> None:
        """Add the files to an archive, below ``prefix``."""
        for name, path in sorted(self.members().items()):
            _add(archive, prefix + name, path)

    def members(self) -> dict[str, Path]:
        """Return the files by the names that they have in the archive."""
        if self.source_dir:
            members = dict(_files(Path(self.source_dir)))
        else:
            members = {Path(self.entry_point).name: Path(self.entry_point)}
        for dependency in map(Path, self.dependencies):
            top = dependency.resolve().name
            if dependency.is_file():
                members[top] = dependency
            else:
                members |= {f"{top}/{name}": path for name, path in _files(dependency)}
        return members

    def _entry_point_problems(self) -> Iterator[str]:
        parts = self.program.split("/")
        right = _ENTRY_POINT.fullmatch(self.program) and not {"", ".", ".."} & {*parts}
        if not right or self.program.startswith("-"):
            yield (
                f"entry_point: {self.entry_point!r} is not a path that the training toolkit takes: "
                "use letters, digits and ._+-/ in a path relative to source_dir"
            )

    def _missing(self) -> Iterator[str]:
        if self.source_dir and not Path(self.source_dir).is_dir():
            yield f"source_dir: {self.source_dir}: no such folder: check the path"
        elif not (path := Path(self.source_dir or "", self.entry_point)).is_file():
            inside = f" inside source_dir ({self.source_dir})" if self.source_dir else ""
            yield f"entry_point: {path}: no such file{inside}: check the path"
        for dependency in self.dependencies:
            if not Path(dependency).exists():
                yield f"dependencies: {dependency}: no such file or folder: check the path"


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield each file below ``folder`` and its name in the archive; links are followed."""
    for top, folders, files in os.walk(folder, followlinks=True):
        here = Path(top)
        folders[:] = [
            name for name in folders if name not in _LEFT_OUT and not _leads_up(here / name)
        ]
        for name in files:
            if name not in _LEFT_OUT_FILES:
                yield (here / name).relative_to(folder).as_posix(), here / name


def _leads_up(path: Path) -> bool:
    """Say whether a folder is a link to one that it lies in, which would never end."""
    return path.is_symlink() and path.parent.resolve().is_relative_to(path.resolve())


def _add(archive: tarfile.TarFile, name: str, path: Path) -> None:
    """Add one file without its owner and times, so that only its content and name count."""
    status = path.stat()
    member = tarfile.TarInfo(name)
    member.size = status.st_size
    member.mode = 0o755 if status.st_mode & 0o100 else 0o644
    with path.open("rb") as content:
        archive.addfile(member, content)
