"""The failure file: the cause first, in the shape that AWS's toolkit gives it."""

import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sagedock.contract import limits, paths, signals
from sagedock.errors import SagedockError
from sagedock.runtime import exits
from sagedock.runtime.cause import Cause, find_cause
from sagedock.runtime.place import locate
from sagedock.runtime.redact import hide_arguments, shown_text

__all__ = ["Failure", "failure_text", "launcher_text", "out_of_memory_hint", "write_failure"]

#: What the platform puts around the text; all of it together is FailureReason.
_AROUND = len("AlgorithmError: ") + len(", exit code: 255")
_ROOM = int(limits.FAILURE_REASON_CHARACTERS) - _AROUND
_COMMAND_ROOM = 200
_ELLIPSIS = "..."
_LAST_LINES = 5
_SILENT = " and wrote nothing to stderr; the job's log holds its last lines"


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A process that ended with an error: the toolkit's name for it, and what is known."""

    error: str
    exit_code: int
    command: Sequence[str]
    stderr: Sequence[str]
    hint: str | None = None


def failure_text(failure: Failure, secrets: Iterable[str] = ()) -> str:
    """Return the failure file's text: the toolkit's shape, the cause within FailureReason's room.

    ``secrets`` are values to hide wherever they appear. The frames that fit are the innermost.
    """
    cause = _cause(failure)
    head = f'{failure.error}:\nExitCode {failure.exit_code}\nErrorMessage "'
    foot = _foot(failure, secrets)
    room = _ROOM - len(head) - len(foot)
    safe = Cause(
        headline=shown_text(cause.headline, secrets),
        message=tuple(shown_text("\n".join(cause.message), secrets).splitlines()),
        frames=tuple(shown_text("\n".join(cause.frames), secrets).splitlines()),
    )
    return head + _fit(safe, room) + foot


def launcher_text(error: Exception, secrets: Iterable[str] = ()) -> str:
    """Return the failure file's text where the launcher itself failed: the error first.

    One of ours says what to do, and is shown whole. Of any other, the frames are shown as well.
    """
    headline = shown_text(f"{type(error).__name__}: {error}", secrets)
    if isinstance(error, SagedockError):
        return _cut(headline, _ROOM)
    frames = "".join(traceback.format_tb(error.__traceback__)).splitlines()
    return "Framework Error: " + _fit(
        Cause(headline=headline, frames=tuple(frames)), _ROOM - len("Framework Error: ")
    )


def _cause(failure: Failure) -> Cause:
    if failure.exit_code == signals.EXIT_KILLED:  # it had no last word: what it wrote is no cause
        return Cause(
            headline=_without_words(failure.exit_code), message=tuple(failure.stderr[-_LAST_LINES:])
        )
    found = find_cause(failure.stderr)
    return found or Cause(headline=_without_words(failure.exit_code) + _SILENT)


def _without_words(exit_code: int) -> str:
    name = exits.killed_by(exit_code)
    how = f"was killed by {name}" if name else f"ended with exit code {exit_code}"
    return f"the script {how}"


def _foot(failure: Failure, secrets: Iterable[str]) -> str:
    command = shown_text(" ".join(hide_arguments(failure.command)), secrets)
    hint = f'\nExtraInfo "{failure.hint}"' if failure.hint else ""
    return f'"{hint}\nCommand "{_cut(command, _COMMAND_ROOM)}"'


def _fit(cause: Cause, room: int) -> str:
    """Join headline, message and the innermost frames within ``room`` characters."""
    text = _cut(cause.headline, room)
    for line in cause.message:
        if len(text) + 1 + len(line) > room:
            break
        text += "\n" + line
    return text + _innermost(cause.frames, room - len(text))


def _innermost(frames: Sequence[str], room: int) -> str:
    kept: list[str] = []
    room -= len(_ELLIPSIS) + 1
    for frame in reversed(frames):
        room -= len(frame) + 1
        if room < 0:
            kept.append(_ELLIPSIS)
            break
        kept.append(frame)
    return "".join("\n" + frame for frame in reversed(kept))


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: max(0, room - len(_ELLIPSIS))] + _ELLIPSIS


def out_of_memory_hint(exit_code: int, kernel_kills: int) -> str | None:
    """Return what to say where memory ran out, or probably did; else None.

    ``kernel_kills`` is how many processes of the container the kernel killed for want of memory.
    """
    if kernel_kills:
        return (
            "OutOfMemory: the kernel killed a process of this container for want of memory:"
            " use a larger instance type, or a smaller batch"
        )
    if exit_code == signals.EXIT_KILLED:
        return "OutOfMemory: Process killed by SIGKILL (signal 9); memory is the usual reason"
    return None


def write_failure(text: str, env: Mapping[str, str]) -> bool:
    """Write the failure file unless the script has written its own; return whether it did.

    Raises OSError where the file cannot be written: the caller says so in the log.
    """
    try:
        with locate(paths.FAILURE, env).open("x", encoding="utf-8", errors="replace") as file:
            file.write(text)
    except FileExistsError:
        return False
    return True
