"""What an overlay holds, read from its two layers: no mount is needed, nor a running container."""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from sagedock.engine.spec import OverlayFile

__all__ = ["open_overlay_file", "overlay_files"]

#: How overlayfs marks a folder of the upper layer that hides the one below it.
#: Source: https://docs.kernel.org/filesystems/overlayfs.html ("whiteouts and opaque directories").
_OPAQUE = "trusted.overlay.opaque"
_Entries = dict[str, os.stat_result]


def overlay_files(lower: Path, upper: Path, below: str = "") -> Iterator[OverlayFile]:
    """Yield the regular files that a container sees, in order of their names; with ``below``, a
    path in the overlay, only those in that folder, under their whole paths.

    Symbolic links, pipes and devices are left out. What vanishes meanwhile is left out too.
    """
    with _folder(str(lower)) as under, _folder(str(upper)) as over:
        layers = _Layer(lower, under), _Layer(upper, over)
        yield from _inside(*layers, "", below.split("/") if below else [])


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


def _open_beneath(name: str, flags: int, at: int | None) -> int:
    try:
        return os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.ENXIO):
            raise FileNotFoundError(name) from error
        raise


class _Layer(NamedTuple):
    """A layer, and one of its folders, open; None where it has no such folder."""

    root: Path
    folder: int | None


def _inside(lower: _Layer, upper: _Layer, at: str, path: list[str]) -> Iterator[OverlayFile]:
    """Go down ``path``, and yield what is there."""
    if not path:
        yield from _merged(lower, upper, at)
        return
    name, *rest = path
    above = _entries(upper.folder)
    below = {} if _is_opaque(upper.folder) else _entries(lower.folder)
    status = above.get(name) or below.get(name)
    if status is not None and stat.S_ISDIR(status.st_mode):
        with _folders(name, (lower, below), (upper, above)) as layers:
            yield from _inside(*layers, f"{at}{name}/", rest)


def _merged(lower: _Layer, upper: _Layer, at: str) -> Iterator[OverlayFile]:
    above = _entries(upper.folder)
    below = {} if _is_opaque(upper.folder) else _entries(lower.folder)
    for name in sorted(below.keys() | above.keys()):
        status = above.get(name) or below[name]
        if _is_whiteout(status):
            continue
        if stat.S_ISDIR(status.st_mode):
            with _folders(name, (lower, below), (upper, above)) as layers:
                yield from _merged(*layers, f"{at}{name}/")
        elif stat.S_ISREG(status.st_mode):
            yield OverlayFile(
                relative=f"{at}{name}",
                layer=(upper if name in above else lower).root,
                size=status.st_size,
                mtime_ns=status.st_mtime_ns,
            )


@contextlib.contextmanager
def _folders(
    name: str, lower: tuple[_Layer, _Entries], upper: tuple[_Layer, _Entries]
) -> Iterator[tuple[_Layer, _Layer]]:
    """Open one folder of both layers; a layer that has no such folder is without one."""
    (under, below), (over, above) = lower, upper
    with (
        _folder(name, under.folder, is_there=_is_folder(below.get(name))) as inner,
        _folder(name, over.folder, is_there=_is_folder(above.get(name))) as outer,
    ):
        yield under._replace(folder=inner), over._replace(folder=outer)


@contextlib.contextmanager
def _folder(name: str, at: int | None = None, *, is_there: bool = True) -> Iterator[int | None]:
    """Open a folder, following no link; None where it is gone, or is none any longer."""
    with contextlib.ExitStack() as stack:
        folder = None
        if is_there:
            with contextlib.suppress(FileNotFoundError):
                folder = _open_beneath(name, os.O_RDONLY | os.O_DIRECTORY, at)
                stack.callback(os.close, folder)
        yield folder


def _entries(folder: int | None) -> _Entries:
    found: _Entries = {}
    if folder is None:
        return found
    with os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                found[entry.name] = entry.stat(follow_symlinks=False)
    return found


def _is_folder(status: os.stat_result | None) -> bool:
    return status is not None and stat.S_ISDIR(status.st_mode)


def _is_whiteout(status: os.stat_result) -> bool:
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0


def _is_opaque(folder: int | None) -> bool:
    try:
        return folder is not None and os.getxattr(folder, _OPAQUE) == b"y"
    except OSError:  # it has no such mark
        return False
