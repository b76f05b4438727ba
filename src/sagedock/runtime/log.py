"""What goes to the job's log: bytes as they come, and lines that the launcher itself writes."""

import os
import select

__all__ = ["say", "write_all"]

_STDERR = 2


def write_all(data: bytes) -> bool:
    """Write all of ``data`` to stderr; return False where nobody reads it any more.

    A log that nobody reads must not end a training, so that is no error.
    """
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(_STDERR, view) :]
        except BlockingIOError:  # another holder of this stderr made it non-blocking
            select.select([], [_STDERR], [])
        except BrokenPipeError:
            return False
    return True


def say(text: str) -> None:
    """Write ``text`` to stderr, each line marked as the launcher's own."""
    lines = "".join(f"sagedock: {line}\n" for line in text.splitlines())
    write_all(lines.encode("utf-8", "backslashreplace"))
