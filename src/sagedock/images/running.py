"""A program of the build, run: its lines as they come, and its process group ended with ours."""

import errno
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from sagedock.errors import BuildFailed, StorageError

__all__ = ["kept_in", "run_lines"]

#: How long a client may take to have the engine give up what it does for it.
_GRACE_S = 10.0

Lines = Callable[[str], object]


def run_lines(
    argv: Sequence[str], environ: Mapping[str, str], each: Lines, *, grace_s: float = _GRACE_S
) -> int:
    """Run a command, tell ``each`` every line of its output, and return its exit code.

    It has a process group of its own. Whatever ends this call early, Ctrl-C too, ends that group:
    by SIGINT, then by SIGKILL after ``grace_s``.
    """
    try:
        process = subprocess.Popen(
            argv,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise BuildFailed(f"{argv[0]}: cannot be run ({error.strerror}): install it") from error
    with process:
        try:
            for line in process.stdout or ():
                each(line.rstrip("\n"))
            return process.wait()
        except BaseException:
            _end(process, grace_s)
            raise


@contextmanager
def kept_in(log: Path) -> Iterator[Lines]:
    """Yield what adds a line to a log; it raises StorageError where the disk is full."""
    try:
        with log.open("a", encoding="utf-8") as whole:

            def keep(line: str) -> None:
                whole.write(f"{line}\n")
                whole.flush()

            yield keep
    except OSError as error:
        remedy = "free the disk" if error.errno == errno.ENOSPC else "make it writable"
        raise StorageError(
            f"{log}: cannot be written ({error.strerror}): {remedy}, and build again"
        ) from error


def _end(process: "subprocess.Popen[str]", grace_s: float) -> None:
    try:
        _signal(process, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(grace_s)
    finally:  # also where a second Ctrl-C comes
        _signal(process, signal.SIGKILL)
        process.wait()


def _signal(process: "subprocess.Popen[str]", number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
