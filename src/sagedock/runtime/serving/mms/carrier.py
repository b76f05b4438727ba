"""What a worker's link writes to: batches leave as requests of Multi Model Server."""

import asyncio
from collections.abc import Callable, Iterator, Sequence

from sagedock.runtime.serving.mms.unix_http import BadAnswer, Connection

__all__ = ["LAST", "MORE", "Carrier", "envelopes"]

#: How an answer begins: another follows, to be asked for by an empty request, or none does.
MORE = b"+"
LAST = b"."
_PIECES_PER_FRAME = 3
_OK = 200

Pieces = Sequence[bytes | bytearray | memoryview]


class Carrier(asyncio.Transport):
    """Carries one batch at a time; frames that come back are told to ``hear``.

    ``lost`` is called with the reason where the server does not carry one.
    """

    def __init__(
        self,
        *,
        connection: Connection,
        target: str,
        largest: int,
        hear: Callable[[memoryview], None],
        lost: Callable[[str], None],
    ) -> None:
        super().__init__()
        self._connection = connection
        self._target = target
        self._largest = largest
        self._hear = hear
        self._lost = lost
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Carry a batch of one frame."""
        self._start([[data]])

    def writelines(self, list_of_data: Pieces) -> None:  # type: ignore[override]
        """Carry a batch; each frame is three pieces of it."""
        self._start(list(envelopes(list_of_data, self._largest)))

    def _start(self, batch: list[Pieces]) -> None:
        self._task = asyncio.get_running_loop().create_task(self._carry(batch))

    async def _carry(self, batch: list[Pieces]) -> None:
        try:
            for envelope in batch:
                while await self._exchange(envelope):
                    envelope = ()  # noqa: PLW2901 - what still waits there is asked for
        except OSError as error:
            self._lost(str(error))

    async def _exchange(self, envelope: Pieces) -> bool:
        """Send an envelope; return whether more answers wait. Raises OSError."""
        status, body = await self._connection.ask("POST", self._target, envelope)
        if status != _OK or body[:1] not in (MORE, LAST):
            raise BadAnswer(f"the Multi Model Server answered {status}")
        self._hear(memoryview(body)[1:])
        return body[:1] == MORE

    def pause_reading(self) -> None:
        """Do nothing: answers come whole."""

    def resume_reading(self) -> None:
        """Do nothing: answers come whole."""

    def is_closing(self) -> bool:
        """Return whether ``close`` was called."""
        return self._closing

    def close(self) -> None:
        """Carry nothing more."""
        self._closing = True
        if self._task is not None:
            self._task.cancel()
        self._connection.close()


def envelopes(pieces: Pieces, largest: int) -> Iterator[Pieces]:
    """Yield whole frames, as many at once as ``largest`` bytes hold, and at least one."""
    taken: list[bytes | bytearray | memoryview] = []
    size = 0
    for index in range(0, len(pieces), _PIECES_PER_FRAME):
        frame = pieces[index : index + _PIECES_PER_FRAME]
        length = sum(map(len, frame))
        if taken and size + length > largest:
            yield taken
            taken, size = [], 0
        taken += frame
        size += length
    if taken:
        yield taken
