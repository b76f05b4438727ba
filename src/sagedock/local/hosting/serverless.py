"""The containers of one serverless variant: started by calls, one call at a time for each."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from time import monotonic

from sagedock.api import hosting_metrics as names
from sagedock.errors import EngineError, StorageError
from sagedock.local.hosting.hosted_container import Cancelled
from sagedock.local.hosting.instance import Instance
from sagedock.local.hosting.routes import Backend
from sagedock.local.hosting.tally import Tally
from sagedock.local.metrics import MetricStore, Point, Series

__all__ = ["Pool", "PoolClosed", "Throttled"]

_log = logging.getLogger(__name__)

_LOOK_S, _SHORTEST_LOOK_S = 1.0, 0.02
_DRAIN_LOOK_S = 0.005
_MEMORY_EVERY_S = 60.0
#: Between SIGTERM and SIGKILL of a container that nobody asks.
_GRACE_S = 2.0
_US = 1e6

MakeInstance = Callable[[Callable[[], None]], Instance]


class Throttled(Exception):
    """As many calls are under way as MaxConcurrency allows."""


class PoolClosed(Cancelled):
    """The variant is not served by these containers any more."""


@dataclass(eq=False, kw_only=True)
class _Warm:
    """One container. ``is_reserved`` for the call that started it, until it serves; a provisioned
    one stays when nobody asks. ``used_s`` is when it last had a call, by the monotonic clock.
    """

    is_provisioned: bool
    is_reserved: bool
    used_s: float = field(default_factory=monotonic)
    instance: Instance | None = None

    @property
    def backend(self) -> Backend | None:
        return self.instance.backend if self.instance else None

    @property
    def is_busy(self) -> bool:
        backend = self.backend
        return self.is_reserved or (backend is not None and backend.in_flight > 0)

    @property
    def is_free(self) -> bool:
        backend = self.backend
        return not self.is_reserved and backend is not None and backend.in_flight == 0


class Pool:
    """Starts containers as calls come, up to MaxConcurrency, and removes them after ``idle_s``
    seconds without one; ProvisionedConcurrency of them stay.

    ``make`` makes an instance, given what it calls when it begins or ceases to serve. ``claim`` is
    for the event loop, everything else for threads.
    """

    def __init__(
        self,
        config: Mapping[str, int],
        make: MakeInstance,
        *,
        idle_s: float,
        tally: Tally,
        metrics: MetricStore,
    ) -> None:
        self._most = config["MaxConcurrency"]
        self._provisioned = config.get("ProvisionedConcurrency", 0)
        self._make = make
        self._idle_s = idle_s
        self._tally = tally
        self._metrics = metrics
        self._all: list[_Warm] = []
        #: Held for a moment only: the event loop takes it, too.
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._hurried = threading.Event()
        self._starters = ThreadPoolExecutor(self._most, thread_name_prefix="cold start")
        self._tending = threading.Thread(target=self._tend, name="serverless", daemon=True)
        self._measured_s = monotonic()

    def launch(self) -> None:
        """Start what is provisioned, and return once it serves. Raises as Instance.launch does."""
        self._tending.start()
        with ThreadPoolExecutor(max(1, min(8, self._provisioned))) as starts:
            made = [
                starts.submit(self._started, self._provision()) for _ in range(self._provisioned)
            ]
            for each in made:
                each.result()

    async def claim(self, failed: Sequence[Backend] = ()) -> Backend:
        """Return a container that has no other call, and has this one in flight from now on; start
        it if need be.

        ``failed`` could not be reached just now. Raises Throttled, PoolClosed, and what
        Instance.launch does.
        """
        with self._lock:
            if self._ending.is_set():
                raise PoolClosed
            executing = sum(each.is_busy for each in self._all)
            warm = self._free(failed)
            if warm is None and executing >= self._most:
                raise Throttled
            self._note(executing + 1, warm)
            if warm is not None and (backend := warm.backend) is not None:
                backend.in_flight += 1
                warm.used_s = monotonic()
                return backend
            # Counted and begun as one step: no other call may take its place.
            begun, new = monotonic(), _Warm(is_provisioned=False, is_reserved=True)
            self._all.append(new)
            start = self._starters.submit(self._started, new)
        backend = await asyncio.wrap_future(start)
        self._tally.note(names.SETUP_TIME, (monotonic() - begun) * _US)
        return backend

    def cancel(self) -> None:
        """Have whatever it starts end soon, and start nothing any more; returns at once."""
        with self._lock:
            self._ending.set()
        for each in self._instances():
            each.cancel()

    def hurry(self) -> None:
        """Let calls not be awaited any longer; returns at once."""
        self._hurried.set()
        for each in self._instances():
            each.hurry()

    def retire(self, grace_s: float) -> None:
        """Stop every container, and return when nothing of it is left. Calls that started one have
        it still.
        """
        while not self._ending.is_set() and self._is_starting():
            if self._hurried.wait(_DRAIN_LOOK_S):
                break
        self.cancel()
        self._starters.shutdown()
        if self._tending.is_alive():
            self._tending.join()
        instances = self._instances()
        if instances:
            with ThreadPoolExecutor(len(instances)) as pool:
                list(pool.map(lambda each: each.retire(grace_s), instances))

    def _free(self, failed: Sequence[Backend]) -> _Warm | None:
        """Return a container for a call: a provisioned one first, then the one used last, so that
        others are idle.
        """
        free = [each for each in self._all if each.is_free and each.backend not in failed]
        return max(free, key=lambda each: (each.is_provisioned, each.used_s), default=None)

    def _note(self, executing: int, warm: _Warm | None) -> None:
        """Count a call for what is published of serverless variants."""
        note = self._tally.note
        note(names.CONCURRENT_EXECUTIONS, executing / self._most)
        if self._provisioned:
            is_provisioned = warm is not None and warm.is_provisioned
            note(names.PROVISIONED_INVOCATIONS if is_provisioned else names.SPILLOVER, 1.0)
            note(names.PROVISIONED_EXECUTIONS, executing)
            note(names.PROVISIONED_UTILIZATION, executing / self._provisioned)

    def _provision(self) -> _Warm:
        warm = _Warm(is_provisioned=True, is_reserved=False)
        with self._lock:
            self._all.append(warm)
        return warm

    def _started(self, warm: _Warm) -> Backend:
        """Start a container, and return where it serves: with its first call in flight, unless it
        is provisioned.
        """
        instance = self._make(lambda: self._changed(warm))
        with ExitStack() as undo:
            undo.callback(self._lose, warm)
            warm.instance = instance
            if self._ending.is_set():
                raise PoolClosed
            instance.launch()
            if (backend := instance.backend) is None:  # it ended at once
                raise PoolClosed
            undo.pop_all()
            return backend

    def _changed(self, warm: _Warm) -> None:
        """Take note of a container that begins or ceases to serve."""
        with self._lock:
            if (backend := warm.backend) is not None:
                if warm.is_reserved:
                    backend.in_flight, warm.is_reserved = 1, False
                return
        if not warm.is_provisioned and warm.instance is not None:
            warm.instance.cancel()  # the next call starts another one
            threading.Thread(target=self._lose, args=(warm,), daemon=True).start()

    def _lose(self, warm: _Warm, grace_s: float = 0.0) -> None:
        """Have nothing left of a container that serves nobody any more."""
        with self._lock:
            if warm in self._all:
                self._all.remove(warm)
        if warm.instance is not None:
            warm.instance.retire(grace_s)

    def _tend(self) -> None:
        look_s = max(_SHORTEST_LOOK_S, min(_LOOK_S, self._idle_s / 4))
        while not self._ending.wait(look_s):
            if monotonic() - self._measured_s >= _MEMORY_EVERY_S:
                self._measure(self._serving())
            self._remove_idle()

    def _remove_idle(self) -> None:
        now, idle = monotonic(), []
        with self._lock:
            for each in self._all:
                if each.is_busy:
                    each.used_s = now
                elif each.is_free and not each.is_provisioned:
                    idle += [each] if now - each.used_s >= self._idle_s else []
            self._all = [each for each in self._all if each not in idle]
        self._measure(idle)
        for each in idle:
            self._lose(each, _GRACE_S)

    def _measure(self, containers: Sequence[_Warm]) -> None:
        """Publish the memory that containers use, in percent of what they may."""
        self._measured_s = monotonic()
        for each in containers:
            try:
                used = each.instance.memory_percent() if each.instance else None
                if used is not None:
                    self._metrics.add([self._memory(used)])
            except (EngineError, StorageError) as error:  # it ended meanwhile, or the disk is full
                _log.debug("%s", error)

    def _memory(self, percent: float) -> tuple[Series, list[Point]]:
        series = Series(
            region=self._tally.region,
            namespace=names.MEMORY_NAMESPACE,
            name=names.MEMORY,
            dimensions=self._tally.dimensions,
            unit=names.UNITS[names.MEMORY],
        )
        return series, [Point(time_ms=round(time.time() * 1000), value=percent)]

    def _serving(self) -> list[_Warm]:
        with self._lock:
            return [each for each in self._all if each.backend is not None]

    def _instances(self) -> list[Instance]:
        with self._lock:
            return [each.instance for each in self._all if each.instance is not None]

    def _is_starting(self) -> bool:
        with self._lock:
            return any(each.is_reserved for each in self._all)
