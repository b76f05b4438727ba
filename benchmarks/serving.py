"""The native model server against others: CPU for each answer, answers a second, latencies.

Every server runs the same models with two model processes, in a container of its own that stands
still while others are measured. Rounds are interleaved, and our server is in them twice: how far
the two differ is what this machine's noise can do. Needs `wrk`: Debian's package of that name.
"""

import shutil
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from benchmarks.peers import OURS, PEERS, Load, Server, bare, built, loaded, running
from benchmarks.table import Row

__all__ = ["rows"]

_ROUNDS, _SECONDS = 6, 3.0
_AGAIN = replace(OURS, name="sagedock again")
_MMS, _LITSERVE = "mms", "litserve"

Found = Mapping[str, Sequence[Load]]


@dataclass(frozen=True, kw_only=True)
class Work:
    """A model, and how many ask for it at once."""

    model: str
    callers: int

    def __str__(self) -> str:
        return f"{self.model} c={self.callers}"


def rows() -> list[Row]:
    """Measure every load of every server that can be run here."""
    if shutil.which("wrk") is None:
        sys.exit("the benchmark serving needs wrk: apt-get install wrk")
    servers = [built(each) for each in (OURS, _AGAIN, *PEERS)]
    found: list[Row] = []
    echo = _measured(servers, "echo", [8, 64])
    for callers in (8, 64):
        found += _cpu(Work(model="echo", callers=callers), echo[callers], {_MMS: 1 / 4})
    mlp = _measured(servers, "mlp", [32])[32]
    work = Work(model="mlp", callers=32)
    found += _cpu(work, mlp, {_MMS: 1 / 4, _LITSERVE: 1 / 8})
    found += _rate(work, mlp, {_MMS: 4.0})
    found.append(_tail(work, mlp))
    conv = _measured(servers, "conv", [1, 32])
    found += _rate(Work(model="conv", callers=32), conv[32], {_MMS: 1.9, _LITSERVE: 1.1})
    found.append(_of_the_bare_loop(conv[32]))
    found.append(_alone(conv[1]))
    return found


def _measured(servers: Sequence[Server], model: str, loads: Sequence[int]) -> Mapping[int, Found]:
    """Return what each server did under each load, round by round."""
    found: dict[int, dict[str, list[Load]]] = {callers: {} for callers in loads}
    with ExitStack() as stack:
        up = {}
        for server in servers:
            try:
                up[server.name] = stack.enter_context(running(server, model))
            except RuntimeError as error:
                print(f"  {server.name} is left out: {error}", file=sys.stderr, flush=True)
                continue
            up[server.name].pause()
        for number in range(_ROUNDS):
            for name in _turned(list(up), number):
                up[name].unpause()
                for callers in loads:
                    load = loaded(up[name], model, callers, _SECONDS)
                    found[callers].setdefault(name, []).append(load)
                up[name].pause()
            print(f"  {model}: round {number + 1} of {_ROUNDS}", file=sys.stderr, flush=True)
    return found


def _turned(names: list[str], number: int) -> list[str]:
    """Return the names in another order each round: none is always first."""
    at = number % len(names)
    return names[at:] + names[:at]


def _cpu(work: Work, found: Found, goals: Mapping[str, float]) -> list[Row]:
    """Compare the CPU for each answer with that of every other server."""
    return [
        _compared(f"{work}, CPU", found, name, lambda one: one.cpu_us, "us", goals.get(name), -1)
        for name in _others(found)
    ]


def _rate(work: Work, found: Found, goals: Mapping[str, float]) -> list[Row]:
    """Compare the answers a second with those of every other server."""
    return [
        _compared(f"{work}, answers", found, name, lambda one: one.rate, "/s", goals.get(name), 1)
        for name in _others(found)
    ]


def _others(found: Found) -> list[str]:
    return [name for name in found if name != OURS.name]


def _compared(
    what: str,
    found: Found,
    name: str,
    of: Callable[[Load], float],
    unit: str,
    goal: float | None,
    better: int,
) -> Row:
    """Return a row of the median of the rounds' ratios; ``better`` is 1 where more is."""
    mine, theirs = [of(one) for one in found[OURS.name]], [of(one) for one in found[name]]
    ratios = sorted(own / other for own, other in zip(mine, theirs, strict=True))
    ratio = statistics.median(ratios)
    return Row(
        what=what,
        ours=f"{statistics.median(mine):.0f} {unit}",
        against=f"{name}: {statistics.median(theirs):.0f} {unit}",
        ratio=f"{ratio:.2f}x ({ratios[0]:.2f} to {ratios[-1]:.2f})",
        goal="-" if goal is None else f"{goal:.3g}x",
        met=None if goal is None else better * ratio >= better * goal,
    )


def _tail(work: Work, found: Found) -> Row:
    """Compare the 99th percentile with the best of the others."""
    p99 = {name: statistics.median(one.p99_ms for one in loads) for name, loads in found.items()}
    own = p99[OURS.name]
    best = min((name for name in p99 if name not in (OURS.name, _AGAIN.name)), key=p99.__getitem__)
    return Row(
        what=f"{work}, p99",
        ours=f"{own:.1f} ms",
        against=f"{best}: {p99[best]:.1f} ms",
        ratio=f"{own / p99[best]:.2f}x",
        goal="below every other's",
        met=own < p99[best],
    )


def _of_the_bare_loop(found: Found) -> Row:
    limit = statistics.median(bare("conv", batch=8) for _ in range(3))
    rate = statistics.median(one.rate for one in found[OURS.name])
    return Row(
        what="conv c=32, answers",
        ours=f"{rate:.0f} /s",
        against=f"bare loop, batches of 8: {limit:.0f} /s",
        ratio=f"{rate / limit:.2f}x",
        goal="0.85x",
        met=rate >= 0.85 * limit,
    )


def _alone(found: Found) -> Row:
    """One caller: what the server adds to the model's own time in one process."""
    each_ms = statistics.median(1000 / bare("conv", batch=1, processes=1) for _ in range(3))
    own = statistics.median(one.p50_ms for one in found[OURS.name])
    most = 1.1 * each_ms + 0.5
    return Row(
        what="conv c=1, p50",
        ours=f"{own:.2f} ms",
        against=f"bare loop: {each_ms:.2f} ms",
        ratio=f"+{own - each_ms:.2f} ms",
        goal=f"{most:.2f} ms",
        met=own <= most,
    )
