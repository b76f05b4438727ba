"""Files of a build, written: a full disk is told by the file's name; a file is whole, or absent."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sagedock.errors import StorageError

__all__ = ["replace_file", "writing"]


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


def replace_file(path: Path, content: bytes, remedy: str) -> None:
    """Put a content in a file's place, in one step; its folder is made. Raises StorageError."""
    with writing(path, remedy):
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f"{path.name}.new")
        new.write_bytes(content)
        new.replace(path)
