"""An image's Python packages, gathered on this machine before the build.

The host's pip knows where packages come from: its indexes, folders, certificates and credentials.
So it fetches them, held to the lock's hashes, and the build installs them without a network.
Nothing of that configuration can then reach a layer.
"""

import fcntl
import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sagedock.errors import BuildFailed, StorageError
from sagedock.images.image import Image
from sagedock.images.pip_words import pip_failure
from sagedock.images.running import kept_in, run_lines
from sagedock.images.unlocked import refuse_unlocked
from sagedock.images.writing import writing

__all__ = ["download_command", "gather", "gathered_lock"]

#: The lock that the wheels beside it come from. It is written last: without it, none count.
_LOCK = "packages.lock"
_OLDEST_GLIBC, _BASES_GLIBC = 5, 36  # manylinux_2_5 to Debian 12's glibc 2.36
#: How a folder's name begins that is being filled.
_NEW = ".new-"
_REMEDY = "free the disk"
_FULL = "No space left on device"

#: Runs pip; returns its exit code and what it said.
_Pip = Callable[[Sequence[str]], tuple[int, list[str]]]


def download_command(image: Image, locks: tuple[Path, ...], into: Path) -> tuple[str, ...]:
    """Return the pip command that fetches what ``locks`` name, for the image's own Python."""
    glibcs = range(_BASES_GLIBC, _OLDEST_GLIBC - 1, -1)
    platforms = [f"manylinux_2_{minor}_x86_64" for minor in glibcs]
    platforms += ["manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64"]
    platforms += ["linux_x86_64"]  # of indexes that are not PyPI: AWS's for Neuron
    return (
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-input"),
        *("--disable-pip-version-check", "--no-deps", "--require-hashes"),
        *("--implementation", "cp", "--python-version", image.python),
        *(word for platform in platforms for word in ("--platform", platform)),
        *("--dest", str(into)),
        *(word for lock in locks for word in ("--requirement", str(lock))),
    )


def gather(
    image: Image,
    containers: Path,
    progress: Callable[[str], None],
    environ: Mapping[str, str] = os.environ,
    *,
    log: Path,
) -> None:
    """Fill ``containers/wheels/NAME`` with the image's packages, unless they are there already.

    What pip prints is added to ``log``. Raises BuildFailed with its words where a package cannot be
    had, StorageError where the disk is full.
    """

    def pip(argv: Sequence[str]) -> tuple[int, list[str]]:
        said: list[str] = []

        def each(line: str) -> None:
            keep(line)
            said.append(line)

        with kept_in(log) as keep:
            return run_lines(argv, environ, each), said

    refuse_unlocked(image, containers)
    folder = _folder(image, containers)
    choices = [_paths(locks, containers) for locks in _choices(image)]
    if any(_is_gathered(folder, locks) for locks in choices):
        return
    if importlib.util.find_spec("pip") is None:
        raise BuildFailed(f"{sys.executable} has no pip, which fetches packages: install it there")
    with _alone(folder.parent, lambda: progress(f"{image.name}: awaiting another build's pip")):
        if not any(_is_gathered(folder, locks) for locks in choices):
            refusal = _gather(image, folder, choices, progress, pip)
            if refusal:
                raise BuildFailed(
                    f"{image.name}: pip could not fetch its packages:\n{refusal}\n"
                    f"the whole output is in {log}"
                )


def _gather(
    image: Image,
    folder: Path,
    choices: Sequence[tuple[Path, ...]],
    progress: Callable[[str], None],
    pip: _Pip,
) -> str:
    """Try one choice of locks after the other; return why the last was refused, '' where none."""
    progress(f"{image.name}: gathering its Python packages with pip")
    for locks in choices:
        refusal = _fetch(image, locks, folder, pip)
        if not refusal:
            break
        if locks != choices[-1]:
            progress(f"{image.name}: pip cannot have {', '.join(image.instead)}:\n{refusal}")
            progress(f"{image.name}: taking {', '.join(image.instead.values())} instead")
    return refusal


def gathered_lock(image: Image, containers: Path) -> str:
    """Return the lock that an image's packages were gathered by, '' where there are none."""
    lock = _folder(image, containers) / _LOCK
    return lock.read_text(encoding="utf-8") if image.locks and lock.is_file() else ""


def _folder(image: Image, containers: Path) -> Path:
    return containers / "wheels" / image.name


def _choices(image: Image) -> Iterator[tuple[str, ...]]:
    yield image.locks
    if image.instead:
        yield tuple(image.instead.get(lock, lock) for lock in image.locks)


def _paths(locks: tuple[str, ...], containers: Path) -> tuple[Path, ...]:
    return tuple(containers / lock for lock in locks)


def _joined(locks: tuple[Path, ...]) -> str:
    return "".join(lock.read_text(encoding="utf-8") for lock in locks)


def _is_gathered(folder: Path, locks: tuple[Path, ...]) -> bool:
    lock = folder / _LOCK
    return lock.is_file() and lock.read_text(encoding="utf-8") == _joined(locks)


def _fetch(image: Image, locks: tuple[Path, ...], folder: Path, pip: _Pip) -> str:
    """Replace ``folder`` by what ``locks`` name; return pip's words where it failed, else ''."""
    with _staging(folder) as staging:
        code, said = pip(download_command(image, locks, staging))
        if code and any(_FULL in line for line in said):
            raise StorageError(
                f"{folder}: pip found no space left on device: free that disk, or the one of its "
                "temporary files ($TMPDIR)"
            )
        if code:
            return pip_failure(said, code)
        whole = _joined(locks)
        with writing(folder, _REMEDY):
            (staging / _LOCK).write_text(whole, encoding="utf-8")
            shutil.rmtree(folder, ignore_errors=True)
            staging.rename(folder)
    return ""


@contextmanager
def _alone(folder: Path, await_others: Callable[[], None]) -> Iterator[None]:
    """Let one process at a time fill what is in a folder; the lock goes with the process."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise StorageError(f"{folder}: cannot be made ({error}): make it writable") from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            await_others()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


@contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    with writing(folder, _REMEDY):
        for abandoned in folder.parent.glob(f"{_NEW}*"):  # of a process that was killed
            shutil.rmtree(abandoned, ignore_errors=True)
        new = tempfile.TemporaryDirectory(dir=folder.parent, prefix=_NEW)
    with new as private:
        wheels = Path(private) / folder.name
        with writing(folder, _REMEDY):
            wheels.mkdir()
        yield wheels
