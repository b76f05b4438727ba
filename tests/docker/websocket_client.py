"""A WebSocket client of sockets alone, for frames as a test wants them (RFC 6455)."""

import base64
import hashlib
import os
import socket
import struct
from typing import NamedTuple

__all__ = [
    "BINARY",
    "CLOSE",
    "CONTINUATION",
    "PING",
    "PONG",
    "TEXT",
    "Frame",
    "Refused",
    "WebSocket",
]

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_PATH = "/invocations-bidirectional-stream"


class Frame(NamedTuple):
    """One frame as it came."""

    opcode: int
    is_last: bool
    payload: bytes


class Refused(Exception):
    """The server answered the handshake with an HTTP error."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"{status}: {body!r}")
        self.status = status
        self.body = body


class WebSocket:
    """One connection, made on creation. Raises Refused."""

    def __init__(self, port: int, path: str = _PATH, **headers: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._file = self._socket.makefile("rb")
        key = base64.b64encode(os.urandom(16)).decode()
        given = {
            "Host": "localhost",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": key,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        self._socket.sendall(f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode())
        status, found = self._head()
        if status != 101:
            self._file.flush()
            raise Refused(status, self._file.read(int(found["content-length"])))
        wanted = base64.b64encode(hashlib.sha1((key + _GUID).encode()).digest()).decode()
        assert found["sec-websocket-accept"] == wanted

    def _head(self) -> tuple[int, dict[str, str]]:
        status = int(self._file.readline().split()[1])
        headers = {}
        while line := self._file.readline().decode().strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return status, headers

    def send(self, opcode: int, payload: bytes, *, is_last: bool = True) -> None:
        """Send one frame, masked."""
        self._socket.sendall(_head(opcode, len(payload), is_last) + _masked(payload))

    def send_head(self, opcode: int, size: int) -> None:
        """Send what comes before a frame's payload, and no payload."""
        self._socket.sendall(_head(opcode, size, True) + b"\0\0\0\0")

    def say(self, message: str | bytes) -> None:
        """Send one message in one frame."""
        is_text = isinstance(message, str)
        body = message.encode() if isinstance(message, str) else message
        self.send(TEXT if is_text else BINARY, body)

    def frame(self) -> Frame:
        """Return the next frame; EOFError where the connection has ended."""
        first, second = self._exactly(2)
        size = second & 127
        if size == 126:
            (size,) = struct.unpack("!H", self._exactly(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self._exactly(8))
        assert not second & 128, "a server does not mask"
        return Frame(first & 15, bool(first & 128), self._exactly(size))

    def hear(self) -> str | bytes:
        """Return the next message, which must come in one frame."""
        opcode, is_last, payload = self.frame()
        assert is_last
        assert opcode in (TEXT, BINARY), (opcode, payload)
        return payload.decode() if opcode == TEXT else payload

    def closed(self) -> tuple[int, str]:
        """Wait for the close frame; return its code and reason, once the connection has ended."""
        opcode, _, payload = self.frame()
        assert opcode == CLOSE, (opcode, payload[:100])
        code = struct.unpack("!H", payload[:2])[0]
        self.send(CLOSE, payload[:2])
        assert self._file.read(1) == b""
        return code, payload[2:].decode()

    def close(self, code: int = 1000) -> None:
        """Close as a client does: say so, and wait until the server has said so, too."""
        self.send(CLOSE, struct.pack("!H", code))
        while self.frame().opcode != CLOSE:
            pass
        self.hang_up()

    def hang_up(self) -> None:
        """End the connection without a word."""
        self._file.close()
        self._socket.close()

    def _exactly(self, size: int) -> bytes:
        found = self._file.read(size)
        if len(found) < size:
            raise EOFError
        return found


def _head(opcode: int, size: int, is_last: bool) -> bytes:
    first = opcode | (128 if is_last else 0)
    if size < 126:
        return struct.pack("!BB", first, 128 | size)
    if size < 1 << 16:
        return struct.pack("!BBH", first, 128 | 126, size)
    return struct.pack("!BBQ", first, 128 | 127, size)


def _masked(payload: bytes) -> bytes:
    mask = os.urandom(4)
    repeated = int.from_bytes((mask * (len(payload) // 4 + 1))[: len(payload)], "big")
    return mask + (int.from_bytes(payload, "big") ^ repeated).to_bytes(len(payload), "big")
