"""From /opt/ml/model and /opt/ml/output/data to model.tar.gz and output.tar.gz."""

import tarfile
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from sagedock.engine import Engine
from sagedock.local.container_files import below_the_top, opened

__all__ = ["ArtifactClash", "pack"]

#: Fast: most weights do not compress.
_GZIP_LEVEL = 1
#: The archive may become a channel of a container whose user is not root.
_READABLE = 0o644


class ArtifactClash(Exception):
    """Two hosts wrote a file of the same name."""


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
