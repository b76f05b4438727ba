"""One request on its way through the pool, and its answer."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Answer", "CutShort", "Pieces", "Work"]

#: Pieces that may wait for a slow client before the worker is made to wait, in bytes.
_HIGH_WATER = 1 << 20


class CutShort(Exception):
    """A streamed answer ended before its end."""


class Answer(NamedTuple):
    """An answer: whole (``body``), or streamed (``pieces``). ``headers`` are packed."""

    status: int
    headers: bytes
    body: bytes | bytearray | memoryview = b""
    pieces: "Pieces | None" = None


@dataclass(slots=True, eq=False, kw_only=True)
class Work:
    """One accepted request. ``answer`` is cancelled where the client has gone.

    ``arrived``, ``started`` and ``deadline`` are moments of the event loop's clock, in seconds;
    ``started`` is 0 until a worker has it. ``is_stream`` is a bidirectional stream, which is no
    part of a batch, and has its worker for itself.
    """

    id: int
    headers: bytes
    body: bytes
    answer: "asyncio.Future[Answer]"
    arrived: float
    deadline: float
    started: float = 0.0
    is_stream: bool = False


class Pieces:
    """The pieces of a streamed answer, as they come.

    ``hold`` and ``release`` make the worker wait while the client reads slowly.
    """

    def __init__(self, *, hold: Callable[[], None], release: Callable[[], None]) -> None:
        self._hold = hold
        self._release = release
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._held = False
        self._ended = False
        self._whole = True
        self._news = asyncio.Event()

    def put(self, piece: bytes) -> None:
        """Take the next piece."""
        self._waiting.append(piece)
        self._size += len(piece)
        self._news.set()
        if self._size > _HIGH_WATER and not self._held:
            self._held = True
            self._hold()

    def end(self, *, whole: bool) -> None:
        """Say that no more pieces come; ``whole`` is False where the answer is cut short."""
        self._ended, self._whole = True, whole
        self._news.set()

    def discard(self) -> None:
        """Forget what waits, and let the worker go on: nobody reads any more."""
        self._waiting.clear()
        self._size = 0
        self._let_go()

    def _let_go(self) -> None:
        if self._held:
            self._held = False
            self._release()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the pieces. Raises CutShort where the answer ends before its end."""
        while True:
            while self._waiting:
                piece = self._waiting.popleft()
                self._size -= len(piece)
                yield piece
            self._let_go()
            if self._ended:
                break
            self._news.clear()
            await self._news.wait()
        if not self._whole:
            raise CutShort
