"""How many containers are asked of one machine: refused before the first of them starts."""

from collections.abc import Mapping
from typing import Any

from sagedock.api import ServiceError
from sagedock.api.hosting_messages import too_many_instances
from sagedock.local.hosting.names import variants_of
from sagedock.local.hosting.plan import Plan
from sagedock.local.quotas import MOST_INSTANCES

__all__ = ["too_many_copies", "too_many_in_config", "too_many_in_plan"]

Request = Mapping[str, Any]


def too_many_in_config(request: Request) -> ServiceError | None:
    """Return the refusal of a configuration with more instances than any machine runs, or None."""
    variants = [*variants_of(request)]
    total = sum(each.get("InitialInstanceCount") or 0 for each in variants)
    most = sum(
        (each.get("ManagedInstanceScaling") or {}).get("MaxInstanceCount") or 0 for each in variants
    )
    return _refusal("InitialInstanceCount (of all variants)", total) or _refusal(
        "ManagedInstanceScaling.MaxInstanceCount (of all variants)", most
    )


def too_many_in_plan(plan: Plan, member: str) -> ServiceError | None:
    """Return the refusal of a plan with more instances than any machine runs, or None; ``member``
    is what asks for them.
    """
    return _refusal(f"{member} (of all variants)", sum(each.count for each in plan.variants))


def too_many_copies(copies: int) -> ServiceError | None:
    """Return the refusal of a component with more copies than any machine runs, or None."""
    return _refusal("CopyCount", copies)


def _refusal(member: str, asked: int) -> ServiceError | None:
    if asked <= MOST_INSTANCES:
        return None
    return too_many_instances(member, str(asked), str(MOST_INSTANCES))
