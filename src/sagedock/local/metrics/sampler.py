"""What each host's container uses, once a minute, as the service publishes it."""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean

from sagedock.api import metrics as names
from sagedock.engine import Engine, Gpu, Usage
from sagedock.errors import EngineError, StorageError
from sagedock.local.metrics.store import MetricStore, Point, Series

__all__ = ["Host", "Sampler"]

_log = logging.getLogger(__name__)

_GIB = 1024**3
#: Between two readings: short at first, for jobs that are; they only feed the point of a period.
_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 5.0
_WHOLE = 100.0


@dataclass(frozen=True, kw_only=True)
class Host:
    """One host of a job. ``volume_gb`` is its volume's size, None or 0 where it has none: types
    with disks of their own.
    """

    region: str
    job: str
    name: str
    container: str
    volume_gb: float | None
    namespace: str = names.TRAINING_JOBS


@dataclass
class _Readings:
    """What was read since the last point. CPU time is counted from the reading ``begin``.

    Without one it is counted from the container's start, if that was not ``new_s`` ago: a server
    that takes up a running job does not count again what the one before it has counted.
    """

    new_s: float
    begin: Usage | None = None
    last: Usage | None = None
    memory: list[float] = field(default_factory=list)
    gpus: list[Sequence[Gpu]] = field(default_factory=list)

    def take(self, usage: Usage, gpus: Sequence[Gpu]) -> None:
        """Take one reading."""
        if self.begin is None:
            new = usage.at_s - usage.started_at_s < self.new_s
            self.begin = replace(usage, at_s=usage.started_at_s, cpu_s=0.0) if new else usage
        self.last = usage
        self.memory.append(_WHOLE * usage.memory_bytes / usage.memory_limit_bytes)
        if gpus:
            self.gpus.append(gpus)

    def values(self) -> dict[str, float]:
        """Return the metrics' values: means over the period, CPU and GPUs as sums of all."""
        found = {}
        if self.begin and self.last and self.last.at_s > self.begin.at_s:
            # The engine's clocks are not one: within the first moments they can tell of more time
            # than there was.
            lasted_s = self.last.at_s - self.begin.at_s
            share = (self.last.cpu_s - self.begin.cpu_s) / lasted_s
            found[names.CPU] = _WHOLE * min(max(0.0, share), self.last.cpus)
        if self.memory:
            found[names.MEMORY] = min(_WHOLE, fmean(self.memory))
        if self.gpus:
            found[names.GPU] = fmean(sum(g.utilization for g in each) for each in self.gpus)
            found[names.GPU_MEMORY] = fmean(sum(g.memory for g in each) for each in self.gpus)
        return found


class Sampler:
    """Stores the instance metrics of one host every ``period_s`` seconds, and once at its end.

    CPU, memory and GPUs are means over the period. Disk is what the container wrote, its own layer
    and volumes, in percent of the job's volume. What cannot be measured is left out, never made up:
    a container that ends within a moment may have no CPU value.
    """

    def __init__(
        self, engine: Engine, metrics: MetricStore, host: Host, *, period_s: float
    ) -> None:
        self._engine = engine
        self._metrics = metrics
        self._host = host
        self._period_s = period_s
        self._ended = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name=f"usage of {host.job}/{host.name}", daemon=True
        )

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """Have the last point stored, and return at once. The container has ended, and is still
        there.
        """
        self._ended.set()

    def join(self) -> None:
        """Return once the last point is stored."""
        self._thread.join()

    def _run(self) -> None:
        readings, pause_s, ending = _Readings(new_s=self._period_s), _FIRST_PAUSE_S, False
        due = time.monotonic() + self._period_s
        while not ending:
            self._read(readings)
            ending = self._ended.wait(max(0.0, min(pause_s, due - time.monotonic())))
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            if ending or time.monotonic() >= due:
                self._store(readings.values())
                begin = readings.last or readings.begin
                readings = _Readings(new_s=self._period_s, begin=begin, last=begin)
                due = time.monotonic() + self._period_s

    def _read(self, readings: _Readings) -> None:
        try:
            usage = self._engine.usage(self._host.container)
            if usage is not None:
                readings.take(usage, self._engine.gpus(self._host.container))
        except EngineError as error:  # it ended between two questions
            _log.debug("%s", error)

    def _store(self, values: dict[str, float]) -> None:
        host, now_ms = self._host, round(time.time() * 1000)
        try:
            found = {**values, **self._disk()}
            self._metrics.add(
                (self._series(name), [Point(time_ms=now_ms, value=value)])
                for name, value in found.items()
            )
        except (EngineError, StorageError) as error:
            _log.warning("usage of %s/%s: %s", host.job, host.name, error)

    def _disk(self) -> Mapping[str, float]:
        if not self._host.volume_gb:
            return {}
        written = self._engine.written_bytes(self._host.container)
        if written is None:
            return {}
        return {names.DISK: min(_WHOLE, _WHOLE * written / (self._host.volume_gb * _GIB))}

    def _series(self, name: str) -> Series:
        return Series(
            region=self._host.region,
            namespace=self._host.namespace,
            name=name,
            dimensions=names.host_dimension(self._host.job, self._host.name),
            unit=names.UNIT_OF_INSTANCES,
        )
