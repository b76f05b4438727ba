"""Files of a build, written: a full disk is told by the file's name; a file is whole, or absent."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sagedock.errors import StorageError

__all__ = ["refuse_unwritable", "refuse_unwritable_folder", "replace_file", "writing"]


@contextmanager
def writing(path: Path, remedy: str) -> Iterator[None]:
    """Raise an OSError inside as a StorageError that names ``path`` and the remedy.

    Inside is what writes, and nothing else: other errors are not those of the disk.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise StorageError(f"{path}: cannot be written ({reason}): {remedy}") from error


def refuse_unwritable(path: Path, remedy: str) -> None:
    """Raise StorageError where ``replace_file`` could not put a file at ``path``, before what takes
    long is done for it. Nothing is left behind: the nearest folder that is there is tried.
    """
    with writing(path, remedy):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        _try_nearest(path.parent)


def refuse_unwritable_folder(folder: Path, remedy: str) -> None:
    """Raise StorageError, which names the folder, where no files could be put into it; see
    ``refuse_unwritable``.
    """
    with writing(folder, remedy):
        _try_nearest(folder)


def _try_nearest(folder: Path) -> None:
    here = folder.absolute()
    nearest = next(each for each in (here, *here.parents) if os.path.lexists(each))
    with tempfile.TemporaryFile(dir=nearest):
        pass


def replace_file(path: Path, content: bytes, remedy: str) -> None:
    """Put a content in a file's place, in one step; its folder is made. Raises StorageError."""
    with writing(path, remedy):
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f"{path.name}.new")
        new.write_bytes(content)
        new.replace(path)
