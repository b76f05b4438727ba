"""The job's own source code, brought to /opt/ml/code."""

import re
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sagedock.errors import InvalidRequest, StorageError

__all__ = ["bring", "is_mount_point"]

_MOUNTS = Path("/proc/self/mountinfo")
#: What botocore calls it when S3 cannot be reached: a network that comes up late, or a local
#: SageMaker that starts anew.
_UNREACHABLE = frozenset(
    {"ConnectionClosedError", "ConnectTimeoutError", "EndpointConnectionError", "ReadTimeoutError"}
)
#: How long S3 is asked again, and the pauses between, in seconds.
_PATIENCE_S = 30.0
_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 5.0


def bring(
    uri: str | None,
    code: Path,
    *,
    fetch: Callable[[str, Path], None],
    say: Callable[[str], None],
) -> None:
    """Put the source that the job names into ``code``; it wins over code baked into the image.

    ``uri`` is sagemaker_submit_directory: s3://, a local tar.gz, a folder or a file; None leaves
    ``code`` as it is. Raises InvalidRequest where it cannot be fetched; StorageError where S3 is
    not reached within half a minute, or ``code`` is a mounted folder with files of its own, which
    are not ours to delete.
    """
    if uri is None:
        return
    baked_in = code.is_dir() and any(code.iterdir())
    if baked_in and is_mount_point(code):
        raise StorageError(
            f"{code} is a mounted folder with files in it, and the job names other source, {uri}:"
            " mount no folder there, or drop sagemaker_submit_directory"
        )
    with tempfile.TemporaryDirectory(prefix="sagedock-source-") as folder:
        fetched = Path(folder, "code")
        fetched.mkdir()
        _fetch(uri, fetched, fetch, say)
        if baked_in:
            say(f"{code} in the image is not empty; the job's source replaces it: {uri}")
        _replace(code, fetched)


def is_mount_point(folder: Path, mounts: Path = _MOUNTS) -> bool:
    """Return whether something is mounted on ``folder``.

    The kernel's table is read, since a bind mount from the same file system has its parent's
    device number, which is all that ``Path.is_mount`` looks at.
    """
    lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    return str(folder.resolve()) in {_unescape(line.split(" ")[4]) for line in lines}


def _unescape(field: str) -> str:
    """Undo the kernel's octal escapes of blanks and backslashes."""
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), field)


def _fetch(
    uri: str, folder: Path, fetch: Callable[[str, Path], None], say: Callable[[str], None]
) -> None:
    begun, pause_s = time.monotonic(), _PAUSE_S
    while True:
        try:
            fetch(uri.removeprefix("file://"), folder)
        except Exception as error:  # boto3, tarfile and the file system each have their own
            reason = f"{type(error).__name__}: {error}"
            if not _is_unreachable(error):
                problem = f"sagemaker_submit_directory: {uri} cannot be fetched: {reason}"
                raise InvalidRequest([problem]) from error
            if time.monotonic() - begun + pause_s > _PATIENCE_S:
                raise StorageError(
                    f"sagemaker_submit_directory: {uri} cannot be reached: {reason}"
                ) from error
            say(f"{uri} cannot be reached now, and is tried again: {reason}")
        else:
            return
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def _is_unreachable(error: Exception) -> bool:
    """Say whether it is one of botocore's errors of connections, which is not imported here."""
    return any(kind.__name__ in _UNREACHABLE for kind in type(error).__mro__)


def _replace(code: Path, fetched: Path) -> None:
    code.mkdir(parents=True, exist_ok=True)
    for old in code.iterdir():
        shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
    for new in fetched.iterdir():
        shutil.move(new, code)
