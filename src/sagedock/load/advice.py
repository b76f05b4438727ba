"""What to set, from what was measured: workers, batch size, autoscaling target; each says why."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sagedock.errors import InvalidRequest
from sagedock.load.sweeping import Goal, Level, Sweep

__all__ = ["Advice", "Known", "advise"]

#: How much of its cores a server may use before requests wait for the CPU.
_CPU_GOAL = 0.9
#: At how many requests under way a server is taken as not loaded.
_ALONE = 1.5
_SAFETY_FROM, _SAFETY_TO = 0.1, 1.0


@dataclass(frozen=True, kw_only=True)
class Known:
    """What a load test cannot see: the server's workers and cores, the endpoint's instances.

    ``safety_factor`` is which share of the rate found is aimed at; AWS advises to begin with 0.5.
    Source: docs.aws.amazon.com/sagemaker/latest/dg/endpoint-scaling-loadtest.html
    """

    workers: int | None = None
    cores: int | None = None
    instances: int = 1
    safety_factor: float = 0.5

    def problems(self) -> Iterator[str]:
        """Yield what is wrong."""
        for name in ("workers", "cores", "instances"):
            value = getattr(self, name)
            if value is not None and value < 1:
                yield f"{name}: {value} is less than 1"
        if not _SAFETY_FROM <= self.safety_factor <= _SAFETY_TO:
            yield (
                f"safety-factor: {self.safety_factor:g} is not between {_SAFETY_FROM:g} and "
                f"{_SAFETY_TO:g}: begin with 0.5"
            )


@dataclass(frozen=True, kw_only=True)
class Advice:
    """What to set; None where the measurements do not tell. ``why`` has a reason for each, by name.

    ``rate`` and ``load`` are those that the server sustains. ``invocations`` is the target of
    SageMakerVariantInvocationsPerInstance (per minute), ``concurrent_requests`` that of
    SageMakerVariantConcurrentRequestsPerModelHighResolution.
    """

    load: float | None = None
    rate: float | None = None
    workers: int | None = None
    batch: int | None = None
    invocations: int | None = None
    concurrent_requests: int | None = None
    why: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> Mapping[str, Any]:
        """Return it as JSON's types."""
        return asdict(self)


def advise(sweep: Sweep, goal: Goal, known: Known) -> Advice:
    """Return what to set. Raises InvalidRequest for what cannot be known so."""
    if problems := list(known.problems()):
        raise InvalidRequest(problems)
    level = sweep.sustained(goal)
    if level is None:
        return Advice(why={"rate": _missed(sweep, goal)})
    per_instance = level.result.rate / known.instances
    inflight = _under_way(level) / known.instances
    workers, why_workers = _workers(sweep, known)
    batch, why_batch = _batch(inflight, workers, goal)
    safety = known.safety_factor
    return Advice(
        load=level.load,
        rate=level.result.rate,
        workers=workers,
        batch=batch,
        invocations=max(1, math.floor(per_instance * safety * 60)),
        concurrent_requests=max(1, math.floor(inflight * safety)),
        why={
            "rate": _why_rate(sweep, level, goal),
            "workers": why_workers,
            "batch": why_batch,
            "invocations": f"{per_instance:.1f} requests/s per instance x {safety:g} (safety "
            "factor) x 60 s",
            "concurrent_requests": f"{inflight:.1f} requests under way per instance (rate x mean "
            f"latency) x {safety:g}",
        },
    )


def _under_way(level: Level) -> float:
    """Return how many requests were under way on average: Little's law."""
    latency = level.result.latency
    return level.result.rate * latency.mean_ms / 1000 if latency else 0.0


def _why_rate(sweep: Sweep, level: Level, goal: Goal) -> str:
    what = f"{sweep.axis} {level.load:g}"
    if len(sweep.levels) == 1:
        return f"{what}, the only load tried: it may be more, --sweep finds out"
    if goal.latency_ms is None:
        return f"{what}: at the knee, where answers per second by latency are most"
    last = " (the highest load tried: it may be more)" if level is sweep.levels[-1] else ""
    return f"{what}: the most with p{goal.percent:g} within {goal.latency_ms:g} ms{last}"


def _missed(sweep: Sweep, goal: Goal) -> str:
    least = sweep.levels[0]
    latency = least.result.latency
    found = f"p{goal.percent:g} {latency.at(goal.percent):.1f} ms" if latency else "no answer"
    return (
        f"no load met the goal: {sweep.axis} {least.load:g} gave {found} and "
        f"{least.result.failed_share:.1%} failures"
    )


def _workers(sweep: Sweep, known: Known) -> tuple[int | None, str]:
    """Return how many workers fill the cores: as many times today's as there is CPU time left."""
    alone, peak = sweep.levels[0], sweep.peak.result
    if alone.result.latency is None or _under_way(alone) > _ALONE:
        return known.workers, "unknown: the lowest load must be one request at a time (--sweep)"
    service_s = alone.result.latency.p50_ms / 1000
    busy = peak.rate / known.instances * service_s
    said = (
        f"{peak.rate / known.instances:.1f} requests/s per instance x {service_s * 1000:.1f} ms "
        f"alone = {busy:.1f} busy at once"
    )
    if peak.server_cores is None or known.cores is None or peak.server_cores <= 0:
        return known.workers or max(1, math.ceil(round(busy, 1))), (
            f"{said}: today's; whether more would help, its CPU time tells (--pid, --cores)"
        )
    most = _CPU_GOAL * known.cores
    wanted = max(1, math.floor(busy * most / peak.server_cores + 0.5))
    return wanted, (
        f"{said}, with {peak.server_cores:.2f} of {known.cores} cores used: that fills "
        f"{_CPU_GOAL:.0%} of them"
    )


def _batch(under_way: float, workers: int | None, goal: Goal) -> tuple[int | None, str]:
    """Return the largest batch that could form: what is under way, by the workers."""
    if workers is None:
        return None, "unknown, as the workers are (--workers)"
    size = max(1, math.ceil(round(under_way / workers, 1)))
    why = f"{under_way:.1f} requests under way by {workers} workers: no larger batch could form"
    if goal.latency_ms is not None and size > 1:
        why += f"; one must be done in {goal.latency_ms / 2:g} ms, as the next waits for it"
    return size, why
