"""One request to a container that may take an hour and have a gigabyte: from file to file.

It is a thread's: what serves invocations that are waited for is in ``hosting.connection``.
"""

import http.client
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sagedock.contract import routes

__all__ = ["Broken", "Reply", "TimedOut", "Unreachable", "exchange"]

#: A container accepts within 250 ms (see the contract's INFERENCE page); ours may be one of many.
_CONNECT_S = 5.0
_PIECE_BYTES = 256 * 1024


class Unreachable(Exception):
    """Nothing listens there: the request was not sent."""


class Broken(Exception):
    """The connection ended before the answer did, or what came was no HTTP."""


class TimedOut(Exception):
    """No whole answer came in time."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What a container answered; its body is in the file that was given. ``has_length`` says
    whether its head told how long that is.
    """

    status: int
    content_type: str | None
    has_length: bool


def exchange(
    address: tuple[str, int],
    headers: Mapping[str, str],
    body: BinaryIO,
    size: int,
    into: Path,
    *,
    timeout_s: float,
) -> Reply:
    """POST ``size`` bytes of ``body`` to /invocations, and write what is answered to ``into``.

    Raises Unreachable, Broken, TimedOut (after ``timeout_s`` seconds for all of it), and OSError
    for files.
    """
    connection = http.client.HTTPConnection(*address, timeout=_CONNECT_S)
    try:
        connection.connect()
    except OSError as error:
        raise Unreachable(str(error)) from error
    late = threading.Event()
    timer = threading.Timer(timeout_s, _cut, args=(connection.sock, late))
    timer.daemon = True
    connection.sock.settimeout(None)
    timer.start()
    try:
        _send(connection, headers, body, size)
        return _received(connection, into)
    except (_LinkError, http.client.HTTPException) as error:
        raise (TimedOut if late.is_set() else Broken)(str(error)) from error
    finally:
        timer.cancel()
        connection.close()


class _LinkError(Exception):
    """The connection failed: told from what fails on this machine's disk."""


def _cut(sock: socket.socket, late: threading.Event) -> None:
    late.set()
    with suppress(OSError):  # it is closed already
        sock.shutdown(socket.SHUT_RDWR)


def _send(
    connection: http.client.HTTPConnection, headers: Mapping[str, str], body: BinaryIO, size: int
) -> None:
    """Send all of it, or what a container takes that answers before it read everything."""
    connection.putrequest("POST", routes.INVOCATIONS.path, skip_accept_encoding=True)
    for name, value in {**headers, "Content-Length": str(size)}.items():
        connection.putheader(name, value)
    with suppress(OSError):  # what it answered tells why, if it did
        connection.endheaders()
    while piece := body.read(_PIECE_BYTES):
        try:
            connection.send(piece)
        except OSError:
            return


def _received(connection: http.client.HTTPConnection, into: Path) -> Reply:
    try:
        response = connection.getresponse()
    except OSError as error:
        raise _LinkError(str(error)) from error
    with into.open("wb") as file:
        while piece := _next(response):
            file.write(piece)
    if response.length:  # less came than was announced
        raise _LinkError("the answer ended early")
    return Reply(
        status=response.status,
        content_type=response.getheader("Content-Type"),
        has_length=response.getheader("Content-Length") is not None,
    )


def _next(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read1(_PIECE_BYTES)
    except OSError as error:
        raise _LinkError(str(error)) from error
