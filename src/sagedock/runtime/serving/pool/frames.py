"""What the front and a model worker say to each other over a socket pair.

A frame is a head of 16 bytes, then headers, then a body: raw bytes, no pickle. Both sides trust
each other; what a client sent is only ever in headers and body, never in a head.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from typing import NamedTuple

__all__ = [
    "HEAD_BYTES",
    "Frame",
    "FrameReader",
    "Header",
    "Kind",
    "pack_headers",
    "parse_head",
    "unpack_headers",
]

#: kind, whether more of the same batch follows, HTTP status, id, bytes of headers, bytes of body
_HEAD = struct.Struct("!BBHIII")
HEAD_BYTES = _HEAD.size

Header = tuple[bytes, bytes]


class Kind(IntEnum):
    """What a frame means. To the worker: REQUEST, ABANDON, OPEN, MESSAGE, FINISH; the rest comes
    from it.
    """

    REQUEST = 1
    #: The client of a streamed answer has gone.
    ABANDON = 2
    #: A whole answer.
    ANSWER = 3
    #: An answer that is streamed: its status and headers, its pieces, its end. An end with a status
    #: of 500 says that it is cut short.
    START = 4
    PIECE = 5
    END = 6
    #: The model is loaded and warmed; the id holds how many requests a batch may have, the status
    #: is 1 where it takes bidirectional streams.
    READY = 7
    #: The model cannot be loaded; the body says why, and the status is 1 where no other attempt
    #: could end otherwise.
    FAILED = 8
    #: A client wants a bidirectional stream. The answer is streamed; its pieces are those of
    #: ``pool.messages``.
    OPEN = 9
    #: A message of its client's; the status is 1 where it is text.
    MESSAGE = 10
    #: No more messages come: the server stops, and what is left to say is still sent.
    FINISH = 11


class Frame(NamedTuple):
    """One message. ``more``: another request of the same batch follows."""

    kind: int
    id: int = 0
    status: int = 0
    more: int = 0
    headers: bytes = b""
    body: bytes | bytearray | memoryview = b""

    def head(self) -> bytes:
        """Return the 16 bytes that come before headers and body."""
        return _HEAD.pack(
            self.kind, self.more, self.status, self.id, len(self.headers), len(self.body)
        )


def parse_head(head: bytes) -> tuple[int, int, int, int, int, int]:
    """Return kind, more, status, id, bytes of headers, bytes of body."""
    return _HEAD.unpack(head)


def pack_headers(headers: Iterable[Header]) -> bytes:
    """Return headers as one piece: neither names nor values hold a NUL or a line's end."""
    return b"\n".join([name + b"\0" + value for name, value in headers])


def unpack_headers(packed: bytes) -> list[Header]:
    """Return what ``pack_headers`` was given."""
    if not packed:
        return []
    return [(name, value) for name, _, value in (h.partition(b"\0") for h in packed.split(b"\n"))]


class FrameReader:
    """Cuts a stream of bytes into frames, however it arrives."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._needed = HEAD_BYTES

    def feed(self, data: bytes) -> Sequence[Frame]:
        """Take the next bytes; return the frames that they complete."""
        self._buffer += data
        if len(self._buffer) < self._needed:
            return ()
        return list(self._complete())

    def _complete(self) -> Iterator[Frame]:
        buffer, start = bytes(self._buffer), 0
        while (rest := len(buffer) - start) >= HEAD_BYTES:
            kind, more, status, number, headers_size, body_size = _HEAD.unpack_from(buffer, start)
            size = HEAD_BYTES + headers_size + body_size
            if rest < size:
                self._needed = size
                break
            body = start + HEAD_BYTES + headers_size
            yield Frame(
                kind,
                number,
                status,
                more,
                buffer[start + HEAD_BYTES : body],
                buffer[body : body + body_size],
            )
            start += size
        else:
            self._needed = HEAD_BYTES
        del self._buffer[:start]
