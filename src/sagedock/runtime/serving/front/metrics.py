"""Numbers for Prometheus, in its text format."""

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from sagedock.runtime.serving.pool.pool import Pool

__all__ = ["CONTENT_TYPE", "METRICS_PATH", "Metrics"]

METRICS_PATH = "/metrics"
CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
_BOUNDS_S = (
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
    60.0,
)


class Metrics:
    """Counts invocations: their status, their time, their bytes."""

    def __init__(self) -> None:
        self._statuses: Counter[int] = Counter()
        self._buckets = [0] * (len(_BOUNDS_S) + 1)
        self._seconds = 0.0
        self._received = 0
        self._sent = 0

    def add(self, status: int, received: int, sent: int, took_s: float) -> None:
        """Count one invocation."""
        self._statuses[status] += 1
        self._buckets[bisect_left(_BOUNDS_S, took_s)] += 1
        self._seconds += took_s
        self._received += received
        self._sent += sent

    def text(self, pools: Mapping[str, Pool]) -> str:
        """Return all numbers; a pool's are labelled with its model's name, if it has one."""
        return "\n".join([*self._own(), *_of(pools)]) + "\n"

    def _own(self) -> Iterator[str]:
        yield "# TYPE sagedock_invocations_total counter"
        for status, count in sorted(self._statuses.items()):
            yield f'sagedock_invocations_total{{status="{status}"}} {count}'
        yield "# TYPE sagedock_invocation_seconds histogram"
        total = 0
        for bound, count in zip((*_BOUNDS_S, "+Inf"), self._buckets, strict=True):
            total += count
            yield f'sagedock_invocation_seconds_bucket{{le="{bound}"}} {total}'
        yield f"sagedock_invocation_seconds_sum {self._seconds:.6f}"
        yield f"sagedock_invocation_seconds_count {total}"
        yield from _row("received_bytes_total", "counter", self._received)
        yield from _row("sent_bytes_total", "counter", self._sent)


_OF_POOLS: tuple[tuple[str, str, Callable[[Pool], int]], ...] = (
    ("requests_waiting", "gauge", lambda pool: pool.waiting),
    ("requests_running", "gauge", lambda pool: pool.running),
    ("workers_ready", "gauge", lambda pool: pool.ready),
    ("workers_started_total", "counter", lambda pool: pool.counts.started),
    ("workers_lost_total", "counter", lambda pool: pool.counts.lost),
    ("batches_total", "counter", lambda pool: pool.counts.batches),
    ("batched_requests_total", "counter", lambda pool: pool.counts.batched),
)


def _of(pools: Mapping[str, Pool]) -> Iterator[str]:
    for name, kind, number in _OF_POOLS:
        yield f"# TYPE sagedock_{name} {kind}"
        for model, pool in pools.items():
            label = f"{{model={json.dumps(model)}}}" if model else ""
            yield f"sagedock_{name}{label} {number(pool)}"


def _row(name: str, kind: str, value: int) -> Iterator[str]:
    yield f"# TYPE sagedock_{name} {kind}"
    yield f"sagedock_{name} {value}"
