"""The model workers and the one queue before them. It knows nothing of HTTP.

A request waits until a worker is free; then that worker gets as many as its batches may have. There
is no timer: a lone request starts at once, and batches grow only while all workers are busy.
"""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from sagedock.runtime import memory
from sagedock.runtime.serving.pool.process import KILLED, UNTOLD, Launch, WorkerProcess
from sagedock.runtime.serving.pool.refusals import (
    CLOSING,
    LOST,
    NEVER_STARTED,
    STARVED,
    TOO_LONG,
)
from sagedock.runtime.serving.pool.work import Answer, Work
from sagedock.runtime.serving.pool.worker_link import WorkerLink

__all__ = ["Counts", "Full", "Pool", "PoolLimits"]

_SWEEP_S = 0.1
#: Workers that die are started again after these pauses; the last one holds for all that follow.
_PAUSES_S = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
#: A worker that lived so long has not died of its start.
_STABLE_S = 60.0
_LAST_WORDS_S = 0.2
_ID_LIMIT = 1 << 32


class Full(Exception):
    """As many requests wait as may."""


@dataclass(frozen=True, kw_only=True)
class PoolLimits:
    """How many workers, what may wait, and for how long. Sizes in bytes, times in seconds."""

    workers: int = 1
    waiting: int = 100
    waiting_bytes: int = 1 << 29
    timeout_s: float = 60.0
    stream_timeout_s: float = 480.0
    startup_timeout_s: float = 600.0
    batch_size: int = 32
    #: How large an answer may be that comes whole.
    answer_bytes: int = 25 << 20
    #: So often one worker may fail to load the model before the pool gives up.
    loads: int = 3


@dataclass(slots=True, kw_only=True)
class Counts:
    """What has happened so far."""

    started: int = 0
    lost: int = 0
    batches: int = 0
    batched: int = 0


class Pool:
    """Requests in, answers out, over workers that may die."""

    def __init__(
        self,
        *,
        launch: Launch,
        limits: PoolLimits,
        say: Callable[[str], None],
        pauses_s: tuple[float, ...] = _PAUSES_S,
        kernel_kills: Callable[[], int] = memory.kernel_kills,
    ) -> None:
        self._kernel_kills = kernel_kills
        self._launch = launch
        self._limits = limits
        self._say = say
        self._pauses_s = pauses_s
        self._loop = asyncio.get_running_loop()
        self._clock = self._loop.time
        self._queue: OrderedDict[int, Work] = OrderedDict()
        self._receiving = 0
        self._held_bytes = 0
        self._next_id = 0
        self._dispatching = False
        self._idle: list[WorkerLink] = []
        self._links: dict[int, WorkerLink] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._closing = False
        self.counts = Counts()
        #: Resolves with the cause where the model cannot be loaded.
        self.failed: asyncio.Future[str] = self._loop.create_future()

    # --- what others see -------------------------------------------------------------------------

    @property
    def healthy(self) -> bool:
        """Return whether every worker is there, its model loaded and warmed."""
        return self.ready == self._limits.workers and not self._closing

    @property
    def ready(self) -> int:
        """How many workers have loaded the model."""
        return sum(link.ready and not link.ended for link in self._links.values())

    @property
    def waiting(self) -> int:
        """How many requests hold a place, still on their way in or without a worker."""
        return self._receiving + len(self._queue)

    @property
    def running(self) -> int:
        """How many requests workers have."""
        return sum(link.running for link in self._links.values())

    # --- requests --------------------------------------------------------------------------------

    def enter(self, size: int) -> None:
        """Take a place for a request of ``size`` bytes that is coming in.

        A free worker is a place, too. Raises Full where there is none. ``submit`` or ``leave`` must
        follow.
        """
        limits = self._limits
        too_large = self._held_bytes and self._held_bytes + size > limits.waiting_bytes
        if self.waiting - len(self._idle) >= limits.waiting or too_large:
            raise Full
        self._receiving += 1

    def leave(self) -> None:
        """Give back the place of a request that did not come in."""
        self._receiving -= 1

    def submit(self, headers: bytes, body: bytes, *, is_stream: bool = False) -> Work:
        """Let a request that has come in wait for a worker; ``is_stream``: a bidirectional one."""
        self._receiving -= 1
        self._held_bytes += len(body)
        self._next_id = (self._next_id + 1) % _ID_LIMIT
        now = self._clock()
        work = Work(
            id=self._next_id,
            headers=headers,
            body=body,
            answer=self._loop.create_future(),
            arrived=now,
            deadline=now + self._limits.timeout_s,
            is_stream=is_stream,
        )
        self._queue[work.id] = work
        if self._idle and not self._dispatching:
            self._dispatching = True
            self._loop.call_soon(self._dispatch)  # with what else comes in this turn of the loop
        return work

    def abandon(self, work: Work) -> None:
        """Forget a request whose client has gone: its place is free at once."""
        work.answer.cancel()
        if self._queue.pop(work.id, None):
            self._held_bytes -= len(work.body)
            return
        for link in self._links.values():
            link.abandon(work)

    def _dispatch(self) -> None:
        self._dispatching = False
        self._drop_overdue(self._clock())
        while self._idle and self._queue:
            link = self._idle.pop()
            batch = self._batch(link.appetite(len(self._queue)))
            count = len(batch)
            self._held_bytes -= sum(len(work.body) for work in batch)
            self.counts.batches += 1
            self.counts.batched += count
            link.run(batch)

    def _batch(self, most: int) -> list[Work]:
        """Take what waits longest; a bidirectional stream is alone."""
        batch = [self._queue.popitem(last=False)[1]]
        while len(batch) < most and not (
            batch[0].is_stream or next(iter(self._queue.values())).is_stream
        ):
            batch.append(self._queue.popitem(last=False)[1])
        return batch

    # --- bidirectional streams -------------------------------------------------------------------

    @property
    def takes_streams(self) -> bool:
        """Return whether the model, once it is loaded, takes bidirectional streams."""
        return any(link.takes_streams for link in self._links.values())

    async def say(self, work: Work, message: bytes, *, is_text: bool) -> None:
        """Pass a client's message on; return when its worker can take another."""
        for link in self._links.values():
            if link.has(work):
                await link.say(work, message, is_text=is_text)

    def finish(self, work: Work) -> None:
        """Tell a bidirectional stream's worker that no more messages come."""
        for link in self._links.values():
            if link.has(work):
                link.finish(work)

    # --- overdue ---------------------------------------------------------------------------------

    def _drop_overdue(self, now: float) -> None:
        while self._queue and next(iter(self._queue.values())).deadline <= now:
            _, work = self._queue.popitem(last=False)
            self._held_bytes -= len(work.body)
            work.answer.set_result(NEVER_STARTED)

    # --- workers ---------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the workers."""
        duties = [self._tend(number) for number in range(self._limits.workers)]
        self._tasks = [self._loop.create_task(duty) for duty in (*duties, self._sweep())]
        for task in self._tasks:
            task.add_done_callback(self._on_duty_over)

    def _on_duty_over(self, task: asyncio.Task[None]) -> None:
        """Let an error of our own end the server, instead of a pool that does nothing."""
        if not task.cancelled() and (error := task.exception()) and not self.failed.done():
            self.failed.set_exception(error)

    async def up(self) -> str | None:
        """Wait until every worker has loaded the model; return why one cannot, None if all have."""
        while not self.healthy:
            if self.failed.done():
                return self.failed.result()
            await asyncio.sleep(_SWEEP_S / 10)
        return None

    def on_ready(self, link: WorkerLink) -> None:
        """Let a worker that has loaded its model take requests."""
        link.batch_size = min(link.batch_size, self._limits.batch_size)
        self.on_idle(link)

    def on_idle(self, link: WorkerLink) -> None:
        """Give a worker that is free what waits longest."""
        if link.ended:
            return
        self._idle.append(link)
        if self._queue:
            self._dispatch()

    async def _tend(self, number: int) -> None:
        """Keep one worker alive, as often as it takes; end where it cannot load the model."""
        deaths = loads = 0
        while not self._closing:
            began = self._clock()
            loaded, hopeless, how = await self._live(number)
            loads = 0 if loaded else loads + 1
            if hopeless or loads >= self._limits.loads:
                self._give_up(how)
                return
            deaths = 0 if self._clock() - began > _STABLE_S else deaths + 1
            pause_s = self._pauses_s[min(deaths, len(self._pauses_s)) - 1] if deaths else 0
            self._say(f"worker {number}: {how}; starting another in {pause_s} s")
            await asyncio.sleep(pause_s)

    async def _live(self, number: int) -> tuple[bool, bool, str]:
        """Run one worker to its end; return whether it had loaded the model, whether none will, and
        how it ended.
        """
        try:
            process = await self._launch(number)
        except OSError as error:
            return False, False, f"its process cannot be started: {error}"
        self.counts.started += 1
        kills = self._kernel_kills()
        link = await self._connect(process)
        self._links[number] = link
        try:
            ended = await process.wait()
            await self._last_words(link)
            if self._was_starved(ended, kills):
                link.lose(STARVED)
        finally:
            del self._links[number]
            process.kill()
            self._forget(link)
        how = link.cause or f"its process (pid {process.pid}) {ended}"
        return link.ready, link.is_hopeless, how

    def _was_starved(self, ended: str, kills: int) -> bool:
        """Say whether the kernel, for want of memory, may have ended a worker that ``ended`` so.

        ``kills`` is how often it had by the worker's start. Some workers do not tell their signal.
        """
        return ended in (KILLED, UNTOLD) and self._kernel_kills() > kills

    async def _connect(self, process: WorkerProcess) -> WorkerLink:
        link = WorkerLink(self, process, self._clock, answer_bytes=self._limits.answer_bytes)
        await process.connect(link)
        return link

    async def _last_words(self, link: WorkerLink) -> None:
        """Let what an ended worker has said come in, e.g. why it could not load the model."""
        link.ended = True
        self._rest(link)
        with contextlib.suppress(TimeoutError):  # a process that it left may hold the socket
            await asyncio.wait_for(link.gone.wait(), _LAST_WORDS_S)

    def _rest(self, link: WorkerLink) -> None:
        if link in self._idle:
            self._idle.remove(link)

    def _forget(self, link: WorkerLink) -> None:
        self._rest(link)
        if not self._closing:
            self.counts.lost += 1
        link.lose(LOST)
        link.close()

    def _give_up(self, cause: str) -> None:
        if not self.failed.done():
            self.failed.set_result(cause)

    async def _sweep(self) -> None:
        """Answer what took too long, and end workers that hang."""
        while True:
            await asyncio.sleep(_SWEEP_S)
            now = self._clock()
            self._drop_overdue(now)
            for link in self._links.values():
                link.overdue(now, TOO_LONG)
                self._end_if_it_hangs(link, now)

    def _end_if_it_hangs(self, link: WorkerLink, now: float) -> None:
        limits = self._limits
        if link.ended:
            return
        if not link.ready and now - link.started > limits.startup_timeout_s:
            link.cause = f"the model was not loaded within {limits.startup_timeout_s:g} s"
            link.process.kill()
        longest = limits.stream_timeout_s if link.streaming() else limits.timeout_s
        if link.conversing():  # for as long as the client stays
            return
        if link.busy_since and now - link.busy_since > longest:
            self._say(f"pid {link.process.pid} has run one batch for {longest:g} s: ending it")
            link.process.kill()

    # --- the end ---------------------------------------------------------------------------------

    async def drain(self, patience_s: float) -> bool:
        """Wait until every accepted request is answered; return False after ``patience_s``.

        Requests that have no worker by then are answered that the server stops.
        """
        ends = self._clock() + patience_s
        while self.waiting or self.running:
            if self._clock() > ends:
                self._dismiss()
                return False
            await asyncio.sleep(_SWEEP_S / 5)
        return True

    def _dismiss(self) -> None:
        while self._queue:
            _, work = self._queue.popitem(last=False)
            self._resolve(work, CLOSING)
        for link in self._links.values():
            link.lose(CLOSING)

    @staticmethod
    def _resolve(work: Work, answer: Answer) -> None:
        if not work.answer.done():
            work.answer.set_result(answer)

    async def close(self) -> None:
        """End every worker; none is left on return."""
        self._closing = True
        processes = [link.process for link in self._links.values()]
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(process.wait() for process in processes))
