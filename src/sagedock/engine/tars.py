"""Small tar archives: what is put into a container before it starts."""

import io
import tarfile
import time
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

__all__ = ["tar_of"]


def tar_of(files: Mapping[str, bytes], folders: Iterable[str]) -> bytes:
    """Return a tar, rooted at ``/``, of ``folders`` (mode 755) and ``files`` (mode 644)."""
    wanted = {str(parent) for path in files for parent in PurePosixPath(path).parents}
    wanted.update(str(parent) for path in folders for parent in PurePosixPath(path).parents)
    wanted.update(folders)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path in sorted(wanted - {"/", "."}):
            archive.addfile(_entry(path, tarfile.DIRTYPE, 0o755))
        for path, content in sorted(files.items()):
            entry = _entry(path, tarfile.REGTYPE, 0o644)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _entry(path: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(path.lstrip("/"))
    entry.type = kind
    entry.mode = mode
    entry.mtime = int(time.time())
    return entry
