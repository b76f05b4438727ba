"""Lines that the launcher itself writes to the job's log."""

import os

__all__ = ["say"]

_STDERR = 2


def say(text: str) -> None:
    """Write ``text`` to stderr, one whole line per write, each marked as the launcher's own.

    A log that nobody reads (a closed stderr) must not end a training: such a line is dropped.
    """
    lines = "".join(f"sagedock: {line}\n" for line in text.splitlines())
    try:
        os.write(_STDERR, lines.encode("utf-8", "backslashreplace"))
    except BrokenPipeError:
        return
