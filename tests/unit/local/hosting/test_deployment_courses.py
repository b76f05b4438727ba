"""The steps that a DeploymentConfig means."""

from typing import Any

import pytest

from sagedock.local.hosting.deployment import Course, course_of, is_at_once
from sagedock.local.hosting.plan import ContainerPlan, Plan, VariantPlan


def plan(*counts: int, **more: Any) -> Plan:
    container = ContainerPlan(
        image="i", image_id="i", resolved="i", resolved_at=0, environment={}, data=None
    )
    variants = tuple(
        VariantPlan(
            name=f"v{number}",
            containers=(container,),
            isolated=False,
            instance_type="ml.m5.large",
            count=count,
            weight=1,
            strategy="RANDOM",
            download_s=1,
            startup_s=1,
            **more,
        )
        for number, count in enumerate(counts)
    )
    return Plan(fleet="f", config="c", variants=variants)


def routing(kind: str, size: tuple[str, int] | None = None, **more: Any) -> dict[str, Any]:
    names = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}
    sizes = {names[kind]: {"Type": size[0], "Value": size[1]}} if size else {}
    told = {"Type": kind, "WaitIntervalInSeconds": 300, **sizes}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": told, **more}}


def rolling(kind: str, value: int) -> dict[str, Any]:
    size = {"Type": kind, "Value": value}
    return {"RollingUpdatePolicy": {"MaximumBatchSize": size, "WaitIntervalInSeconds": 60}}


def told(course: Course, name: str = "v0") -> list[tuple[int, float, int]]:
    return [(each.turned_on[name], each.shares[name], each.wait_s) for each in course.steps]


@pytest.mark.parametrize(
    ("deployment", "count", "steps"),
    [
        pytest.param({}, 3, [(3, 1.0, 0)], id="nothing-asked"),
        pytest.param(
            routing("ALL_AT_ONCE", TerminationWaitInSeconds=60), 3, [(3, 1.0, 60)], id="at-once"
        ),
        pytest.param(
            routing("CANARY", ("INSTANCE_COUNT", 1), TerminationWaitInSeconds=60),
            4,
            [(1, 0.25, 300), (4, 1.0, 60)],
            id="canary-of-one",
        ),
        pytest.param(
            routing("CANARY", ("CAPACITY_PERCENT", 30)),
            10,
            [(3, 0.3, 300), (10, 1.0, 0)],
            id="canary-in-percent",
        ),
        pytest.param(
            routing("CANARY", ("CAPACITY_PERCENT", 30)),
            1,
            [(1, 0.3, 300), (1, 1.0, 0)],
            id="canary-of-the-only-one",
        ),
        pytest.param(
            routing("LINEAR", ("CAPACITY_PERCENT", 50), TerminationWaitInSeconds=9),
            4,
            [(2, 0.5, 300), (4, 1.0, 9)],
            id="two-halves",
        ),
        pytest.param(
            routing("LINEAR", ("CAPACITY_PERCENT", 40)),
            10,
            [(4, 0.4, 300), (8, 0.8, 300), (10, 1.0, 0)],
            id="a-smaller-last-step",
        ),
        pytest.param(
            routing("LINEAR", ("INSTANCE_COUNT", 2)),
            5,
            [(2, 0.4, 300), (4, 0.8, 300), (5, 1.0, 0)],
            id="two-and-two-and-one",
        ),
        pytest.param(
            rolling("INSTANCE_COUNT", 2),
            5,
            [(2, 0.4, 60), (4, 0.8, 60), (5, 1.0, 60)],
            id="rolling-by-two",
        ),
        pytest.param(rolling("CAPACITY_PERCENT", 50), 1, [(1, 1.0, 60)], id="rolling-the-only-one"),
    ],
)
def test_steps(deployment: dict[str, Any], count: int, steps: list[tuple[int, float, int]]) -> None:
    assert told(course_of(deployment, plan(count))) == steps


def test_each_variant_has_a_canary_of_its_own() -> None:
    course = course_of(routing("CANARY", ("CAPACITY_PERCENT", 50)), plan(2, 10))
    assert told(course) == [(1, 0.5, 300), (2, 1.0, 0)]
    assert told(course, "v1") == [(5, 0.5, 300), (10, 1.0, 0)]


def test_what_rolls_is_as_large_as_its_batches() -> None:
    deployment = rolling("INSTANCE_COUNT", 2)
    new, old = plan(5), plan(10)
    course = course_of(deployment, new)
    assert course.rolls
    assert [each.count for each in course.started(new).variants] == [2]
    grown = [course.grown(new, step).variants[0].count for step in course.steps]
    shrunk = [course.shrunk(old, new, step).variants[0].count for step in course.steps]
    assert (grown, shrunk) == ([2, 4, 5], [6, 2, 0])


@pytest.mark.parametrize(
    "what", [plan(2, 2), plan(0, serverless={"MaxConcurrency": 1})], ids=["two", "serverless"]
)
def test_what_cannot_roll_is_shifted_at_once_and_not_watched(what: Plan) -> None:
    deployment = {
        **rolling("INSTANCE_COUNT", 1),
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "a"}]},
    }
    course = course_of(deployment, what)
    assert is_at_once(deployment, what)
    assert len(course.steps) == 1
    assert (course.rolls, course.alarms, course.steps[0].wait_s) == (False, (), 0)
