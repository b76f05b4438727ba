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
from sagedock.local.hosting.measures import Measured, Measures
from sagedock.local.hosting.tally import Taken, Tally
from sagedock.local.metrics import MetricStore, Point, Series

__all__ = ["Publisher"]

_log = logging.getLogger(__name__)
_EVERY_S = 1.0
#: Autoscaling looks ten seconds back at most, by the clock of its time scale.
_LATEST_S = 5.0

Source = Tally | Measures
Gathered = list[tuple[Source, Taken | Measured]]


class Publisher:
    """Stores the metrics of every variant that was invoked, once a second; more often where
    ``time_scale`` makes the time of autoscaling pass faster.
    """

    def __init__(self, metrics: MetricStore, time_scale: float) -> None:
        self._metrics = metrics
        self._every_s = min(_EVERY_S, _LATEST_S / time_scale)
        self._waiting: set[Source] = set()
        self._queue: queue.Queue[Gathered | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="metrics of endpoints", daemon=True)
        self._thread.start()

    def awake(self, tally: Source) -> None:
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
        taken: Gathered = [(each, found) for each in self._waiting if (found := each.take())]
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


def _points(
    tally: Source, taken: Taken | Measured, time_ms: int
) -> Iterator[tuple[Series, list[Point]]]:
    if isinstance(taken, Taken):
        measured = _measured(taken, tally.per if isinstance(tally, Tally) else names.PER_INSTANCE)
    else:
        measured = taken
    for metric, values in measured.items():
        points = [Point(time_ms=time_ms, value=value, count=n) for value, n in values.items() if n]
        for dimensions in _dimensions(tally):
            series = Series(
                region=tally.region,
                namespace=metric.namespace,
                name=metric.name,
                dimensions=dimensions,
                unit=metric.unit,
            )
            yield series, points


def _dimensions(tally: Source) -> Iterator[Mapping[str, str]]:
    """Yield what metrics are published by; those of a deployment, too, to tell it from the one that
    it replaces. Source: the guide's deployment-guardrails-configuration.
    """
    yield tally.dimensions
    if isinstance(tally, Tally) and tally.config is not None:
        yield {**tally.dimensions, "EndpointConfigName": tally.config}


def _measured(taken: Taken, per: str) -> Measured:
    """Return each metric with its values and how often each was measured."""

    def errors(number: int) -> Mapping[float, int]:
        return Counter({1.0: number, 0.0: taken.invocations - number})

    def count(name: str) -> names.Metric:
        return names.Metric(name=name, unit=names.UNIT_OF_INVOCATIONS)

    def latency(name: str) -> names.Metric:
        return names.Metric(name=name, unit=names.UNIT_OF_LATENCIES)

    return {
        count(names.INVOCATIONS): {1.0: taken.invocations},
        count(per): taken.per_instance,
        count(names.CLIENT_ERRORS): errors(taken.client_errors),
        count(names.SERVER_ERRORS): errors(taken.server_errors),
        latency(names.MODEL_LATENCY): taken.model,
        latency(names.OVERHEAD_LATENCY): taken.overhead,
        **{
            names.Metric(name=name, unit=UNITS[name]): values for name, values in taken.more.items()
        },
    }
