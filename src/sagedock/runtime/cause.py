"""The real cause of a failure, found in the last lines of a process's stderr."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Cause", "find_cause"]

_TRACEBACK = re.compile(r"^(?P<prefix>.*?)Traceback \(most recent call last\):\s*$")
_COMPLAINT = re.compile(r"error|exception|fatal|abort|terminate called|panic", re.IGNORECASE)
#: torchrun's own last word, after the traceback of the worker that failed.
_LAUNCHER = ("torch.distributed.elastic.", "ChildFailedError", "subprocess.CalledProcessError")
_TERMINAL_CODES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f]"
)
#: Complaints before these last lines are old ones, which the program has survived.
_RECENT_LINES = 30
#: Lines of an exception's message after its first that are worth their room.
_MESSAGE_LINES = 8


@dataclass(frozen=True, kw_only=True)
class Cause:
    """The line that names the error, the rest of its message, and the frames it came through."""

    headline: str
    message: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()


def find_cause(stderr: Sequence[str]) -> Cause | None:
    """Return the cause of a failure from the last lines of stderr, or None where there are none.

    The last traceback that is not a launcher's own; else the last line that speaks of an error,
    with what follows it; else the last line.
    """
    lines = [_TERMINAL_CODES.sub("", line) for line in stderr]
    lines = [line for line in lines if line.strip()]
    tracebacks = list(_tracebacks(lines))
    own = [cause for cause in tracebacks if not cause.headline.startswith(_LAUNCHER)]
    if tracebacks:
        return (own or tracebacks)[-1]
    return _complaint(lines)


def _tracebacks(lines: Sequence[str]) -> list[Cause]:
    found = []
    for index, line in enumerate(lines):
        header = _TRACEBACK.match(line)
        ignored = index > 0 and lines[index - 1].startswith("Exception ignored in")
        if header and not ignored:
            cause = _read_traceback(lines[index + 1 :], header["prefix"])
            if cause:
                found.append(cause)
    return found


def _read_traceback(lines: Sequence[str], prefix: str) -> Cause | None:
    """Read frames up to the exception's line.

    ``prefix`` is e.g. torch's ``[rank0]: `` or mpirun's ``[1,0]<stderr>:``; what others than that
    rank wrote meanwhile is passed over.
    """
    lines = [line for line in lines if line.startswith(prefix)] or lines
    frames: list[str] = []
    for index, line in enumerate(lines):
        text = line.removeprefix(prefix)
        if not text.startswith((" ", "\t")):
            message = _message(lines[index + 1 :], prefix)
            return Cause(headline=text.strip(), message=message, frames=tuple(frames))
        frames.append(text.rstrip())
    return None


def _message(lines: Sequence[str], prefix: str) -> tuple[str, ...]:
    """Return the lines of a message after its first, up to the next traceback or report."""
    kept: list[str] = []
    for line in lines[:_MESSAGE_LINES]:
        text = line.removeprefix(prefix)
        if _TRACEBACK.match(line) or text.startswith(("Exception ignored", "During handling")):
            break
        kept.append(text.rstrip())
    return tuple(kept)


def _complaint(lines: Sequence[str]) -> Cause | None:
    for index in range(len(lines) - 1, max(-1, len(lines) - 1 - _RECENT_LINES), -1):
        if _COMPLAINT.search(lines[index]):
            before = lines[max(0, index - 3) : index]
            after = lines[index + 1 : index + 1 + _MESSAGE_LINES]
            return Cause(headline=lines[index].strip(), message=tuple(after), frames=tuple(before))
    if not lines:
        return None
    return Cause(headline=lines[-1].strip(), frames=tuple(lines[-4:-1]))
