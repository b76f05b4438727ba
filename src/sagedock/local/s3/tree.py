"""A bucket's folder read as keys: every regular file below it is an object.

Symbolic links are never followed, nor seen: a link to a folder elsewhere would hand out, or let a
client overwrite, files that are not in the bucket.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from sagedock.local.s3.keys import is_plain

__all__ = [
    "Found",
    "find_file",
    "has_file",
    "open_file",
    "place_for",
    "prune",
    "remove_empty",
    "walk",
]

#: A key, and the directory entry that holds it. A key that ends with a slash stands for a folder
#: with at least one object in it.
Found = tuple[str, os.DirEntry[str]]


def find_file(bucket: Path, key: str) -> tuple[Path, os.stat_result] | None:
    """Return the regular file that holds ``key``, or None."""
    if not is_plain(key) or not _leads_through_folders(bucket, key):
        return None
    path = bucket / key
    status = _lstat(path)
    return (path, status) if status and stat.S_ISREG(status.st_mode) else None


def open_file(path: Path) -> BinaryIO:
    """Open a file to read, refusing (OSError, ELOOP) one that has become a symbolic link."""
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb", buffering=0)


def place_for(bucket: Path, key: str) -> Path | None:
    """Return where a new file for ``key`` belongs, or None where no plain file can hold it.

    That is so for a key that is no path, and where a file stands in the way of a folder or a
    folder in the way of a file (the keys ``a`` and ``a/b`` together).
    """
    if not is_plain(key) or not _leads_through_folders(bucket, key):
        return None
    path = bucket / key
    status = _lstat(path)
    return None if status and stat.S_ISDIR(status.st_mode) else path


def prune(folder: Path, bucket: Path) -> None:
    """Remove ``folder`` and its parents, up to ``bucket``, as long as they are empty."""
    while folder != bucket:
        try:
            folder.rmdir()
        except OSError:  # not empty, or gone already
            return
        folder = folder.parent


def remove_empty(folder: Path) -> None:
    """Remove a tree that holds no regular file. Raises OSError (ENOTEMPTY) if one appeared."""
    for entry in list(os.scandir(folder)):
        if entry.is_dir(follow_symlinks=False):
            remove_empty(Path(entry.path))
        elif not entry.is_file(follow_symlinks=False):
            Path(entry.path).unlink()
    folder.rmdir()


def has_file(folder: str) -> bool:
    """Say whether a regular file lies in ``folder`` or below it."""
    waiting = [folder]
    while waiting:
        for entry in _entries(waiting.pop()):
            if entry.is_file(follow_symlinks=False):
                return True
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
    return False


def walk(bucket: Path, prefix: str = "", after: str = "", *, flat: bool = False) -> Iterator[Found]:
    """Yield the keys that start with ``prefix`` and follow ``after``, in the order of their bytes.

    ``flat`` does not go below the folder that ``prefix`` names: a folder in it is one entry, whose
    key ends with a slash. Python's order of strings is that of their UTF-8 bytes.
    """
    base = prefix[: prefix.rfind("/") + 1]
    if base and not (is_plain(base[:-1]) and _leads_through_folders(bucket, base + "x")):
        return
    levels = [_level(str(bucket / base), base, prefix, after)]
    while levels:
        found = next(levels[-1], None)
        if found is None:
            levels.pop()
            continue
        key, entry = found
        if not key.endswith("/"):
            yield found
        elif not flat:
            levels.append(_level(entry.path, key, prefix, after))
        elif _has_key_after(bucket, key, entry, after):
            yield found


def _has_key_after(bucket: Path, key: str, entry: os.DirEntry[str], after: str) -> bool:
    if not after.startswith(key):
        return has_file(entry.path)
    return next(walk(bucket, key, after), None) is not None


def _level(folder: str, base: str, prefix: str, after: str) -> Iterator[Found]:
    """Yield one folder's files and folders that can hold a key of interest, in byte order."""
    found = []
    for entry in _entries(folder):
        if entry.is_dir(follow_symlinks=False):
            key = f"{base}{entry.name}/"
            wanted = key > after or after.startswith(key)
        else:
            key = base + entry.name
            wanted = key > after and entry.is_file(follow_symlinks=False)
        if wanted and key.startswith(prefix) and _is_text(key):
            found.append((key, entry))
    found.sort(key=lambda item: item[0])
    return iter(found)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):  # removed while we walk
        return []


def _is_text(key: str) -> bool:
    """A file name that is not UTF-8 has no key: S3's keys are text."""
    if key.isascii():
        return True
    try:
        key.encode()
    except UnicodeEncodeError:
        return False
    return True


def _leads_through_folders(bucket: Path, key: str) -> bool:
    """Say whether each folder on the way to ``key`` is a real one, or does not exist yet."""
    here = str(bucket)
    for segment in key.split("/")[:-1]:
        here = f"{here}/{segment}"
        status = _lstat(here)
        if status is None:
            return True
        if not stat.S_ISDIR(status.st_mode):
            return False
    return True


def _lstat(path: str | Path) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
