"""Endpoint steps: an endpoint that is created, or updated where it is there.

Source: the SDK v3's ``EndpointStep`` ("the pipeline chooses create-vs-update based on endpoint
existence"). That a step ends with the deployment, that one whose endpoint was taken back to what it
was has failed, and that tags are for an endpoint that is created, is unverified.
"""

from collections.abc import Mapping
from typing import Any

from sagedock.local.pipelines.outcome import is_broken
from sagedock.local.pipelines.scope import Execution
from sagedock.local.refusal import Refused

__all__ = ["call_for_endpoint", "end_of_deployment", "is_under_way"]

Document = Mapping[str, Any]
_UPDATED = ("EndpointName", "EndpointConfigName", "DeploymentConfig")


def call_for_endpoint(execution: Execution, asked: Document) -> tuple[str, Document]:
    """Return the operation, and its request, that brings an endpoint about as asked for."""
    name = {"EndpointName": asked["EndpointName"]}
    try:
        execution.calls(execution.caller, "DescribeEndpoint", name)
    except Refused as why:
        if is_broken(why.error):
            raise
        return "CreateEndpoint", asked
    return "UpdateEndpoint", {name: asked[name] for name in _UPDATED if name in asked}


def is_under_way(found: Document, asked: Document) -> bool:
    """Say whether an endpoint has, or is getting, the configuration that was asked for."""
    pending = found.get("PendingDeploymentSummary", {}).get("EndpointConfigName")
    return asked["EndpointConfigName"] in (found["EndpointConfigName"], pending)


def end_of_deployment(found: Document, asked: Document) -> str | None:
    """Return why an endpoint at rest is not what was asked for; None where it is."""
    status, wanted = found["EndpointStatus"], asked["EndpointConfigName"]
    if reason := found.get("FailureReason"):
        return str(reason)
    if status != "InService":
        return f"The endpoint {found['EndpointName']} is {status}."
    if found["EndpointConfigName"] != wanted:
        return (
            f"The endpoint {found['EndpointName']} was updated meanwhile: it has the configuration "
            f"{found['EndpointConfigName']}, not {wanted}."
        )
    return None
