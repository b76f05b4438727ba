"""EFS and FSx file systems: each stands for a folder of this machine that the settings name."""

from collections.abc import Mapping
from pathlib import Path

from sagedock.local.training.inputs import FileSystem

__all__ = ["FileSystemAbsent", "local_folder"]


class FileSystemAbsent(Exception):
    """A file system, or a folder of it, that is not here; the text says what to do."""


def local_folder(folders: Mapping[str, Path], wanted: FileSystem) -> Path:
    """Return the folder that a channel names, links followed, or raise FileSystemAbsent.

    What leads out of the file system's own folder is not there.
    """
    if wanted.id not in folders:
        raise FileSystemAbsent(
            f"file system {wanted.id}, which stands for no folder of this machine (start it with "
            f"SAGEDOCK_FILE_SYSTEMS={wanted.id}=/path/of/a/folder)"
        )
    root = Path(folders[wanted.id]).resolve()
    found = _resolved(root, wanted.path)
    if found is None or not found.is_relative_to(root) or not found.is_dir():
        raise FileSystemAbsent(
            f"DirectoryPath {wanted.path!r:.200}, which is no folder of {root}, the folder that "
            f"SAGEDOCK_FILE_SYSTEMS names for {wanted.id}"
        )
    return found


def _resolved(root: Path, path: str) -> Path | None:
    try:
        return (root / path.lstrip("/")).resolve()
    except (OSError, RuntimeError, ValueError):  # links in a circle; a null character
        return None
