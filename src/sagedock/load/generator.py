"""Carries a plan out: sends its requests in a closed or open loop, until it is over."""

import asyncio
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, assert_never

from sagedock.load.alarm import alarm_of
from sagedock.load.arrivals import offsets
from sagedock.load.exchange import Exchange
from sagedock.load.plan import Closed, Open, Plan
from sagedock.load.pool import Pool
from sagedock.load.progress import Progress, Watch
from sagedock.load.samples import Samples

__all__ = ["Generation"]

#: More would fill the memory: 16 to 32 bytes each.
_MOST_SAMPLES = 20_000_000
_PROGRESS_S = 0.5
_PAUSE_S = 0.1
_LONGEST_EXPIRY_S = 0.02


class Generation:
    """One run of a plan, in an event loop. ``run`` returns when the last request has ended."""

    def __init__(self, plan: Plan, watch: Watch | None = None) -> None:
        self._plan, self._watch = plan, watch
        self._sent = 0
        self._is_sending = True
        self._seen = (0.0, 0)
        self.began = self.stopped = 0.0
        self.unfinished = 0
        self.interrupted = False
        self.error: Exception | None = None
        self.samples: Samples
        self.opened = 0

    async def run(self, on_measured: Callable[[], None]) -> None:
        """Send, and wait. ``on_measured`` is called as the warm-up is over, and as sending is.

        A cancellation ends it with what was measured so far. Raises what went wrong in between.
        """
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._caught)
        self._loop, self._over, self._on_measured = loop, asyncio.Event(), on_measured
        self._pool = Pool(
            self._plan.target,
            most=self._plan.shape.most_connections,
            timeout_s=self._plan.timeout_s,
            tls=_tls(self._plan.ca_bundle) if self._plan.target.address.tls else None,
            over=self._ended,
            broke=self._broke,
        )
        self.began = time.monotonic() + self._plan.warmup_s
        self.samples = Samples(self.began)
        loop.call_later(self._plan.warmup_s, on_measured)
        loop.call_later(self._plan.warmup_s + self._plan.duration_s, self._stop_sending)
        self._tick()
        self._report()
        self._start()
        try:
            await self._over.wait()
        except asyncio.CancelledError:
            self.interrupted = True
            self._stop_sending()
        self.unfinished = self._pool.open_exchanges
        self.opened = self._pool.opened
        await self._pool.close()
        if self.error is not None:
            raise self.error

    def _start(self) -> None:
        match self._plan.shape:
            case Closed(concurrency=concurrency):
                for _ in range(concurrency):
                    self._send_now()
            case Open() as shape:
                self._offsets = offsets(shape.rate, shape.arrivals, shape.seed)
                self._first = time.monotonic()
                self._next = self._first + next(self._offsets)
                self._alarm = alarm_of(self._loop, self._send_due)
                self._send_due()
            case _:
                assert_never(self._plan.shape)

    def _send_now(self) -> None:
        if self._is_sending:
            self._send(time.monotonic())

    def _send_due(self) -> None:
        """Send all that are due by now, and have the next one send itself."""
        now = time.monotonic()
        while self._is_sending and self._next <= now:
            if self._next >= self.began:
                self.samples.lags.append(now - self._next)
            self._send(self._next)
            self._next = self._first + next(self._offsets)
            now = time.monotonic()
        if self._is_sending:
            self._alarm.set(self._next, now)

    def _send(self, due: float) -> None:
        if due >= self.began:
            self._sent += 1
        self._pool.submit(Exchange(due))
        if self._sent >= min(self._plan.requests or _MOST_SAMPLES, _MOST_SAMPLES):
            self._stop_sending(early=True)

    def _ended(self, exchange: Exchange) -> None:
        self.samples.take(exchange)
        if isinstance(self._plan.shape, Closed):
            failure = exchange.failure
            if failure is not None and failure.kind == "connect":
                self._loop.call_later(_PAUSE_S, self._send_now)  # not as fast as it is refused
            else:
                self._send_now()
        self._end_if_done()

    def _stop_sending(self, *, early: bool = False) -> None:
        """Send no more. Ended early, what is under way still counts for the rate."""
        if not self._is_sending:
            return
        self._is_sending = False
        if isinstance(self._plan.shape, Open):
            self._alarm.close()
        if not early:
            self._close_window()
        self._end_if_done()

    def _close_window(self) -> None:
        self.samples.stop_sending()
        self.stopped = time.monotonic()
        self._on_measured()

    def _end_if_done(self) -> None:
        if not self._is_sending and not self._pool.open_exchanges and not self._over.is_set():
            if not self.stopped:
                self._close_window()
            self._over.set()

    def _tick(self) -> None:
        self._pool.expire(time.monotonic())
        if not self._over.is_set():
            every = min(_LONGEST_EXPIRY_S, self._plan.timeout_s / 10)
            self._loop.call_later(every, self._tick)

    def _report(self) -> None:
        if self._watch is None or self._over.is_set():
            return
        now, samples = time.monotonic(), self.samples
        then, before = self._seen
        answered = len(samples.latencies)
        self._seen = (now, answered)
        self._watch(
            Progress(
                at_s=now - self.began,
                of_s=self._plan.duration_s,
                is_warming_up=now < self.began,
                answered=answered,
                failed=len(samples.failed_ends),
                under_way=self._pool.open_exchanges,
                rate=(answered - before) / (now - then),
            )
        )
        self._loop.call_later(_PROGRESS_S, self._report)

    def _caught(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """End the run with an error of a callback: none is lost in a log."""
        if isinstance(error := context.get("exception"), Exception):
            self._broke(error)

    def _broke(self, error: Exception) -> None:
        self.error = self.error or error
        self._is_sending = False
        self._over.set()


def _tls(ca_bundle: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_bundle is not None:
        context.load_verify_locations(ca_bundle)
    return context
