"""From alarms that act to what their policies wish."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from sagedock.api.scaling import DEFAULT_COOLDOWN_S
from sagedock.local.autoscaling.alarm_documents import policy_of_action
from sagedock.local.autoscaling.alarm_watch import Fired
from sagedock.local.autoscaling.book import World, owner
from sagedock.local.autoscaling.capacity import aggregated, stepped, tracked
from sagedock.local.autoscaling.decision import Wish
from sagedock.local.autoscaling.fleets import ScalableResource
from sagedock.local.resources import Resource

__all__ = ["low_alarms", "wishes"]

_STEP = "StepScalingPolicyConfiguration"
_TRACKING = "TargetTrackingScalingPolicyConfiguration"


def wishes(world: World, fired: Iterable[Fired]) -> dict[ScalableResource, list[Wish]]:
    """Return what the policies of alarms that act wish, by the resource they are about."""
    policies = {each.document["PolicyARN"]: each for each in world.policies}
    found: dict[ScalableResource, list[Wish]] = {}
    for each in fired:
        for action in each.alarm.document["AlarmActions"]:
            policy = policies.get(policy_of_action(action))
            if policy is not None and (wish := _wish(policy, each)):
                found.setdefault(owner(policy), []).append(wish)
    return found


def low_alarms(policies: Iterable[Resource]) -> list[str]:
    """Return the names of the alarms by which target tracking scales in."""
    return [
        alarm["AlarmName"]
        for policy in policies
        for alarm in policy.document.get("Alarms", ())
        if _TRACKING in policy.document and "-AlarmLow-" in alarm["AlarmName"]
    ]


def _wish(policy: Resource, fired: Fired) -> Wish | None:
    """Return what a policy wishes; None without data, or where no step holds."""
    document = policy.document
    if not fired.values:
        return None
    if tracking := document.get(_TRACKING):
        target = tracking["TargetValue"]
        return _made(
            policy,
            fired,
            partial(tracked, values=fired.values, target=target, out=fired.rule.above),
            out_s=tracking.get("ScaleOutCooldown", DEFAULT_COOLDOWN_S),
            in_s=tracking.get("ScaleInCooldown", DEFAULT_COOLDOWN_S),
        )
    step = document[_STEP]
    change = _step_change(step, fired)
    if change is None:
        return None
    cooldown_s = step.get("Cooldown", DEFAULT_COOLDOWN_S)
    return _made(policy, fired, change, out_s=cooldown_s, in_s=cooldown_s)


def _step_change(step: Mapping[str, Any], fired: Fired) -> Callable[[int], int] | None:
    value = aggregated(fired.values, step.get("MetricAggregationType", "Average"))
    beyond = value - fired.rule.threshold
    if stepped(0, step, beyond, above=fired.rule.above) is None:
        return None

    def change(base: int) -> int:
        found = stepped(base, step, beyond, above=fired.rule.above)
        return base if found is None else found

    return change


def _made(
    policy: Resource, fired: Fired, capacity: Callable[[int], int], *, out_s: float, in_s: float
) -> Wish:
    return Wish(
        policy=policy.document["PolicyName"],
        alarm=fired.alarm.key.name,
        capacity=capacity,
        out_cooldown_s=out_s,
        in_cooldown_s=in_s,
        tracking=_TRACKING in policy.document,
    )
