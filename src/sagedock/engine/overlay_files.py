"""What an overlay holds, read from its two layers: no mount is needed, nor a running container."""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from sagedock.engine.spec import OverlayFile

__all__ = ["open_overlay_file", "overlay_files"]

#: How overlayfs marks a folder of the upper layer that hides the one below it.
#: Source: https://docs.kernel.org/filesystems/overlayfs.html ("whiteouts and opaque directories").
_OPAQUE = "trusted.overlay.opaque"
_Entries = dict[str, os.stat_result]


def overlay_files(lower: Path, upper: Path) -> Iterator[OverlayFile]:
    """Yield the regular files that a container sees, in order of their names.

    Symbolic links, pipes and devices are left out. What vanishes meanwhile is left out too.
    """
    yield from _merged(lower, upper, "", has_lower=True, has_upper=True)


def open_overlay_file(file: OverlayFile) -> BinaryIO:
    """Open a file that ``overlay_files`` yielded, following no link: a container may put one in
    its place at any moment. Raises FileNotFoundError where it is no regular file any longer.
    """
    *folders, name = file.relative.split("/")
    at = os.open(file.layer, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for folder in folders:
            inner = _open_beneath(folder, os.O_RDONLY | os.O_DIRECTORY, at)
            os.close(at)
            at = inner
        descriptor = _open_beneath(name, os.O_RDONLY | os.O_NONBLOCK, at)
    finally:
        os.close(at)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileNotFoundError(file.relative)
    return os.fdopen(descriptor, "rb")


def _open_beneath(name: str, flags: int, at: int) -> int:
    try:
        return os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.ENXIO):
            raise FileNotFoundError(name) from error
        raise


def _merged(
    lower: Path, upper: Path, at: str, *, has_lower: bool, has_upper: bool
) -> Iterator[OverlayFile]:
    above = _entries(upper / at) if has_upper else {}
    hides = has_upper and _is_opaque(upper / at)
    below = _entries(lower / at) if has_lower and not hides else {}
    for name in sorted(below.keys() | above.keys()):
        status = above.get(name) or below[name]
        if _is_whiteout(status):
            continue
        relative = f"{at}{name}"
        if stat.S_ISDIR(status.st_mode):
            yield from _merged(
                *(lower, upper, f"{relative}/"),
                has_lower=_is_folder(below.get(name)),
                has_upper=_is_folder(above.get(name)),
            )
        elif stat.S_ISREG(status.st_mode):
            yield OverlayFile(
                relative=relative,
                layer=upper if name in above else lower,
                size=status.st_size,
                mtime_ns=status.st_mtime_ns,
            )


def _entries(folder: Path) -> _Entries:
    found: _Entries = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    found[entry.name] = entry.stat(follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return found
    return found


def _is_folder(status: os.stat_result | None) -> bool:
    return status is not None and stat.S_ISDIR(status.st_mode)


def _is_whiteout(status: os.stat_result) -> bool:
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0


def _is_opaque(folder: Path) -> bool:
    try:
        return os.getxattr(folder, _OPAQUE, follow_symlinks=False) == b"y"
    except OSError:  # it has no such mark, or is gone
        return False
