"""Sweeps: where the knee is, what is sustained, when doubling ends."""

from collections.abc import Callable

import pytest

from sagedock.errors import InvalidRequest
from sagedock.load import Closed, Goal, Levels, Open, Plan, Sweep, UrlTarget, sweep
from sagedock.load.sweeping import Level
from tests.unit.load.made import ideal, level
from tests.unit.load.serving import after, serving


def test_the_knee_of_an_ideal_server_is_where_its_workers_are_all_busy() -> None:
    found = ideal(workers=4, service_ms=10, loads=(1, 2, 4, 8, 16))
    assert found.knee.load == 4
    assert found.peak.result.rate == 400


@pytest.mark.parametrize(("goal_ms", "load"), [(10, 4), (25, 8), (45, 16), (None, 4)])
def test_what_is_sustained_is_the_most_within_the_goal(goal_ms: float | None, load: float) -> None:
    """Beyond four users answers grow by one percent each, and latency by as much as users do."""
    levels = [
        level(load=users, rate=100 * min(users, 4) + users, latency_ms=10 * max(1, users / 4))
        for users in (1, 2, 4, 8, 16)
    ]
    found = Sweep(axis="concurrency", levels=tuple(levels)).sustained(Goal(latency_ms=goal_ms))
    assert found is not None
    assert found.load == load


def test_what_fails_or_does_not_keep_up_is_not_sustained() -> None:
    failing = level(load=2, rate=500, latency_ms=1, failed_share=0.02)
    behind = level(load=1000, rate=900, latency_ms=1, offered=1000, is_open_loop=True)
    kept_up = level(load=1000, rate=960, latency_ms=1, offered=1000, is_open_loop=True)
    goal = Goal(latency_ms=100)
    assert not goal.is_met_by(failing.result)
    assert Goal(latency_ms=100, failed_share=0.03).is_met_by(failing.result)
    assert not goal.is_met_by(behind.result)
    assert goal.is_met_by(kept_up.result)
    assert not goal.is_met_by(level(load=1, rate=0, latency_ms=None).result)
    assert Sweep(axis="rate", levels=(behind,)).sustained(goal) is None


def test_the_goal_is_for_its_percentile() -> None:
    result = level(load=1, rate=10, latency_ms=10, p99_ms=80).result
    assert not Goal(latency_ms=50).is_met_by(result)
    assert Goal(latency_ms=50, percent=90).is_met_by(result)


@pytest.mark.parametrize(
    ("text", "axis", "loads"),
    [
        ("concurrency", "concurrency", None),
        ("rate", "rate", None),
        ("concurrency=8,1,8", "concurrency", [1, 8]),
        ("rate=0.5,200", "rate", [0.5, 200]),
    ],
)
def test_levels_are_read(text: str, axis: str, loads: list[float] | None) -> None:
    assert Levels.parsed(text) == Levels(axis=axis, loads=loads)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", ["users", "concurrency=", "rate=1,x", "concurrency=1.5", "concurrency=nan", ""]
)
def test_other_levels_are_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="sweep: "):
        Levels.parsed(text)


def test_levels_become_shapes_and_keep_what_else_was_asked() -> None:
    first = Open(rate=1, arrivals="poisson", seed=3, most_connections=5)
    shapes = dict(Levels(axis="rate", loads=(2, 4)).shapes(first))
    assert shapes[4] == Open(rate=4, arrivals="poisson", seed=3, most_connections=5)
    doubling = dict(Levels(axis="concurrency").shapes(first))
    assert list(doubling) == [2**number for number in range(12)]
    assert doubling[8] == Closed(concurrency=8)


def test_a_level_that_cannot_be_is_told_before_the_first() -> None:
    pytest.importorskip("httptools")
    with serving() as server, pytest.raises(InvalidRequest, match="rate: 1e\\+09 is not"):
        sweep(Plan(target=UrlTarget(url=server.url())), Levels(axis="rate", loads=(1, 1e9)))
    assert server.connections == 0


def _swept(levels: Levels, found: Callable[[Level], None]) -> Sweep:
    with serving(after(0.02, workers=2)) as server:
        plan = Plan(target=UrlTarget(url=server.url()), duration_s=0.5, warmup_s=0.1, timeout_s=30)
        return sweep(plan, levels, found=found)


def test_a_server_of_two_workers_is_seen_to_have_two() -> None:
    pytest.importorskip("httptools")
    for _ in range(3):  # a machine that stalls has another knee, but not each time
        seen: list[Level] = []
        found = _swept(Levels(axis="concurrency"), seen.append)
        if found.knee.load in (2, 4):
            break
    assert tuple(seen) == found.levels
    assert [each.load for each in found.levels[:4]] == [1, 2, 4, 8]
    assert len(found.levels) < 8  # doubling ended: there was nothing to be gained
    assert found.knee.load in (2, 4)
    assert found.peak.result.rate < 101


def test_doubling_ends_where_half_of_the_requests_fail() -> None:
    pytest.importorskip("httptools")
    with serving() as server:
        pass
    plan = Plan(target=UrlTarget(url=server.url()), duration_s=0.2)
    assert len(sweep(plan, Levels(axis="rate")).levels) == 1
