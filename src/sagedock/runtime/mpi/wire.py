"""One line of JSON after another, over a socket between two hosts of a job."""

import json
import select
import socket

__all__ = ["Wire"]

_LONGEST = 16_384
#: A host that vanished without a word is noticed after about a minute and a half.
_KEEPALIVE = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 6),
)


class Wire:
    """A connection on which each side speaks in turn."""

    def __init__(self, connection: socket.socket) -> None:
        for level, option, value in _KEEPALIVE:
            connection.setsockopt(level, option, value)
        self._socket = connection
        self._lines = connection.makefile("rb")

    def send(self, **members: str | int) -> None:
        """Send one line. Raises OSError where the other side is gone."""
        self._socket.sendall(json.dumps(members).encode() + b"\n")

    def receive(self, *names: str) -> list[str]:
        """Return the named members of the next line, as text.

        Raises ConnectionError where the other side is gone, or does not speak as we do.
        """
        line = self._lines.readline(_LONGEST)
        try:
            members = json.loads(line)
            return [str(members[name]) for name in names]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise ConnectionError("the connection ended" if not line else "no message") from None

    def spoke(self, within_s: float) -> bool:
        """Wait for the other side to speak or to be gone; return whether it did."""
        return bool(select.select([self._socket], [], [], within_s)[0])

    def close(self) -> None:
        """End the connection."""
        self._lines.close()
        self._socket.close()
