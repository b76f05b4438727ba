"""What to set, from sweeps whose truth is known."""

import pytest

from sagedock.errors import InvalidRequest
from sagedock.load import Goal, Known, Sweep, advise
from tests.unit.load.made import ideal, level

LOADS = (1.0, 2.0, 4.0, 8.0, 16.0)


def test_the_autoscaling_target_is_the_formula_of_aws() -> None:
    """Source: endpoint-scaling-loadtest: (MAX_RPS * SAFETY_FACTOR) * 60."""
    found = advise(ideal(workers=1, service_ms=50, loads=LOADS), Goal(), Known(safety_factor=0.5))
    assert found.rate == 20
    assert found.invocations == 600
    assert found.why["invocations"] == "20.0 requests/s per instance x 0.5 (safety factor) x 60 s"


def test_targets_are_for_one_instance() -> None:
    sweep = ideal(workers=8, service_ms=100, loads=LOADS)
    found = advise(sweep, Goal(latency_ms=200), Known(instances=4, safety_factor=0.7))
    assert (found.load, found.rate) == (8, 80)
    assert found.invocations == 80 / 4 * 0.7 * 60
    assert found.concurrent_requests == 1  # 8 users at 4 instances, times 0.7
    assert found.workers == 2


def test_workers_are_what_littles_law_tells() -> None:
    found = advise(ideal(workers=4, service_ms=10, loads=LOADS), Goal(), Known())
    assert found.workers == 4
    assert (
        "400.0 requests/s per instance x 10.0 ms alone = 4.0 busy at once" in found.why["workers"]
    )


@pytest.mark.parametrize(
    ("cores_each", "cores", "workers"),
    [
        (1.0, 4, 4),  # as many as cores, when each fills one: 3.6 by the goal of 90 %
        (0.25, 4, 14),  # they wait for something else three quarters of their time
        (1.0, 16, 14),
    ],
)
def test_workers_are_as_many_as_the_cores_can_carry(
    cores_each: float, cores: int, workers: int
) -> None:
    sweep = ideal(workers=4, service_ms=10, loads=LOADS, cores_each=cores_each)
    assert advise(sweep, Goal(), Known(cores=cores)).workers == workers


def test_a_batch_is_no_larger_than_what_is_under_way_for_each_worker() -> None:
    sweep = ideal(workers=2, service_ms=10, loads=LOADS)
    at_knee = advise(sweep, Goal(), Known())
    assert (at_knee.load, at_knee.batch) == (2, 1)
    deeper = Sweep(
        axis="concurrency",
        levels=(*sweep.levels[:1], level(load=16, rate=201, latency_ms=79.6)),
    )
    found = advise(deeper, Goal(latency_ms=80), Known())
    assert (found.workers, found.batch) == (2, 8)  # 16 users, two of whom are served at once
    assert "must be done in 40 ms" in found.why["batch"]


@pytest.mark.parametrize("latency_ms", [0.0, 0.001, 1.0])
def test_a_server_with_hardly_anything_to_do_has_one_worker(latency_ms: float) -> None:
    idle = Sweep(axis="rate", levels=(level(load=8, rate=8, latency_ms=latency_ms),))
    found = advise(idle, Goal(), Known())
    assert (found.workers, found.batch, found.concurrent_requests) == (1, 1, 1)


def test_one_load_tells_little_and_says_so() -> None:
    one = Sweep(axis="concurrency", levels=(level(load=8, rate=100, latency_ms=80),))
    found = advise(one, Goal(), Known())
    assert (found.workers, found.batch) == (None, None)
    assert "--sweep" in found.why["rate"]
    told = advise(one, Goal(), Known(workers=2))
    assert (told.workers, told.batch) == (2, 4)


def test_where_no_load_meets_the_goal_nothing_is_advised() -> None:
    found = advise(ideal(workers=1, service_ms=50, loads=LOADS), Goal(latency_ms=20), Known())
    assert (found.rate, found.workers, found.batch, found.invocations) == (None,) * 4
    assert found.why == {
        "rate": "no load met the goal: concurrency 1 gave p99 50.0 ms and 0.0% failures"
    }


def test_the_highest_load_tried_may_not_be_the_most() -> None:
    sweep = ideal(workers=64, service_ms=10, loads=LOADS)
    assert "it may be more" in advise(sweep, Goal(latency_ms=50), Known()).why["rate"]


def test_what_cannot_be_is_refused_at_once() -> None:
    known = Known(workers=0, cores=-1, instances=0, safety_factor=60)
    with pytest.raises(InvalidRequest) as refused:
        advise(ideal(workers=1, service_ms=1, loads=(1.0,)), Goal(), known)
    fields = [problem.partition(":")[0] for problem in refused.value.problems]
    assert fields == ["workers", "cores", "instances", "safety-factor"]
