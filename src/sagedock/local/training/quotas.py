"""How many instances of a type may train at once, where the settings name a quota."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sagedock.api import ServiceError, messages
from sagedock.local.caller import Caller
from sagedock.local.platform import Platform
from sagedock.local.quotas import MOST_INSTANCES, over_quota
from sagedock.local.training import layout
from sagedock.local.training.steps import KIND

__all__ = ["quota_refusal", "too_many_instances"]

Request = Mapping[str, Any]


def too_many_instances(request: Request) -> ServiceError | None:
    """Return the refusal of a job with more instances than any machine runs, or None."""
    resources = request.get("ResourceConfig", {})
    groups = resources.get("InstanceGroups") or [resources]
    total = sum(group.get("InstanceCount", 0) for group in groups)
    if total <= MOST_INSTANCES:
        return None
    return messages.not_carried_out(
        f"ResourceConfig with {total} instances (at most {MOST_INSTANCES})",
        "Ask for fewer locally, or run the job on AWS.",
    )


def quota_refusal(
    platform: Platform, caller: Caller, request: Request, *, at_once: int = 1
) -> ServiceError | None:
    """Return the refusal of a job, of which so many are to run ``at_once``, that would exceed a
    quota, or None; see ``over_quota``.
    """
    return over_quota(platform, caller, KIND, request, _instances, at_once=at_once)


def _instances(request: Request) -> Counter[str]:
    """Return how many instances a job has, by the quota that they count for."""
    spot = "spot " if request.get("EnableManagedSpotTraining") else ""
    counted: Counter[str] = Counter()
    for group in layout.host_groups(request):
        counted[f"{group.instance_type} for {spot}training job usage"] += len(group.hosts)
    return counted
