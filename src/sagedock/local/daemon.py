"""A local SageMaker in a process of its own: started detached, found, and ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from sagedock.engine import connect
from sagedock.errors import LocalServerError, StorageError
from sagedock.local.home import Home, Running

__all__ = ["down", "running", "up", "up_with_program"]

_START_TIMEOUT_S = 60.0
_END_TIMEOUT_S = 60.0
_LOOK_S = 0.02
_LOG_TAIL_LINES = 10


def running(home: Path) -> Running | None:
    """Return the server that runs on ``home`` now, or None."""
    return Home(home).running()


def up(home: Path, options: Sequence[str]) -> Running:
    """Start a server in the background, with the CLI's own ``options``; return when it answers.

    Raises LocalServerError, with the end of its log, if it does not start.
    """
    return _started(home, options, subprocess.DEVNULL)


def up_with_program(home: Path) -> tuple[Running, Callable[[], None]]:
    """Start a server that ends with this program, however that ends; return when it answers, with
    what ends it before, and returns when nothing of it is left.

    Raises as ``up`` does, and EngineUnavailable. The server watches a pipe that this process, and
    what it forks, alone hold open.
    """
    connect()  # what it lacks is told here, not in a log
    ours, theirs = os.pipe()
    with ExitStack() as undo:
        undo.callback(os.close, theirs)
        try:
            found = _started(home, ["--with-program"], ours)
        finally:
            os.close(ours)
        undo.pop_all()

    def end() -> None:
        os.close(theirs)
        Home(home).wait_until_free(_END_TIMEOUT_S)

    return found, end


def _started(home: Path, options: Sequence[str], stdin: int) -> Running:
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
            stdin=stdin,
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
        time.sleep(_LOOK_S)
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
