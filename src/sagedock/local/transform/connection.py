"""One blocking HTTP connection to a container, kept from request to request.

Made for a loop that sends hundreds of thousands of small requests: of HTTP/1.1 it knows what a
server's answers have, and no more (source: https://www.rfc-editor.org/rfc/rfc9112).
"""

import socket
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass

__all__ = ["Answer", "Broken", "Connection", "TimedOut"]

_CONNECT_S = 5.0
_CHUNK_BYTES = 256 * 1024
_LONGEST_HEAD = 64 * 1024
#: More than an answer to any payload has: a container must not fill this machine's memory.
_LARGEST_ANSWER = 1024 * 1024 * 1024
_END = b"\r\n\r\n"
_NO_CONTENT = (204, 304)


class Broken(Exception):
    """Nothing listens, the connection ended, or what came was no HTTP."""


class TimedOut(Exception):
    """No answer came in time."""


@dataclass(slots=True)
class Answer:
    """What a container answers."""

    status: int
    body: bytes
    #: Its Content-Type; empty where it has none.
    content_type: str = ""


@dataclass(slots=True)
class _Head:
    """What the head of an answer tells; ``length`` is its Content-Length, and ``keeps`` says
    whether the connection stays.
    """

    status: int
    keeps: bool
    length: int | None = None
    chunked: bool = False
    content_type: str = ""


class Connection:
    """A connection to ``address``, made when it is needed. One request at a time."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._socket: socket.socket | None = None
        self._buffer = bytearray()
        self._deadline = 0.0
        self._is_interrupted = False

    def ask(self, head: bytes, body: bytes | Iterable[bytes], timeout_s: float) -> Answer:
        """Send a request, and return its answer. ``head`` ends before the line of Content-Length.

        A body that is no bytes is sent in chunks. A kept connection that the container closed just
        now is replaced by a new one. Raises Broken, TimedOut, and what the body raises.
        """
        self._deadline = time.monotonic() + timeout_s
        kept = self._socket is not None
        with ExitStack() as undo:
            undo.callback(self.close)
            try:
                answer = self._asked(head, body)
            except TimeoutError as error:
                raise TimedOut from error
            except (Broken, OSError) as error:
                if not kept or self._buffer or self._is_interrupted:
                    raise Broken(str(error)) from error
            else:
                undo.pop_all()
                return answer
        return self.ask(head, body, self._deadline - time.monotonic())

    def close(self) -> None:
        """Close it, if it is open."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def interrupt(self) -> None:
        """Let a request that another thread waits for end now, as Broken, and any further one."""
        self._is_interrupted = True
        held = self._socket
        if held is not None:
            try:
                held.shutdown(socket.SHUT_RDWR)
            except OSError:  # it is closed already
                return

    def _asked(self, head: bytes, body: bytes | Iterable[bytes]) -> Answer:
        sock = self._socket or self._connected()
        self._buffer.clear()
        sock.settimeout(self._left_s())
        if isinstance(body, bytes):
            self._send(sock, b"%sContent-Length: %d%s" % (head, len(body), _END), body)
        else:
            sock.sendall(b"%sTransfer-Encoding: chunked%s" % (head, _END))
            for chunk in body:
                sock.settimeout(self._left_s())
                sock.sendall(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            sock.sendall(b"0\r\n\r\n")
        return self._answer(sock)

    def _send(self, sock: socket.socket, head: bytes, body: bytes) -> None:
        if len(body) <= _CHUNK_BYTES:
            sock.sendall(head + body)
        else:
            sock.sendall(head)
            sock.sendall(body)

    def _connected(self) -> socket.socket:
        sock = socket.create_connection(self._address, min(_CONNECT_S, self._left_s()))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = sock
        if self._is_interrupted:
            raise Broken("interrupted")
        return sock

    def _answer(self, sock: socket.socket) -> Answer:
        head = self._head(sock)
        while head.status < 200:  # it announces another answer
            head = self._head(sock)
        if head.status in _NO_CONTENT:
            body = b""
        elif head.chunked:
            body = self._chunks(sock)
        elif head.length is not None:
            body = self._exactly(sock, head.length)
        else:
            head.keeps, body = False, self._rest(sock)
        if not head.keeps:
            self.close()
        return Answer(head.status, body, head.content_type)

    def _head(self, sock: socket.socket) -> _Head:
        buffer = self._buffer
        while (end := buffer.find(_END)) < 0:
            if len(buffer) > _LONGEST_HEAD:
                raise Broken("the answer's head is too long")
            self._more(sock)
        head = bytes(buffer[:end])
        del buffer[: end + len(_END)]
        if head[:7] != b"HTTP/1." or not head[9:12].isdigit():
            raise Broken(f"it answers no HTTP: {head[:40]!r}")
        found = _Head(int(head[9:12]), head[7:8] == b"1")
        for line in head.split(b"\r\n")[1:]:
            _take(found, line)
        return found

    def _exactly(self, sock: socket.socket, length: int) -> bytes:
        buffer = self._buffer
        while len(buffer) < length:
            self._more(sock)
        body = bytes(buffer[:length])
        del buffer[:length]
        return body

    def _chunks(self, sock: socket.socket) -> bytes:
        pieces, total = [], 0
        while size := _size(self._line(sock)):
            total += size
            _check(total)
            pieces.append(self._exactly(sock, size))
            self._line(sock)
        while self._line(sock):  # trailers
            pass
        return b"".join(pieces)

    def _line(self, sock: socket.socket) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > _LONGEST_HEAD:
                raise Broken("a line of a chunk's size is too long")
            self._more(sock)
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    def _rest(self, sock: socket.socket) -> bytes:
        try:
            while True:
                self._more(sock)
                _check(len(self._buffer))
        except _Ended:
            return bytes(self._buffer)

    def _more(self, sock: socket.socket) -> None:
        received = sock.recv(_CHUNK_BYTES)
        if not received:
            raise _Ended("the container closed the connection")
        self._buffer += received
        sock.settimeout(self._left_s())

    def _left_s(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class _Ended(Broken):
    """The container closed the connection."""


def _take(head: _Head, line: bytes) -> None:
    """Take down what one line of a head tells."""
    name, _, value = line.partition(b":")
    match name.lower():
        case b"content-length":
            head.length = _length(value.strip())
        case b"transfer-encoding":
            head.chunked = value.lower().rstrip().endswith(b"chunked")
        case b"content-type":
            head.content_type = value.strip().decode("latin-1")
        case b"connection":
            value = value.lower()
            head.keeps = b"close" not in value and (head.keeps or b"keep-alive" in value)


def _length(text: bytes) -> int:
    if not text.isdigit():
        raise Broken(f"its Content-Length is {text!r}")
    _check(int(text))
    return int(text)


def _size(line: bytes) -> int:
    try:
        return int(line.partition(b";")[0], 16)
    except ValueError as error:
        raise Broken(f"a chunk's size is {line[:40]!r}") from error


def _check(size: int) -> None:
    if size > _LARGEST_ANSWER:
        raise Broken(f"its answer has more than {_LARGEST_ANSWER} bytes")
