"""Docker's multiplexed log stream, taken apart."""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal, Protocol

from sagedock.engine.spec import LogFrame
from sagedock.errors import EngineError

__all__ = ["read_frames", "timestamp_s"]

_HEADER_BYTES = 8
_STREAMS: dict[int, Literal["stdout", "stderr"]] = {1: "stdout", 2: "stderr"}


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def read_frames(stream: _Readable) -> Iterator[LogFrame]:
    """Yield the frames of ``stream``, whose payloads start with an RFC 3339 time and a space.

    Docker cuts a line of over 16 KiB into frames; only the last of them ends in a newline.
    Source: https://docs.docker.com/engine/api/v1.41/#tag/Container/operation/ContainerAttach
    """
    while header := _exactly(stream, _HEADER_BYTES):
        size = int.from_bytes(header[4:], "big")
        stamp, _, data = _exactly(stream, size).partition(b" ")
        name = _STREAMS.get(header[0])
        if name is None:
            raise EngineError(f"the engine sent a log frame of unknown kind {header[0]}")
        yield LogFrame(stream=name, time_s=timestamp_s(stamp.decode("ascii")), data=data)


def _exactly(stream: _Readable, size: int) -> bytes:
    pieces = []
    missing = size
    while missing and (piece := stream.read(missing)):
        pieces.append(piece)
        missing -= len(piece)
    if missing and pieces:
        raise EngineError("the engine's log stream broke off inside a frame")
    return b"".join(pieces)


def timestamp_s(text: str) -> float:
    """Return the epoch seconds of Docker's RFC 3339 times, which have up to nine decimals."""
    whole, _, rest = text.removesuffix("Z").partition(".")
    zone = "+00:00"
    for sign in "+-":
        if sign in rest:
            digits, _, offset = rest.partition(sign)
            rest, zone = digits, sign + offset
    moment = datetime.fromisoformat(whole + zone)
    return moment.timestamp() + (float(f"0.{rest}") if rest else 0.0)
