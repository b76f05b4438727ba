"""The folders that a job writes: they must take a file before it starts, and after it ends."""

from collections.abc import Mapping
from pathlib import Path

from sagedock.contract import paths
from sagedock.errors import StorageError
from sagedock.runtime.place import locate

__all__ = ["check", "forget_last_job", "has_model", "mark_success"]

_FOLDERS = (paths.MODEL, paths.OUTPUT, paths.OUTPUT_DATA)
#: More than a file system keeps inside the inode, so that a full disk is found.
_PROBE = b"\0" * 8192


def check(env: Mapping[str, str]) -> None:
    """Create missing output folders; raise StorageError naming every one that takes no file."""
    problems = [text for place in _FOLDERS if (text := _problem(locate(place, env)))]
    if problems:
        raise StorageError("\n".join(problems))


def _problem(folder: Path) -> str | None:
    probe = folder / ".sagedock-probe"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(_PROBE)
    except OSError as error:
        return (
            f"{folder} cannot be written: {error.strerror}: what the job puts there would be lost."
            " Mount it writable, and leave room on its disk (VolumeSizeInGB)"
        )
    finally:
        _remove(probe)
    return None


def _remove(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError:  # it was never created: the folder is read-only or no folder
        return


def forget_last_job(env: Mapping[str, str]) -> None:
    """Remove the success and failure files of an earlier job on the same disk (a warm pool)."""
    locate(paths.SUCCESS, env).unlink(missing_ok=True)
    locate(paths.FAILURE, env).unlink(missing_ok=True)


def mark_success(env: Mapping[str, str]) -> None:
    """Leave the toolkit's empty success file; its intermediate upload ends when it appears."""
    locate(paths.SUCCESS, env).touch()


def has_model(env: Mapping[str, str]) -> bool:
    """Return whether the job left anything in the model folder."""
    return any(locate(paths.MODEL, env).iterdir())
