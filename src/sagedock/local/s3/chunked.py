"""The ``aws-chunked`` content encoding: chunks of known length, then trailing headers.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
"""

import re
from collections.abc import Callable, Iterator

from sagedock.local.s3.errors import S3Error

__all__ = ["ChunkedDecoder"]

#: A chunk's header line, or a trailer, is far shorter than this (bytes).
_LINE = 16 * 1024
_LENGTH = re.compile(rb"([0-9a-fA-F]{1,16})(;|$)")


class ChunkedDecoder:
    """Takes the body's bytes in any pieces, gives the payload's. Signatures are not checked."""

    def __init__(self) -> None:
        self.trailers: dict[str, str] = {}
        self._buffer = bytearray()
        self._left = 0
        self._step: Callable[[], bytes | None] = self._header

    @property
    def complete(self) -> bool:
        """Whether the last, empty chunk and its trailers have been seen."""
        return self._step == self._end

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the payload that ``data`` completes."""
        self._buffer += data
        while (piece := self._step()) is not None:
            if piece:
                yield piece

    def _header(self) -> bytes | None:
        line = self._line()
        if line is None:
            return None
        length = _LENGTH.match(line)
        if length is None:
            raise S3Error("IncompleteBody", "A chunk's header is not a length.")
        self._left = int(length[1], 16)
        self._step = self._payload if self._left else self._trailer
        return b""

    def _payload(self) -> bytes | None:
        if not self._buffer:
            return None
        piece = bytes(self._buffer[: self._left])
        del self._buffer[: len(piece)]
        self._left -= len(piece)
        if not self._left:
            self._step = self._separator
        return piece

    def _separator(self) -> bytes | None:
        line = self._line()
        if line:
            raise S3Error("IncompleteBody", "A chunk is longer than its header says.")
        if line is None:
            return None
        self._step = self._header
        return b""

    def _trailer(self) -> bytes | None:
        line = self._line()
        if line is None:
            return None
        if not line:
            self._step = self._end
            return b""
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon:
            raise S3Error("MalformedTrailerError")
        self.trailers[name.strip().lower()] = value.strip()
        return b""

    def _end(self) -> None:
        return None

    def _line(self) -> bytes | None:
        end = self._buffer.find(b"\r\n")
        if end > _LINE or (end < 0 and len(self._buffer) > _LINE):
            raise S3Error("IncompleteBody", "A chunk's header is not a length.")
        if end < 0:
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line
