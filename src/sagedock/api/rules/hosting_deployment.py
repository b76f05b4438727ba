"""DeploymentConfig of CreateEndpoint and UpdateEndpoint: what excludes what, and sizes in percent.

Sizes in instances depend on the configuration: they are checked where that is known.
"""

from collections.abc import Iterator

from sagedock.api.rules.rule import BROKEN, Finding, Request, Rule, part
from sagedock.api.rules.sources import API

__all__ = ["RULES"]

_FIELDS = ("DeploymentConfig",)
#: The member that a way of shifting needs, and percentages that it may have, of an endpoint's
#: capacity.
_SIZES = {"CANARY": ("CanarySize", 1, 50), "LINEAR": ("LinearStepSize", 10, 50)}
_BATCHES = (("MaximumBatchSize", 5, 50), ("RollbackMaximumBatchSize", 1, 100))


def _blue_green(request: Request) -> Request:
    return part(part(request, "DeploymentConfig"), "BlueGreenUpdatePolicy")


def _routing(request: Request) -> Request:
    return part(_blue_green(request), "TrafficRoutingConfiguration")


def _rolling(request: Request) -> Request:
    return part(part(request, "DeploymentConfig"), "RollingUpdatePolicy")


def _two_policies(request: Request) -> Finding:
    return BROKEN if _blue_green(request) and _rolling(request) else None


def _no_size(request: Request) -> Finding:
    routing = _routing(request)
    needed, _, _ = _SIZES.get(routing.get("Type", ""), ("", 0, 0))
    if needed and needed not in routing:
        return {"name": needed, "type": routing["Type"]}
    return None


def _odd_percentage(request: Request) -> Finding:
    for name, size, least, most in _sizes(request):
        if size["Type"] == "CAPACITY_PERCENT" and not least <= size["Value"] <= most:
            return {"name": name, "least": str(least), "most": str(most)}
    return None


def _sizes(request: Request) -> Iterator[tuple[str, Request, int, int]]:
    routing, rolling = _routing(request), _rolling(request)
    of_routing = _SIZES.get(routing.get("Type", ""))
    if of_routing and of_routing[0] in routing:
        name, least, most = of_routing
        yield name, routing[name], least, most
    for name, least, most in _BATCHES:
        if name in rolling:
            yield name, rolling[name], least, most


def _too_short(request: Request) -> Finding:
    policy, routing = _blue_green(request), _routing(request)
    longest_s = policy.get("MaximumExecutionTimeoutInSeconds")
    waits_s = routing.get("WaitIntervalInSeconds", 0) + policy.get("TerminationWaitInSeconds", 0)
    if longest_s is not None and longest_s <= waits_s:
        return {"seconds": str(longest_s)}
    return None


RULES: tuple[Rule, ...] = (
    Rule(
        fields=_FIELDS,
        finding=_two_policies,
        message="Only one of BlueGreenUpdatePolicy and RollingUpdatePolicy can be specified in "
        "DeploymentConfig.",
        source=API + "API_DeploymentConfig.html",
        verified=False,
    ),
    Rule(
        fields=_FIELDS,
        finding=_no_size,
        message="{name} must be specified for the traffic routing type {type}.",
        source=API + "API_TrafficRoutingConfig.html",
        verified=False,
    ),
    Rule(
        fields=_FIELDS,
        finding=_odd_percentage,
        message="{name} must be between {least} and {most} percent of the variant's total "
        "instance count.",
        source=API + "API_TrafficRoutingConfig.html",
        verified=False,
    ),
    Rule(
        fields=_FIELDS,
        finding=_too_short,
        message="MaximumExecutionTimeoutInSeconds ({seconds}) must be larger than the total "
        "waiting time of WaitIntervalInSeconds and TerminationWaitInSeconds.",
        source=API + "API_BlueGreenUpdatePolicy.html",
        verified=False,
    ),
)
