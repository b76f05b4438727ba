"""The same test at one load after another, to find where a server's knee is."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, assert_never

from sagedock.errors import InvalidRequest
from sagedock.load.plan import Closed, Open, Plan, Shape
from sagedock.load.result import Result
from sagedock.load.running import run
from sagedock.load.statistics import PERCENTS

if TYPE_CHECKING:
    from sagedock.load.progress import Watch

__all__ = ["Axis", "Goal", "Level", "Levels", "Sweep", "sweep"]

Axis = Literal["concurrency", "rate"]

_FIRST: Mapping[Axis, float] = {"concurrency": 1, "rate": 8}
_MOST_LEVELS = 12
_GAIN = 1.05
_KEPT_UP = 0.95
_FAILED_MOST = 0.5


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What is good enough: ``percent`` of the answers within ``latency_ms``, and few failures."""

    latency_ms: float | None = None
    percent: float = 99.0
    failed_share: float = 0.01

    def problems(self) -> Iterator[str]:
        """Yield what is wrong."""
        if self.latency_ms is not None and not self.latency_ms > 0:
            yield f"latency-goal: {self.latency_ms:g} ms is not above 0"
        if self.percent not in PERCENTS:
            shown = ", ".join(f"{each:g}" for each in PERCENTS)
            yield f"percentile: {self.percent:g} is none of {shown}"

    def is_met_by(self, result: Result) -> bool:
        """Say whether a run was good enough; one of an open loop must have kept up, too."""
        if result.latency is None or result.failed_share > self.failed_share:
            return False
        if result.rate < _KEPT_UP * result.offered and result.is_open_loop:
            return False
        return self.latency_ms is None or result.latency.at(self.percent) <= self.latency_ms


@dataclass(frozen=True, kw_only=True)
class Level:
    """One load, users or requests per second, and what was found."""

    load: float
    result: Result

    @property
    def power(self) -> float:
        """Good answers per second, by their mean latency in seconds; 0 without any.

        Its maximum is the knee: from there on more load buys waiting, not answers. Source:
        Kleinrock, Power and deterministic rules of thumb for probabilistic problems in computer
        communications, 1979.
        """
        latency = self.result.latency
        return self.result.rate / (latency.mean_ms / 1000) if latency and latency.mean_ms else 0.0


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Levels of growing load, at least one."""

    axis: Axis
    levels: tuple[Level, ...]

    @property
    def knee(self) -> Level:
        """The level of most power."""
        return max(self.levels, key=lambda level: level.power)

    @property
    def peak(self) -> Level:
        """The level of most answers per second."""
        return max(self.levels, key=lambda level: level.result.rate)

    def sustained(self, goal: Goal) -> Level | None:
        """Return the level of most answers that meets the goal; up to the knee without a latency.

        None where no level meets it.
        """
        good = [level for level in self.levels if goal.is_met_by(level.result)]
        if goal.latency_ms is None:
            good = [level for level in good if level.load <= self.knee.load]
        return max(good, key=lambda level: level.result.rate, default=None)

    def as_json(self) -> Mapping[str, Any]:
        """Return it as JSON's types."""
        levels = [{"load": each.load, "result": each.result.as_json()} for each in self.levels]
        return {"axis": self.axis, "knee": self.knee.load, "peak": self.peak.load, "levels": levels}


@dataclass(frozen=True, kw_only=True)
class Levels:
    """Which loads are tried: those given, or doubling ones until answers grow no more."""

    axis: Axis
    loads: Sequence[float] | None = None

    @classmethod
    def parsed(cls, text: str) -> "Levels":
        """Return ``concurrency``, ``rate``, ``concurrency=1,2,4`` or ``rate=100,200`` as levels."""
        name, equals, numbers = text.partition("=")
        if name not in ("concurrency", "rate"):
            raise InvalidRequest([f"sweep: {text!r} is neither concurrency nor rate"])
        if not equals:
            return cls(axis=name)  # type: ignore[arg-type]
        try:
            loads = [float(each) for each in numbers.split(",")]
        except ValueError as error:
            raise InvalidRequest([f"sweep: {numbers!r} are no numbers: give 1,2,4,8"]) from error
        if name == "concurrency" and any(load % 1 for load in loads):
            raise InvalidRequest([f"sweep: {numbers!r}: users come whole: give 1,2,4,8"])
        return cls(axis=name, loads=sorted(set(loads)))  # type: ignore[arg-type]

    def shapes(self, first: Shape) -> Iterator[tuple[float, Shape]]:
        """Yield each load and its shape, made from ``first``; doubling ones at most 12."""
        doubling = [_FIRST[self.axis] * 2**number for number in range(_MOST_LEVELS)]
        for load in doubling if self.loads is None else self.loads:
            yield load, self._shape(load, first)

    def _shape(self, load: float, first: Shape) -> Shape:
        match self.axis:
            case "concurrency":
                return Closed(concurrency=int(load))
            case "rate":
                return replace(first, rate=load) if isinstance(first, Open) else Open(rate=load)
            case _:
                assert_never(self.axis)


def sweep(
    plan: Plan,
    levels: Levels,
    watch: "Watch | None" = None,
    found: Callable[[Level], None] = lambda _: None,
) -> Sweep:
    """Carry the plan out at one load after another; tell ``found`` of each.

    Doubling loads end as two in turn gave hardly more answers than the best before, or as half of
    the requests failed. Ctrl-C ends all; the level that was under way counts where it has answers.
    Raises as ``run`` does, before the first request.
    """
    plans = [(load, replace(plan, shape=shape)) for load, shape in levels.shapes(plan.shape)]
    if problems := [problem for _, each in plans for problem in each.problems()]:
        raise InvalidRequest(list(dict.fromkeys(problems)))
    done: list[Level] = []
    for load, each in plans:
        level = Level(load=load, result=run(each, watch))
        if level.result.interrupted and level.result.latency is None and done:
            break
        done.append(level)
        found(level)
        if level.result.interrupted or (levels.loads is None and _is_past_the_peak(done)):
            break
    return Sweep(axis=levels.axis, levels=tuple(done))


def _is_past_the_peak(levels: Sequence[Level]) -> bool:
    if levels[-1].result.failed_share > _FAILED_MOST:
        return True
    rates = [level.result.rate for level in levels]
    return len(rates) > 2 and max(rates[-2:]) < _GAIN * max(rates[:-2])
