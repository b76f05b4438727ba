"""A local SageMaker in a process of its own: started detached, found, and ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from sagedock.errors import LocalServerError, StorageError
from sagedock.local.home import Home, Running

__all__ = ["down", "running", "up"]

_START_TIMEOUT_S = 60.0
_END_TIMEOUT_S = 60.0
_LOG_TAIL_LINES = 10


def running(home: Path) -> Running | None:
    """Return the server that runs on ``home`` now, or None."""
    return Home(home).running()


def up(home: Path, options: Sequence[str]) -> Running:
    """Start a server in the background, with the CLI's own ``options``; return when it answers.

    Raises LocalServerError, with the end of its log, if it does not start.
    """
    folder = Home(home)
    if found := folder.running():
        raise LocalServerError(
            f"a local SageMaker already runs on {home} at {found.url} (process {found.pid}): use "
            "it, or end it with `sagedock local down`"
        )
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.log_path.touch()
    except OSError as error:
        raise StorageError(
            f"{home}: {error.strerror}: set SAGEDOCK_HOME to a folder that can be written"
        ) from error
    before = folder.last()
    old_log_bytes = folder.log_path.stat().st_size
    with folder.log_path.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "sagedock.cli", "local", "up", *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "SAGEDOCK_HOME": str(home)},
        )
    ends = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < ends:
        found = folder.running()
        if found and found != before and found.pid == process.pid:
            return found
        if process.poll() is not None:
            break
        time.sleep(0.05)
    with folder.log_path.open("rb") as log:
        log.seek(old_log_bytes)
        tail = log.read().decode(errors="replace").splitlines()[-_LOG_TAIL_LINES:]
    raise LocalServerError("the local SageMaker did not start:\n" + "\n".join(tail))


def down(home: Path) -> Running | None:
    """End the server of ``home`` and wait until nothing of it is left; None if none runs."""
    folder = Home(home)
    found = folder.running()
    if found is None:
        return None
    os.kill(found.pid, signal.SIGTERM)
    if not folder.wait_until_free(_END_TIMEOUT_S):
        raise LocalServerError(
            f"process {found.pid} did not end in {_END_TIMEOUT_S:.0f} s: see {folder.log_path}"
        )
    return found
