"""The front's side of one model worker: what it is told, what comes back."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

from sagedock.runtime.serving.pool.frames import Frame, FrameReader, Kind
from sagedock.runtime.serving.pool.process import WorkerProcess
from sagedock.runtime.serving.pool.refusals import too_large
from sagedock.runtime.serving.pool.work import Answer, Pieces, Work

__all__ = ["Owner", "WorkerLink"]

#: The status of an END that cuts an answer short.
_BROKEN = 500
#: Quick requests are handed over together where all of them take no longer than this, and at most
#: so many: another that waits behind them waits no longer.
_HANDFUL_S, _HANDFUL = 0.001, 16
_UNKNOWN_PACE_S = 1.0
_NEWEST_SHARE = 0.2


class Owner(Protocol):
    """Who hears what becomes of a worker: the pool."""

    def on_ready(self, link: "WorkerLink") -> None:
        """The model is loaded and warmed."""

    def on_idle(self, link: "WorkerLink") -> None:
        """Every request of the batch is answered."""


class WorkerLink(asyncio.Protocol):
    """One worker, from its start to its end."""

    def __init__(
        self,
        owner: Owner,
        process: WorkerProcess,
        clock: Callable[[], float],
        *,
        answer_bytes: int,
    ) -> None:
        self._answer_bytes = answer_bytes
        self._owner = owner
        self._clock = clock
        self._reader = FrameReader()
        self._transport: asyncio.Transport | None = None
        self._running: dict[int, Work] = {}
        #: None where nobody waits for the rest of it.
        self._streams: dict[int, Pieces | None] = {}
        self.process = process
        self.started = clock()
        self.ready = False
        #: Set once nothing more can come from it.
        self.gone = asyncio.Event()
        #: Its process has ended; what it said last may still come.
        self.ended = False
        self.batch_size = 1
        #: What the worker said of a model that cannot be loaded.
        self.cause = ""
        #: Whether it said that no other attempt could end otherwise.
        self.is_hopeless = False
        #: When it got what it runs now; 0 while it runs nothing.
        self.busy_since = 0.0
        self._batch_count = 1
        self.takes_streams = False
        #: Cleared while the worker takes no more of what it is told.
        self._writable = asyncio.Event()
        self._writable.set()
        #: Seconds that a request takes, lately.
        self._pace_s = _UNKNOWN_PACE_S

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what frames are written to."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """End a worker that has hung up: it does not answer any more."""
        self._transport = None
        self._writable.set()
        self.gone.set()
        self.process.kill()

    def pause_writing(self) -> None:
        """Let clients of bidirectional streams wait: the worker does not read."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Let them go on."""
        self._writable.set()

    def appetite(self, waiting: int) -> int:
        """Return how many of the waiting requests it should get now.

        A model that takes batches gets as many as it may. Any other gets several only while they
        are so quick that handing them over one by one costs more than they do.
        """
        if self.batch_size > 1:
            return min(waiting, self.batch_size)
        return min(waiting, max(1, int(_HANDFUL_S / self._pace_s)), _HANDFUL)

    @property
    def running(self) -> int:
        """How many requests it has."""
        return len(self._running)

    def run(self, batch: Sequence[Work]) -> None:
        """Give the worker a batch. Only an idle one takes it."""
        self.busy_since = now = self._clock()
        pieces: list[Any] = []
        self._batch_count = len(batch)
        last = len(batch) - 1
        for index, work in enumerate(batch):
            work.started = now
            self._running[work.id] = work
            kind = Kind.OPEN if work.is_stream else Kind.REQUEST
            frame = Frame(kind, work.id, 0, int(index < last), work.headers, work.body)
            pieces += (frame.head(), work.headers, work.body)
        self._write(pieces)

    def _write(self, pieces: list[Any]) -> None:
        if self._transport is None:  # it has just died: the pool is about to hear of it
            return
        if len(pieces) == 3 and len(pieces[2]) < 65536:
            self._transport.write(b"".join(pieces))
        else:
            self._transport.writelines(pieces)

    def abandon(self, work: Work) -> None:
        """Forget a request that nobody waits for; a streamed answer is stopped."""
        if pieces := self._streams.get(work.id):
            self._streams[work.id] = None
            pieces.discard()
            pieces.end(whole=False)
            self._write([Frame(Kind.ABANDON, work.id).head(), b"", b""])
            if work.is_stream:
                self.busy_since = self._clock()  # from now on it may take as long as a request

    def has(self, work: Work) -> bool:
        """Return whether it runs this request."""
        return work.id in self._running

    async def say(self, work: Work, message: bytes, *, is_text: bool) -> None:
        """Pass a message of a bidirectional stream on; return when there is room for another."""
        frame = Frame(Kind.MESSAGE, work.id, int(is_text), body=message)
        self._write([frame.head(), b"", message])
        await self._writable.wait()

    def finish(self, work: Work) -> None:
        """Say that no more messages of a bidirectional stream come."""
        self._write([Frame(Kind.FINISH, work.id).head(), b"", b""])

    def conversing(self) -> bool:
        """Return whether it has a bidirectional stream whose client is still there."""
        return any(self._streams.get(w.id) for w in self._running.values() if w.is_stream)

    def data_received(self, data: bytes) -> None:
        """Take what the worker says."""
        for frame in self._reader.feed(data):
            self._take(frame)

    def _take(self, frame: Frame) -> None:
        kind = frame.kind
        if Kind.ANSWER <= kind <= Kind.END and frame.id not in self._running:
            return  # it has been answered for
        if kind == Kind.ANSWER:
            self._answer(frame)
        elif kind == Kind.START:
            self._start(self._running[frame.id], frame)
        elif kind == Kind.PIECE:
            if stream := self._streams[frame.id]:
                stream.put(bytes(frame.body))
        elif kind == Kind.END:
            self._end(frame)
        elif kind == Kind.READY:
            self.ready, self.batch_size = True, frame.id
            self.takes_streams = bool(frame.status)
            self._owner.on_ready(self)
        elif kind == Kind.FAILED:
            self.cause = bytes(frame.body).decode("utf-8", "replace")
            self.is_hopeless = bool(frame.status)

    def _answer(self, frame: Frame) -> None:
        work = self._running.pop(frame.id)
        fits = len(frame.body) <= self._answer_bytes
        answer = Answer(frame.status, frame.headers, frame.body)
        self._resolve(work, answer if fits else too_large(self._answer_bytes))
        self._rest(work)

    def _start(self, work: Work, frame: Frame) -> None:
        pieces = Pieces(hold=self._hold, release=self._release)
        self._streams[work.id] = pieces
        if work.answer.done():  # nobody waits for it any more
            self.abandon(work)
        else:
            work.answer.set_result(Answer(frame.status, frame.headers, b"", pieces))

    def _hold(self) -> None:
        if self._transport is not None:
            self._transport.pause_reading()

    def _release(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _end(self, frame: Frame) -> None:
        if stream := self._streams.pop(frame.id):
            stream.end(whole=frame.status != _BROKEN)
        self._rest(self._running.pop(frame.id))

    @staticmethod
    def _resolve(work: Work, answer: Answer) -> None:
        if not work.answer.done():
            work.answer.set_result(answer)

    def _rest(self, last: Work) -> None:
        if not self._running:
            took = (self._clock() - self.busy_since) / self._batch_count
            if not last.is_stream:
                self._pace_s += (took - self._pace_s) * _NEWEST_SHARE
            self.busy_since = 0.0
            self._owner.on_idle(self)

    def close(self) -> None:
        """Hang up: an idle worker ends then."""
        if self._transport is not None:
            self._transport.close()

    def lose(self, answer: Answer) -> None:
        """Answer for a worker that has died: what it ran cannot be answered any more."""
        for pieces in filter(None, self._streams.values()):
            pieces.end(whole=False)
        for work in self._running.values():
            self._resolve(work, answer)
        self._streams.clear()
        self._running.clear()

    def overdue(self, now: float, answer: Answer) -> None:
        """Answer each request whose time is over."""
        for work in self._running.values():
            if now >= work.deadline:
                self._resolve(work, answer)

    def streaming(self) -> bool:
        """Return whether it sends a streamed answer."""
        return bool(self._streams)
