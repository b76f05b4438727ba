"""A program's stderr on its way to the log: bytes pass as they came; the last lines are kept."""

import fcntl
import os

from sagedock.runtime.log import write_all
from sagedock.runtime.tail import Tail

__all__ = ["Relay"]

_CHUNK = 65536


class Relay:
    """Copies the read end of a program's stderr pipe to our own stderr."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.tail = Tail()
        self._log_is_open = True

    def copy(self, limit: int = _CHUNK) -> int:
        """Pass the next bytes on, waiting for them; return their number, 0 at the pipe's end."""
        chunk = os.read(self.fd, limit)
        self.tail.feed(chunk)
        self._log_is_open = self._log_is_open and write_all(chunk)
        return len(chunk)

    def drain(self) -> None:
        """Pass on what the program wrote before it ended, without waiting for more.

        That is one pipe's content at most. A daemon that the program left running may hold the
        pipe open, and write to it, for ever.
        """
        os.set_blocking(self.fd, False)
        rest = fcntl.fcntl(self.fd, fcntl.F_GETPIPE_SZ)
        while rest > 0:
            try:
                count = self.copy(min(rest, _CHUNK))
            except BlockingIOError:
                return
            if not count:
                return
            rest -= count
