"""Git, asked: it may be absent, and a folder need not be one of its work trees."""

import subprocess
from pathlib import Path

__all__ = ["git_output"]

_TIMEOUT_S = 60


def git_output(folder: Path, *words: str) -> str | None:
    """Return what git says in a folder, or None where it cannot say anything.

    Bytes that are no UTF-8, which names of files may hold, are escaped as ``os.fsdecode`` does it.
    """
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words],
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=True,
            timeout=_TIMEOUT_S,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.rstrip("\n")
