"""From a folder of containers to single files: what becomes objects if nothing is compressed."""

import posixpath
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sagedock.engine import Engine
from sagedock.local.container_files import below_the_top, opened
from sagedock.local.training.artifacts import ArtifactClash

__all__ = ["extracted"]

_CHUNK_BYTES = 1024 * 1024
#: An object may become a file of a channel of a container whose user is not root.
_READABLE = 0o644


@contextmanager
def extracted(
    engine: Engine, containers: Sequence[str], path: str, scratch: Path
) -> Iterator[dict[str, Path]]:
    """Give the files that the containers have below ``path``, by their names there.

    They lie in ``scratch`` until the end, under names of ours. A link that leads to one of them is
    a file of its own; folders, links that lead elsewhere, pipes and devices are left out
    (unverified). Raises ArtifactClash where two hosts wrote the same name, OSError where the disk
    refuses.
    """
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        found = _Extracted(folder=Path(folder))
        for container in containers:
            with opened(engine, container, path) as archive:
                for member in archive:
                    found.take(archive, member)
        yield found.with_links()


@dataclass(kw_only=True)
class _Extracted:
    folder: Path
    files: dict[str, Path] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    def take(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        name = below_the_top(member.name)
        content = archive.extractfile(member) if member.isreg() else None
        if content is None and not (member.islnk() or member.issym()):
            return
        if name in self.files or name in self.links:
            raise ArtifactClash(name)
        if content is not None:
            self.files[name] = self._new_file()
            with self.files[name].open("wb") as target:
                shutil.copyfileobj(content, target, _CHUNK_BYTES)
        elif member.islnk():
            self.links[name] = below_the_top(member.linkname)
        else:
            # One that is absolute, or climbs out, is the name of none of our files.
            self.links[name] = posixpath.normpath(
                posixpath.join(posixpath.dirname(name), member.linkname)
            )

    def with_links(self) -> dict[str, Path]:
        """Return the files, those that links lead to once more under the links' names."""
        for name in self.links:
            leads_to = self._end_of(name)
            if leads_to is not None:
                copy = self._new_file()
                shutil.copyfile(self.files[leads_to], copy)
                self.files[name] = copy
        return self.files

    def _end_of(self, link: str) -> str | None:
        """Follow links; a chain that leads out, or in a circle, has no end."""
        seen = set()
        while link in self.links and link not in seen:
            seen.add(link)
            link = self.links[link]
        return link if link in self.files and link not in self.links else None

    def _new_file(self) -> Path:
        path = self.folder / str(len(self.files))
        path.touch(_READABLE)
        return path
