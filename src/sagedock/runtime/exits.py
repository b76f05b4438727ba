"""What a process's end means as an exit code and in words."""

import signal

from sagedock.contract import signals

__all__ = ["exit_code", "killed_by"]


def exit_code(wait_status: int) -> int:
    """Return the container's exit code for a ``waitpid`` status: N, or 128 + the signal."""
    import os

    code = os.waitstatus_to_exitcode(wait_status)
    return code if code >= 0 else signals.EXIT_SIGNALLED - code


def killed_by(code: int) -> str | None:
    """Return the name of the signal behind an exit code (``SIGKILL`` for 137), or None."""
    try:
        return signal.Signals(code - signals.EXIT_SIGNALLED).name
    except ValueError:
        return None
