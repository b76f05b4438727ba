"""When a tuning job is over, and how: by what its trials reached, and by the time."""

import itertools
from collections.abc import Sequence
from typing import Any

import pytest

from sagedock.local.tuning.definitions import Definition
from sagedock.local.tuning.limits import Limits, Outcome, has_converged, not_improving, verdict
from sagedock.local.tuning.trial import Trial
from sagedock.search import Space

NUMBERS = itertools.count(1)


def definition(*, maximize: bool = False) -> Definition:
    return Definition(
        name=None, metric="m", maximize=maximize, space=Space(ranges=[]), body={}, hyperband=None
    )


MINIMIZE, MAXIMIZE = [definition()], [definition(maximize=True)]


def trial(objective: float | None, status: str = "Completed", **more: Any) -> Trial:
    number = next(NUMBERS)
    return Trial(
        number=number,
        name=f"t-{number}",
        arn="arn",
        definition=0,
        values={},
        created=float(number),
        is_created=True,
        status=status,
        ended=float(number),
        objective=objective,
        **more,
    )


def trials(*objectives: float | None) -> list[Trial]:
    return [trial(each) for each in objectives]


def limits(**criteria: Any) -> Limits:
    config: dict[str, Any] = {
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 100, "MaxParallelTrainingJobs": 2},
        "TuningJobCompletionCriteria": criteria,
    }
    return Limits.of({"HyperParameterTuningJobConfig": config})


COMPLETED = Outcome(status="Completed")


def judged(
    found: Sequence[Trial],
    these: Limits,
    definitions: Sequence[Definition] = MINIMIZE,
    **more: Any,
) -> Outcome | None:
    return verdict(these, found, definitions, **{"runs_s": 0.0, **more})


@pytest.mark.parametrize(
    ("definitions", "objectives", "is_over"),
    [
        (MINIMIZE, [0.5, 0.11], False),
        (MINIMIZE, [0.5, 0.1], True),
        (MAXIMIZE, [0.09], False),
        (MAXIMIZE, [0.0, 0.1], True),
    ],
)
def test_the_target_is_enough(
    definitions: list[Definition], objectives: list[float], is_over: bool
) -> None:
    found = judged(trials(*objectives), limits(TargetObjectiveMetricValue=0.1), definitions)
    assert (found == COMPLETED) is is_over


def test_so_many_without_a_gain_of_one_percent_are_enough() -> None:
    stale = limits(BestObjectiveNotImproving={"MaxNumberOfTrainingJobsNotImproving": 3})
    assert judged(trials(1.0, 0.995, 0.995), stale) is None
    assert judged(trials(1.0, 0.995, 0.995, 0.98), stale) is None
    assert judged(trials(1.0, 0.995, 2.0, 0.991), stale) == COMPLETED


def test_what_does_not_improve_is_counted_from_the_last_gain() -> None:
    assert not_improving([], MINIMIZE) == 0
    assert not_improving(trials(1.0), MINIMIZE) == 0
    assert not_improving(trials(1.0, 0.5, 0.6, None, 0.499), MINIMIZE) == 2
    assert not_improving(trials(-1.0, -0.5, -2.0, -3.0), MAXIMIZE) == 2
    assert not_improving(trials(-1.0, -1.005, -1.02), MINIMIZE) == 0


def test_convergence_is_half_of_all_and_ten_at_least_without_a_gain() -> None:
    converges = limits(ConvergenceDetected={"CompleteOnConvergence": "Enabled"})
    ignored = limits(ConvergenceDetected={"CompleteOnConvergence": "Disabled"})
    flat = trials(*[1.0] * 11)
    assert has_converged(flat, MINIMIZE)
    assert not has_converged(flat[:-1], MINIMIZE)
    assert judged(flat, converges) == COMPLETED
    assert judged(flat, ignored) is None
    long = trials(*[2.0**-each for each in range(30)], *[1.0] * 15)
    assert not has_converged(long, MINIMIZE)


def test_a_job_is_over_when_all_ran_and_none_runs() -> None:
    three = limits()
    three = Limits(**{**three.__dict__, "jobs": 3})
    assert judged([*trials(1.0, 1.0), trial(None, "InProgress")], three) is None
    assert judged(trials(1.0, 1.0, None), three) == COMPLETED
    assert judged(trials(1.0), limits(), is_exhausted=True) == COMPLETED
    assert judged([], limits(), is_exhausted=True) == COMPLETED


def test_the_time_is_over() -> None:
    timed = Limits(**{**limits().__dict__, "runtime_s": 120.0})
    assert judged(trials(1.0), timed, runs_s=119.9) is None
    assert judged(trials(1.0), timed, runs_s=120.0) == Outcome(status="Stopped")


def test_five_failures_without_a_success_are_enough() -> None:
    failed = [trial(None, "Failed") for _ in range(5)]
    assert judged(failed[:4], limits()) is None
    found = judged(failed, limits())
    assert found is not None
    assert found.status == "Failed"
    assert found.reason == (
        "No training job succeeded after 5 attempts. Please take a look at the training job "
        "failures to get more details."
    )
    assert judged([*failed, *trials(1.0)], limits()) is None


def test_a_job_without_a_number_has_seven_hundred_and_fifty() -> None:
    config = {"ResourceLimits": {"MaxParallelTrainingJobs": 1}}
    assert Limits.of({"HyperParameterTuningJobConfig": config}).jobs == 750
