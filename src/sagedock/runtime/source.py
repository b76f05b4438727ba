"""The job's own source code, brought to /opt/ml/code."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from sagedock.errors import InvalidRequest, StorageError

__all__ = ["bring"]


def bring(
    uri: str | None,
    code: Path,
    *,
    fetch: Callable[[str, Path], None],
    say: Callable[[str], None],
) -> None:
    """Put the source that the job names into ``code``; it wins over code baked into the image.

    ``uri`` is sagemaker_submit_directory: s3://, a local tar.gz, a folder or a file; None leaves
    ``code`` as it is. Raises InvalidRequest where it cannot be fetched, StorageError where
    ``code`` is a mounted folder with files of its own, which are not ours to delete.
    """
    if uri is None:
        return
    baked_in = code.is_dir() and any(code.iterdir())
    if baked_in and code.is_mount():
        raise StorageError(
            f"{code} is a mounted folder with files in it, and the job names other source, {uri}:"
            " mount no folder there, or drop sagemaker_submit_directory"
        )
    with tempfile.TemporaryDirectory(prefix="sagedock-source-") as folder:
        fetched = Path(folder, "code")
        fetched.mkdir()
        _fetch(uri, fetched, fetch)
        if baked_in:
            say(f"{code} in the image is not empty; the job's source replaces it: {uri}")
        _replace(code, fetched)


def _fetch(uri: str, folder: Path, fetch: Callable[[str, Path], None]) -> None:
    try:
        fetch(uri.removeprefix("file://"), folder)
    except Exception as error:  # boto3, tarfile and the file system each have their own
        reason = f"{type(error).__name__}: {error}"
        problem = f"sagemaker_submit_directory: {uri} cannot be fetched: {reason}"
        raise InvalidRequest([problem]) from error


def _replace(code: Path, fetched: Path) -> None:
    code.mkdir(parents=True, exist_ok=True)
    for old in code.iterdir():
        shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
    for new in fetched.iterdir():
        shutil.move(new, os.fspath(code))
