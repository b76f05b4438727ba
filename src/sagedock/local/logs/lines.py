"""A container's output, put back into lines."""

from dataclasses import dataclass, field
from typing import Literal

from sagedock.engine import LogFrame

__all__ = ["EVENT_BYTES", "Line", "LineAssembler", "messages"]

#: The longest event that CloudWatch Logs takes, less the 26 bytes it counts for itself.
#: Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
#: (1 MB since 2025; that SageMaker's own agent cuts at 256 KiB is unverified).
EVENT_BYTES = 256 * 1024 - 26


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line without its end. ``consumed`` is how many bytes of its stream it took."""

    stream: Literal["stdout", "stderr"]
    time_s: float
    data: bytes
    consumed: int


@dataclass
class LineAssembler:
    """Joins frames to lines, each stream on its own, so that no line is ever torn that fits into
    an event. Of a longer one, which may never end, each full piece is handed on as it comes.

    ``skip`` says how many bytes of each stream are known already, from before a restart.
    """

    skip: dict[str, int] = field(default_factory=dict)
    _open: dict[Literal["stdout", "stderr"], bytearray] = field(default_factory=dict)

    def take(self, frame: LogFrame) -> list[Line]:
        """Return the lines that ``frame`` completes."""
        data = self._unknown_part(frame)
        pending = self._open.setdefault(frame.stream, bytearray())
        pending += data
        if b"\n" not in data:
            return _full_pieces(frame, pending)
        *whole, rest = bytes(pending).split(b"\n")
        self._open[frame.stream] = bytearray(rest)
        return [
            Line(stream=frame.stream, time_s=frame.time_s, data=piece, consumed=len(piece) + 1)
            for piece in whole
        ]

    def end(self, time_s: float) -> list[Line]:
        """Return what is left of each stream: a last line that no newline ended."""
        left = [
            Line(stream=stream, time_s=time_s, data=bytes(rest), consumed=len(rest))
            for stream, rest in self._open.items()
            if rest
        ]
        self._open.clear()
        return left

    def _unknown_part(self, frame: LogFrame) -> bytes:
        known = min(self.skip.get(frame.stream, 0), len(frame.data))
        if known:
            self.skip[frame.stream] -= known
        return frame.data[known:]


def _full_pieces(frame: LogFrame, pending: bytearray) -> list[Line]:
    pieces = []
    while len(pending) > EVENT_BYTES:
        size = _whole_characters(pending)
        pieces.append(
            Line(
                stream=frame.stream,
                time_s=frame.time_s,
                data=bytes(pending[:size]),
                consumed=size,
            )
        )
        del pending[:size]
    return pieces


def _whole_characters(data: bytearray) -> int:
    """Return the longest length, up to EVENT_BYTES, that ends between two UTF-8 characters."""
    longest = range(EVENT_BYTES, EVENT_BYTES - 4, -1)
    return next((size for size in longest if data[size] & 0xC0 != 0x80), EVENT_BYTES)


def messages(line: bytes) -> list[str]:
    """Return a line as event texts, none over EVENT_BYTES; what is no UTF-8 becomes U+FFFD.

    An empty line is no event: the service's model asks for at least one character.
    """
    text = line.decode("utf-8", errors="replace").removesuffix("\r")
    if not text:
        return []
    if len(text) * 4 <= EVENT_BYTES:
        return [text]
    pieces, data = [], text.encode()
    while data:
        piece = data[:EVENT_BYTES].decode("utf-8", errors="ignore")
        pieces.append(piece)
        data = data[len(piece.encode()) :]
    return pieces
