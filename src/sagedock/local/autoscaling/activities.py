"""Scaling activities, in the service's words.

Sources: activities of endpoints that people published (``Setting desired instance count to 48.``),
row 116 of the rest, and https://docs.aws.amazon.com/autoscaling/application/userguide/
application-auto-scaling-scaling-activities.html and scheduled-scaling-additional-cli-commands.html.
"""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sagedock.api.scaling import NAMESPACE
from sagedock.local.autoscaling.fleets import ScalableResource
from sagedock.local.resources import Key, Resource

__all__ = ["ACTIVITY", "begun", "bounds_set", "ended", "failed", "not_scaled", "pending"]

#: The kind that activities are in the store.
ACTIVITY = "scaling-activity"


def pending(
    resource: ScalableResource, capacity: int, cause: str, now_s: float, plan: Mapping[str, Any]
) -> Resource:
    """Return an activity that is about to set a capacity. ``plan`` is remembered for its end."""
    words = resource.kind.words
    return _activity(
        resource,
        now_s,
        {"Description": f"Setting {words} to {capacity}.", "Cause": cause, "StatusCode": "Pending"},
        {**plan, "capacity": capacity},
    )


def begun(activity: Resource, resource: ScalableResource) -> Resource:
    """Return it once the resource has taken the number."""
    return _with(activity, "InProgress", f"{_success(activity, resource)} {_WAITING}")


def ended(activity: Resource, resource: ScalableResource, now_s: float) -> Resource:
    """Return it once the resource has that many copies."""
    return _with(activity, "Successful", f"{_success(activity, resource)} {_FULFILLED}", now_s)


def failed(
    activity: Resource, resource: ScalableResource, now_s: float, why: str, status: str = "Failed"
) -> Resource:
    """Return it as one that failed, or was not fulfilled, because of ``why``."""
    capacity, words = activity.request["capacity"], resource.kind.words
    return _with(activity, status, f"Failed to set {words} to {capacity}. Reason: {why}", now_s)


def bounds_set(
    resource: ScalableResource, action: str, bounds: Mapping[str, int], now_s: float
) -> Resource:
    """Return the activity of a scheduled action. The words for a single bound are unverified."""
    named = (("MinCapacity", "min capacity"), ("MaxCapacity", "max capacity"))
    text = " and ".join(f"{words} to {bounds[name]}" for name, words in named if name in bounds)
    return _activity(
        resource,
        now_s,
        {
            "Description": f"Setting {text}",
            "Cause": f"scheduled action name {action} was triggered",
            "StatusCode": "Successful",
            "StatusMessage": f"Successfully set {text}",
        },
        {},
    )


def not_scaled(
    resource: ScalableResource, cause: str, reason: Mapping[str, Any], now_s: float
) -> Resource:
    """Return an activity that leaves the capacity as it is; it is answered if it is asked for."""
    return _activity(
        resource,
        now_s,
        {
            "Description": "Attempting to scale due to alarm triggered",
            "Cause": cause,
            "StatusCode": "Failed",
            "NotScaledReasons": [dict(reason)],
        },
        {},
    )


_WAITING = f"Waiting for change to be fulfilled by {NAMESPACE}."
_FULFILLED = f"Change successfully fulfilled by {NAMESPACE}."


def _success(activity: Resource, resource: ScalableResource) -> str:
    return f"Successfully set {resource.kind.words} to {activity.request['capacity']}."


def _activity(
    resource: ScalableResource,
    now_s: float,
    members: Mapping[str, Any],
    plan: Mapping[str, Any],
) -> Resource:
    name, start_s = str(uuid.uuid4()), round(now_s, 3)
    document = {
        "ActivityId": name,
        "ServiceNamespace": NAMESPACE,
        "ResourceId": resource.resource_id,
        "ScalableDimension": resource.dimension,
        "StartTime": start_s,
        **members,
    }
    return Resource(
        key=Key(region=resource.region, kind=ACTIVITY, name=name),
        created=start_s,
        modified=start_s,
        status=document["StatusCode"],
        document=document,
        request=plan,
    )


def _with(activity: Resource, status: str, message: str, end_s: float | None = None) -> Resource:
    document = {**activity.document, "StatusCode": status, "StatusMessage": message}
    if end_s is not None:
        document["EndTime"] = round(end_s, 3)
    return replace(activity, status=status, document=document)
