"""One request and its answer, while it is under way."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from sagedock.load.connection import Connection
    from sagedock.load.event_stream import EventStream

__all__ = ["Exchange", "Failure", "FailureKind"]

#: connect: no connection was made; closed: it ended before the answer did; malformed: what came is
#: not HTTP; timeout: not answered in time; status: answered, but not 2xx; stream: a stream that
#: began well told of a failure.
FailureKind = Literal["connect", "closed", "malformed", "timeout", "status", "stream"]

_KEPT_BYTES = 2048


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a request was not answered well. ``detail`` is short, and alike for what is alike."""

    kind: FailureKind
    status: int = 0
    detail: str = ""
    example: str = ""


class Exchange:
    """A request that was due at ``due``. Times are seconds of ``time.monotonic()``."""

    __slots__ = (
        "connection",
        "done",
        "due",
        "ended",
        "events",
        "failure",
        "first",
        "kept",
        "received",
        "sent",
        "status",
        "wrote",
    )

    def __init__(self, due: float) -> None:
        self.due = due
        self.sent = 0.0
        self.first = 0.0
        self.ended = 0.0
        self.wrote = 0
        self.received = 0
        self.status = 0
        self.kept = b""
        self.failure: Failure | None = None
        self.done = False
        self.connection: Connection | None = None
        self.events: EventStream | None = None

    def keep(self, piece: bytes) -> None:
        """Keep the beginning of an answer that may have to be shown."""
        if len(self.kept) < _KEPT_BYTES:
            self.kept = (self.kept + piece)[:_KEPT_BYTES]
