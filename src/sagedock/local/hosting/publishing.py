"""Publishing what variants answered: gathered each second, written by a thread of its own."""

import asyncio
import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping

from sagedock.api import metrics as names
from sagedock.api.hosting_metrics import UNITS
from sagedock.errors import StorageError
from sagedock.local.hosting.tally import Taken, Tally
from sagedock.local.metrics import MetricStore, Point, Series

__all__ = ["Publisher"]

_log = logging.getLogger(__name__)
_EVERY_S = 1.0
#: Autoscaling looks ten seconds back at most, by the clock of its time scale.
_LATEST_S = 5.0

Gathered = list[tuple[Tally, Taken]]


class Publisher:
    """Stores the metrics of every variant that was invoked, once a second; more often where
    ``time_scale`` makes the time of autoscaling pass faster.
    """

    def __init__(self, metrics: MetricStore, time_scale: float) -> None:
        self._metrics = metrics
        self._every_s = min(_EVERY_S, _LATEST_S / time_scale)
        self._waiting: set[Tally] = set()
        self._queue: queue.Queue[Gathered | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="metrics of endpoints", daemon=True)
        self._thread.start()

    def awake(self, tally: Tally) -> None:
        """Have ``tally`` published within a second. For the event loop only."""
        if not self._waiting:
            asyncio.get_running_loop().call_later(self._every_s, self._gather)
        self._waiting.add(tally)

    def close(self) -> None:
        """Store what is left, and end. The event loop has ended."""
        self._gather()
        self._queue.put(None)
        self._thread.join()

    def _gather(self) -> None:
        taken = [(each, found) for each in self._waiting if (found := each.take())]
        self._waiting.clear()
        if taken:
            self._queue.put(taken)

    def _run(self) -> None:
        while (gathered := self._queue.get()) is not None:
            time_ms = round(time.time() * 1000)
            try:
                self._metrics.add(
                    each for tally, taken in gathered for each in _points(tally, taken, time_ms)
                )
            except StorageError as error:
                _log.warning("metrics of endpoints: %s", error)


def _points(tally: Tally, taken: Taken, time_ms: int) -> Iterator[tuple[Series, list[Point]]]:
    for name, (unit, values) in _metrics(taken).items():
        series = Series(
            region=tally.region,
            namespace=names.ENDPOINTS,
            name=name,
            dimensions=tally.dimensions,
            unit=unit,
        )
        yield (
            series,
            [Point(time_ms=time_ms, value=value, count=n) for value, n in values.items() if n],
        )


def _metrics(taken: Taken) -> Mapping[str, tuple[str, Mapping[float, int]]]:
    """Return each metric's unit and its values with how often each was measured."""

    def errors(number: int) -> Mapping[float, int]:
        return Counter({1.0: number, 0.0: taken.invocations - number})

    return {
        names.INVOCATIONS: (names.UNIT_OF_INVOCATIONS, {1.0: taken.invocations}),
        names.PER_INSTANCE: (names.UNIT_OF_INVOCATIONS, taken.per_instance),
        names.CLIENT_ERRORS: (names.UNIT_OF_INVOCATIONS, errors(taken.client_errors)),
        names.SERVER_ERRORS: (names.UNIT_OF_INVOCATIONS, errors(taken.server_errors)),
        names.MODEL_LATENCY: (names.UNIT_OF_LATENCIES, taken.model),
        names.OVERHEAD_LATENCY: (names.UNIT_OF_LATENCIES, taken.overhead),
        **{name: (UNITS[name], values) for name, values in taken.more.items()},
    }
