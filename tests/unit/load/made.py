"""Results that are made up, for what is derived from results."""

from sagedock.load import Result, Sweep
from sagedock.load.result import Generator
from sagedock.load.statistics import PERCENTS, Latencies
from sagedock.load.sweeping import Axis, Level


def latencies(ms: float, p99_ms: float | None = None) -> Latencies:
    """Return the numbers of latencies that are all alike, but for the last of a hundred."""
    high = ms if p99_ms is None else p99_ms
    return Latencies(
        count=100,
        mean_ms=ms,
        min_ms=ms,
        p50_ms=ms,
        p90_ms=ms,
        p99_ms=high,
        p99_9_ms=high,
        max_ms=high,
        curve=tuple((percent, high if percent >= 99 else ms) for percent in (0.0, *PERCENTS)),
    )


def level(
    *,
    load: float,
    rate: float,
    latency_ms: float | None,
    p99_ms: float | None = None,
    failed_share: float = 0.0,
    offered: float | None = None,
    is_open_loop: bool = False,
    server_cores: float | None = None,
) -> Level:
    """Return a level where this was found."""
    result = Result(
        target="http://127.0.0.1:1/invocations",
        shape="made up",
        began=0.0,
        lasted_s=10.0,
        answered=round(1000 * (1 - failed_share)),
        failed=round(1000 * failed_share),
        unfinished=0,
        interrupted=False,
        is_open_loop=is_open_loop,
        offered=rate if offered is None else offered,
        rate=rate,
        latency=None if latency_ms is None else latencies(latency_ms, p99_ms),
        first_byte=None,
        sent_bytes=1,
        received_bytes=1,
        errors=(),
        timeline=(),
        generator=Generator(lag=None, cpu_us=20, cpu_share=0.1, connections=1),
        server_cpu_us=None if server_cores is None else server_cores / rate * 1e6,
        server_cores=server_cores,
    )
    return Level(load=load, result=result)


def ideal(
    *,
    workers: int,
    service_ms: float,
    loads: tuple[float, ...],
    cores_each: float | None = None,
    axis: Axis = "concurrency",
) -> Sweep:
    """Return what users would see of workers that take ``service_ms`` each, and never rest."""
    levels = []
    for users in loads:
        busy = min(users, workers)
        levels.append(
            level(
                load=users,
                rate=busy / (service_ms / 1000),
                latency_ms=service_ms * max(1, users / workers),
                server_cores=None if cores_each is None else busy * cores_each,
            )
        )
    return Sweep(axis=axis, levels=tuple(levels))
