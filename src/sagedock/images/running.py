"""A program of the build, run: its lines as they come, and its process group ended with ours."""

import codecs
import errno
import io
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, cast

from sagedock.errors import BuildFailed, StorageError

__all__ = ["kept_in", "run_lines"]

#: How long a client may take to have the engine give up what it does for it.
_GRACE_S = 10.0
_LOOK_S, _QUIET_S, _PIECE = 0.05, 0.2, 64 * 1024

Lines = Callable[[str], object]


def run_lines(
    argv: Sequence[str],
    environ: Mapping[str, str],
    each: Lines,
    *,
    quiet: Callable[[], object] = lambda: None,
    grace_s: float = _GRACE_S,
) -> int:
    """Run a command, tell ``each`` every line of its output, and return its exit code.

    ``quiet`` is called where no output came for a moment, and once all of it was told.
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
            start_new_session=True,
        )
    except OSError as error:
        raise BuildFailed(f"{argv[0]}: cannot be run ({error.strerror}): install it") from error
    with process, ExitStack() as early:
        early.callback(_end, process, grace_s)
        for line in _lines(cast("IO[bytes]", process.stdout), quiet):
            each(line)
        quiet()
        code = process.wait()
        early.pop_all()
    return code


def _lines(pipe: IO[bytes], quiet: Callable[[], object]) -> Iterator[str]:
    decoder = io.IncrementalNewlineDecoder(
        codecs.getincrementaldecoder("utf-8")("replace"), translate=True
    )
    begun: list[str] = []
    piece = b"."
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while piece:
            if not selector.select(_QUIET_S):
                quiet()
                continue
            piece = os.read(pipe.fileno(), _PIECE)
            first, *others = decoder.decode(piece, final=not piece).split("\n")
            begun.append(first)
            if others:
                yield "".join(begun)
                yield from others[:-1]
                begun = others[-1:]
    if last := "".join(begun):
        yield last


@contextmanager
def kept_in(log: Path) -> Iterator[Lines]:
    """Yield what adds a line to a log; it raises StorageError where the disk is full."""
    with _told(log):
        whole = log.open("a", encoding="utf-8")

    def keep(line: str) -> None:
        with _told(log):
            whole.write(f"{line}\n")
            whole.flush()

    try:
        yield keep
    finally:
        with _told(log):  # what could not be written is tried again
            whole.close()


@contextmanager
def _told(log: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        remedy = "free the disk" if error.errno == errno.ENOSPC else "make it writable"
        raise StorageError(
            f"{log}: cannot be written ({error.strerror}): {remedy}, and build again"
        ) from error


def _end(process: "subprocess.Popen[bytes]", grace_s: float) -> None:
    try:
        _signal(process, signal.SIGINT)
        _await(process, grace_s)
    finally:  # also where a second Ctrl-C comes
        _signal(process, signal.SIGKILL)
        process.wait()


def _await(process: "subprocess.Popen[bytes]", grace_s: float) -> None:
    """Wait for its end, and read on meanwhile: a pipe that is full would hold it up."""
    ends = time.monotonic() + grace_s
    with selectors.DefaultSelector() as selector:
        selector.register(cast("IO[bytes]", process.stdout), selectors.EVENT_READ)
        while process.poll() is None and time.monotonic() < ends:
            for key, _ in selector.select(_LOOK_S):
                if not os.read(key.fd, _PIECE):
                    selector.unregister(key.fileobj)


def _signal(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
