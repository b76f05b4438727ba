"""The native model server for half an hour at 70 % load, a worker killed every 20 seconds.

`SOAK_S=300 python -m benchmarks soak` takes five minutes; it runs only when it is named. The queue
holds what comes in while a worker starts again.
"""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from benchmarks.peers import OURS, Running, body_of, running
from benchmarks.table import Row
from sagedock.load import Body, Closed, Open, Plan, Result, Shape, UrlTarget, run

__all__ = ["rows"]

_SHARE, _KILL_EVERY_S, _TRIED_S = 0.7, 20.0, 10.0
_MOST_GROWTH = 1.1
_WORKER = "sagedock.runtime.serving.worker"
_SERVER = replace(OURS, environment={**OURS.environment, "SAGEDOCK_QUEUE_SIZE": "10000"})


def rows() -> list[Row]:
    """Kill workers under load, and count what was lost."""
    lasting_s = float(os.environ.get("SOAK_S", "1800"))
    with running(_SERVER, "mlp") as server:
        rate = _SHARE * _asked(server, Closed(concurrency=16), _TRIED_S).rate
        _asked(server, Open(rate=rate), _TRIED_S)
        before = server.memory_mb()
        with _killing(server) as kills:
            result = _asked(server, Open(rate=rate), lasting_s)
        after = server.memory_mb()
    by_death = sum(each.count for each in result.errors if each.status == 500)
    lost = result.failed - by_death
    told = "; ".join(f"{each.count} x {each.kind} {each.status}" for each in result.errors) or "-"
    return [
        Row(
            what=f"soak, {lasting_s:.0f} s at {rate:.0f}/s: {len(kills)} workers killed",
            ours=f"{result.answered} answered, {by_death} in dying workers' hands, {lost} lost",
            against=told,
            ratio=f"{by_death / max(1, len(kills)):.1f} for each kill",
            goal="none lost but those",
            met=lost == 0 and len(kills) > 0,
        ),
        Row(
            what="memory, before and after",
            ours=f"{after:.0f} MB",
            against=f"{before:.0f} MB",
            ratio=f"{after / before:.2f}x",
            goal=f"flat: at most {_MOST_GROWTH}x",
            met=after <= _MOST_GROWTH * before,
        ),
    ]


def _asked(server: Running, shape: Shape, lasting_s: float) -> Result:
    body, content_type = body_of("mlp")
    target = UrlTarget(
        url=f"{server.url}/invocations",
        bodies=(Body(data=body),),
        headers={"Content-Type": content_type},
    )
    return run(Plan(target=target, shape=shape, duration_s=lasting_s, timeout_s=30))


@contextmanager
def _killing(server: Running) -> Iterator[list[int]]:
    """Kill a worker now and then; yield the ids of those that were."""
    killed: list[int] = []
    ended = threading.Event()

    def kill() -> None:
        while not ended.wait(_KILL_EVERY_S):
            workers = _workers(server.id)
            victim = workers[len(killed) % len(workers)]
            os.kill(victim, signal.SIGKILL)
            killed.append(victim)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        ended.set()
        thread.join()


def _workers(container: str) -> list[int]:
    top = ["docker", "top", container, "-o", "pid,args"]
    said = subprocess.run(top, capture_output=True, text=True, check=True).stdout
    return [int(line.split()[0]) for line in said.splitlines() if _WORKER in line]
