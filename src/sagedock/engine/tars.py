"""Small tar archives of folders: how a folder is made in a volume that we may not write to."""

import io
import tarfile
from collections.abc import Iterable
from pathlib import PurePosixPath

__all__ = ["tar_of_folders"]


def tar_of_folders(folders: Iterable[str]) -> bytes:
    """Return a tar, rooted at ``/``, of ``folders`` and their parents (mode 755)."""
    wanted: set[str] = set()
    for path in folders:
        wanted.update((path, *map(str, PurePosixPath(path).parents)))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path in sorted(wanted - {"/", "."}):
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
    return buffer.getvalue()
