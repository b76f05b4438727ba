"""``run``: a plan in, a result out."""

import asyncio
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING

from sagedock.errors import InvalidRequest, SagedockError
from sagedock.load.plan import Open, Plan
from sagedock.load.result import Generator, Result
from sagedock.load.samples import Samples
from sagedock.load.statistics import Latencies, bins
from sagedock.load.usage import cpu_seconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from sagedock.load.generator import Generation
    from sagedock.load.progress import Watch

__all__ = ["run"]


def run(plan: Plan, watch: "Watch | None" = None) -> Result:
    """Carry a plan out in an event loop of its own, and return what it found.

    ``watch`` is told of the progress twice a second. Ctrl-C ends it: the result has what was
    measured so far, and says that it was interrupted. Raises InvalidRequest, with every problem,
    for a plan that cannot be; SagedockError where the extra ``load`` is not installed.
    """
    if problems := plan.problems():
        raise InvalidRequest(problems)
    plan.target.message(0)  # a request that cannot be written is told of now
    if find_spec("httptools") is None:
        raise SagedockError(
            "httptools, which reads answers, is not installed: pip install 'sagedock[load]'"
        )
    from sagedock.load.generator import Generation

    meter = _Meter(plan.server_pid)
    generation, began = Generation(plan, watch), time.time() + plan.warmup_s
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(generation.run(meter.read))
    return _result(plan, generation, meter, began)


class _Meter:
    """CPU seconds of this process and of the server, at the beginning and the end of measuring."""

    def __init__(self, server_pid: int | None) -> None:
        self._pid = server_pid
        self._read: list[tuple[float, float]] = []
        if server_pid is not None:
            cpu_seconds(server_pid)

    def read(self) -> None:
        server = 0.0
        if self._pid is not None:
            try:
                server = cpu_seconds(self._pid)
            except InvalidRequest:  # it ended meanwhile: what was measured is kept, but for this
                self._pid = None
        self._read.append((time.process_time(), server))

    @property
    def own_s(self) -> float:
        return self._read[-1][0] - self._read[0][0]

    @property
    def server_s(self) -> float | None:
        return None if self._pid is None else self._read[-1][1] - self._read[0][1]


def _loop_factory() -> "Callable[[], asyncio.AbstractEventLoop] | None":
    """Return uvloop's loop where there is one: a third of the CPU time of asyncio's own."""
    if find_spec("uvloop") is None:
        return None
    import uvloop

    made: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return made


def _result(plan: Plan, generation: "Generation", meter: _Meter, began: float) -> Result:
    samples = generation.samples
    lasted_s = max(1e-9, generation.stopped - samples.begins)
    due = len(samples.latencies) + len(samples.failed_ends) + generation.unfinished
    per_request = 1e6 / max(1, samples.ended_while_sending)
    server_s = meter.server_s
    return Result(
        target=plan.target.name,
        shape=str(plan.shape),
        began=began,
        lasted_s=lasted_s,
        answered=len(samples.latencies),
        failed=len(samples.failed_ends),
        unfinished=generation.unfinished,
        interrupted=generation.interrupted,
        is_open_loop=isinstance(plan.shape, Open),
        offered=due / lasted_s,
        rate=samples.answered_while_sending / lasted_s,
        latency=Latencies.of(samples.latencies),
        first_byte=Latencies.of(samples.first_bytes),
        sent_bytes=samples.sent_bytes,
        received_bytes=samples.received_bytes,
        errors=samples.errors(),
        timeline=bins(samples.ends, samples.latencies, samples.failed_ends, lasted_s),
        generator=_generator(generation, samples, meter.own_s, lasted_s),
        server_cpu_us=None if server_s is None else server_s * per_request,
        server_cores=None if server_s is None else server_s / lasted_s,
    )


def _generator(
    generation: "Generation", samples: Samples, cpu_s: float, lasted_s: float
) -> Generator:
    return Generator(
        lag=Latencies.of(samples.lags),
        cpu_us=cpu_s * 1e6 / max(1, samples.ended_while_sending),
        cpu_share=cpu_s / lasted_s,
        connections=generation.opened,
    )
