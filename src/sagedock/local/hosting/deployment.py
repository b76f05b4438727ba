"""How an update goes from the old fleet to the new one: the steps of a DeploymentConfig.

Sources: https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails.html and the pages
below it; the service's model (BlueGreenUpdatePolicy, RollingUpdatePolicy).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count, takewhile
from typing import Any

from sagedock.local.hosting.plan import Plan

__all__ = ["Course", "Step", "course_of", "is_at_once"]

Document = Mapping[str, Any]

_PERCENT = 100


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step: by variant, how many of the new instances get requests, and what share of them.

    Then alarms are watched for ``wait_s`` seconds. ``capacity`` is what the service calls it.
    """

    turned_on: Mapping[str, int]
    shares: Mapping[str, float]
    wait_s: int
    capacity: str = "full"


@dataclass(frozen=True, kw_only=True)
class Course:
    """All steps of an update. Where it ``rolls``, each starts its instances, and stops as large a
    part of the old ones afterwards; else all new ones are started first. ``alarms`` end it, by
    name, and so does its taking longer than ``longest_s`` seconds.
    """

    steps: tuple[Step, ...]
    rolls: bool = False
    alarms: tuple[str, ...] = ()
    longest_s: int | None = None

    def started(self, plan: Plan) -> Plan:
        """Return the plan of what is started before anything is turned on."""
        return _sized(plan, self.steps[0].turned_on) if self.rolls else plan

    def grown(self, plan: Plan, step: Step) -> Plan:
        """Return the plan of the new instances at a step."""
        return _sized(plan, step.turned_on)

    def shrunk(self, old: Plan, new: Plan, step: Step) -> Plan:
        """Return the plan of the old instances that are left after a step: as many as the new ones
        do not stand for yet.
        """
        left = {}
        for each in old.variants:
            wanted = new.variant(each.name)
            total = wanted.count if wanted else 0
            lacking = total - step.turned_on.get(each.name, 0)
            left[each.name] = -(-each.count * lacking // total) if total else 0
        return _sized(old, left)


def is_at_once(deployment: Document, plan: Plan) -> bool:
    """Say whether an update to ``plan`` has one step.

    So it has where it should roll and cannot: the guide's "Exclusions" (several variants, a
    serverless one).
    """
    if deployment.get("RollingUpdatePolicy"):
        return _cannot_roll(plan)
    policy = deployment.get("BlueGreenUpdatePolicy") or {}
    routing = policy.get("TrafficRoutingConfiguration")
    return not routing or routing["Type"] == "ALL_AT_ONCE"


def course_of(deployment: Document, plan: Plan) -> Course:
    """Return how an update to ``plan`` goes that is asked for with ``deployment``. What cannot roll
    is shifted at once, and not watched.
    """
    alarms = (deployment.get("AutoRollbackConfiguration") or {}).get("Alarms") or ()
    names = tuple(each["AlarmName"] for each in alarms)
    if rolling := deployment.get("RollingUpdatePolicy"):
        if _cannot_roll(plan):
            return Course(steps=(_whole(plan, 0),))
        wait_s = rolling["WaitIntervalInSeconds"]
        return Course(
            steps=tuple(_rolled(plan, rolling["MaximumBatchSize"], wait_s)),
            rolls=True,
            alarms=names,
            longest_s=rolling.get("MaximumExecutionTimeoutInSeconds"),
        )
    policy = deployment.get("BlueGreenUpdatePolicy") or {}
    return Course(
        steps=tuple(_shifts(plan, policy)),
        alarms=names,
        longest_s=policy.get("MaximumExecutionTimeoutInSeconds"),
    )


def _cannot_roll(plan: Plan) -> bool:
    return len(plan.variants) > 1 or plan.variants[0].serverless is not None


def _shifts(plan: Plan, policy: Document) -> Iterator[Step]:
    routing = policy.get("TrafficRoutingConfiguration") or {"Type": "ALL_AT_ONCE"}
    if routing["Type"] == "CANARY":
        yield _part(plan, routing["CanarySize"], 1, routing["WaitIntervalInSeconds"], "canary")
    elif routing["Type"] == "LINEAR":
        size, wait_s = routing["LinearStepSize"], routing["WaitIntervalInSeconds"]
        parts = (_part(plan, size, number, wait_s, "linear") for number in count(1))
        yield from takewhile(lambda step: min(step.shares.values()) < 1, parts)
    yield _whole(plan, policy.get("TerminationWaitInSeconds", 0))


def _rolled(plan: Plan, size: Document, wait_s: int) -> Iterator[Step]:
    parts = (_part(plan, size, number, wait_s, "rolling") for number in count(1))
    last = _whole(plan, wait_s)
    yield from takewhile(lambda step: step.turned_on != last.turned_on, parts)
    yield last


def _part(plan: Plan, size: Document, number: int, wait_s: int, capacity: str) -> Step:
    """Return the step with ``number`` times a size on.

    A percentage is the share of the requests, too, and at least one instance; a number of
    instances takes the share that it is of all. Both, and what the service calls any part but a
    canary, are unverified.
    """
    percent = min(number * int(size["Value"]), _PERCENT)
    turned_on, shares = {}, {}
    for each in plan.variants:
        if size["Type"] == "INSTANCE_COUNT":
            turned_on[each.name] = min(number * int(size["Value"]), each.count)
            shares[each.name] = turned_on[each.name] / each.count if each.count else 1.0
        else:
            turned_on[each.name] = min(each.count, max(1, each.count * percent // _PERCENT))
            shares[each.name] = percent / _PERCENT
    return Step(turned_on=turned_on, shares=shares, wait_s=wait_s, capacity=capacity)


def _whole(plan: Plan, wait_s: int) -> Step:
    return Step(
        turned_on={each.name: each.count for each in plan.variants},
        shares={each.name: 1.0 for each in plan.variants},
        wait_s=wait_s,
    )


def _sized(plan: Plan, counts: Mapping[str, int]) -> Plan:
    return plan.with_desires({name: {"DesiredInstanceCount": n} for name, n in counts.items()})
