"""What a container said last, for FailureReason: without the pings that the platform sent it."""

import json
from collections import deque

from sagedock.contract import routes

__all__ = ["LastLines"]

_MOST_LINES, _MOST_BYTES = 10, 4096
_PING = json.dumps(routes.PING.path).encode()


class LastLines:
    """The last lines of a container's output, the blank ones and those about /ping left out."""

    def __init__(self) -> None:
        self._lines: deque[bytes] = deque(maxlen=_MOST_LINES)
        self._begun = b""

    def add(self, data: bytes) -> None:
        """Take up a piece of the output, as it came."""
        *whole, begun = (self._begun + data).split(b"\n")
        self._begun = begun[:_MOST_BYTES]
        self._lines.extend(line[:_MOST_BYTES] for line in whole if _tells(line))

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines, the last one last."""
        begun = [self._begun] if _tells(self._begun) else []
        kept = [*self._lines, *begun][-_MOST_LINES:]
        return tuple(line.decode("utf-8", "replace").rstrip("\r") for line in kept)


def _tells(line: bytes) -> bool:
    """Say whether a line tells why a container does not serve: one of the serving image's access
    log about /ping only says that it did not.
    """
    if not line.strip():
        return False
    if _PING not in line or not line.startswith(b"{"):
        return True
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):  # the first also of bytes that are no UTF-8
        return True
    return not (told.get("path") == routes.PING.path and "status" in told)
