"""Whether an update can go the way that is asked for: what depends on both configurations."""

from collections.abc import Iterator, Mapping
from typing import Any

from sagedock.api import ServiceError
from sagedock.api import deployment_messages as words
from sagedock.local.hosting.deployment import is_at_once
from sagedock.local.hosting.plan import Plan
from sagedock.local.hosting.unsupported import unsupported_deployment

__all__ = ["deployment_of", "unfit_deployment"]

Document = Mapping[str, Any]

_PERCENT = 100


def deployment_of(request: Document, document: Document) -> Document:
    """Return the DeploymentConfig of an UpdateEndpoint; of an endpoint's ``document`` the last one
    where the request retains that, empty where there is none.
    """
    last = document.get("LastDeploymentConfig") if request.get("RetainDeploymentConfig") else None
    found: Document = request.get("DeploymentConfig") or last or {}
    return found


def unfit_deployment(deployment: Document, before: Plan, after: Plan) -> ServiceError | None:
    """Return the refusal of an update from ``before`` to ``after`` that cannot be carried out as
    ``deployment`` says, or None.
    """
    if is_at_once(deployment, after):
        return None
    if refusal := unsupported_deployment(deployment, after):
        return refusal
    names = [", ".join(sorted(each.name for each in plan.variants)) for plan in (before, after)]
    if names[0] != names[1]:
        return words.other_variants(*names)
    return next(_unfit_sizes(deployment, after), None)


def _unfit_sizes(deployment: Document, plan: Plan) -> Iterator[ServiceError]:
    policy = deployment.get("BlueGreenUpdatePolicy") or {}
    routing = policy.get("TrafficRoutingConfiguration") or {}
    rolling = deployment.get("RollingUpdatePolicy") or {}
    sizes = {
        "CanarySize": (routing.get("CanarySize"), 0, 50),
        "LinearStepSize": (routing.get("LinearStepSize"), 10, 50),
        "MaximumBatchSize": (rolling.get("MaximumBatchSize"), 5, 50),
    }
    for member, (size, least, most) in sizes.items():
        if size is None or size["Type"] != "INSTANCE_COUNT":
            continue
        for each in plan.variants:
            if not least * each.count <= _PERCENT * size["Value"] <= most * each.count:
                yield words.no_such_size(
                    member, str(size["Value"]), str(least), str(most), each.name
                )
