"""The listening socket: opened with a clear word, closed without losing who has come in already."""

import contextlib
import socket

from sagedock.errors import InvalidRequest

__all__ = ["BACKLOG", "admit_no_more", "listen"]

BACKLOG = 2048
_ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - the platform calls from outside the container
#: asm-generic/socket.h (Linux 5.0); Python does not name it.
_SO_BINDTOIFINDEX = 62
_NO_INTERFACE = 1 << 30


def listen(port: int, host: str = _ANY_ADDRESS) -> socket.socket:
    """Return a listening socket. Raises InvalidRequest where the port cannot be had."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise InvalidRequest([f"port {port} cannot be listened on: {error.strerror}"]) from error
    return listener


def admit_no_more(listener: socket.socket) -> None:
    """Let no further connection come in; those that have can still be accepted.

    Closing at once would reset what the kernel has let in and we have not accepted yet. Bound to an
    interface that does not exist, the socket keeps those, and newcomers are refused.
    """
    with contextlib.suppress(OSError):  # an older kernel: newcomers are let in until the close
        listener.setsockopt(socket.SOL_SOCKET, _SO_BINDTOIFINDEX, _NO_INTERFACE)
