"""The life of a component, as changes to the document that DescribeInferenceComponent answers.

Each function returns a new document. Times are epoch seconds. What the store keeps beside it is
below names that begin with an underscore: the deployments of what runs and of what is to run, and
the instance that each copy is on.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sagedock.local.hosting.components.deployment import Deployment, Needs
from sagedock.local.hosting.components.placing import Held
from sagedock.local.hosting.document import deployed_image
from sagedock.local.moments import epoch_s

__all__ = [
    "answered",
    "created",
    "deleting",
    "deployment_in",
    "failed",
    "held_in",
    "holding",
    "in_service",
    "pending_in",
    "restarting",
    "taken_back",
    "updating",
]

Document = Mapping[str, Any]

_DEPLOYMENT, _PENDING, _HELD = "_deployment", "_pending", "_held"
_LONGEST_REASON = 1024
_ECHOED = ("ModelName", "StartupParameters", "ComputeResourceRequirements", "DataCacheConfig")


def answered(document: Document) -> dict[str, Any]:
    """Return what Describe answers of a document."""
    return {name: value for name, value in document.items() if not name.startswith("_")}


def deployment_in(document: Document) -> Deployment:
    """Return the deployment of what the component is, or is becoming."""
    return Deployment.of_json(document[_DEPLOYMENT])


def pending_in(document: Document) -> Deployment | None:
    """Return the deployment that an update goes to, or None."""
    return Deployment.of_json(document[_PENDING]) if _PENDING in document else None


def held_in(document: Document) -> Held | None:
    """Return the instances that its copies are on, in their order; None before it has any."""
    kept = document.get(_HELD)
    return kept and Held(needs=Needs(**kept["needs"]), places=kept["places"])


def created(
    name: str, arn: str, endpoint: Mapping[str, str], deployment: Deployment, at: float
) -> dict[str, Any]:
    """Return the first document of a component on ``endpoint``, which has the endpoint's name and
    ARN as Describe answers them.
    """
    return {
        "InferenceComponentName": name,
        "InferenceComponentArn": arn,
        **{member: endpoint[member] for member in ("EndpointName", "EndpointArn")},
        "VariantName": deployment.variant.name,
        "Specification": _specification(deployment),
        "RuntimeConfig": _runtime(deployment.copies, 0),
        "CreationTime": epoch_s(at),
        "LastModifiedTime": epoch_s(at),
        "InferenceComponentStatus": "Creating",
        _DEPLOYMENT: deployment.as_json(),
    }


def holding(document: Document, held: Held | None) -> dict[str, Any]:
    """Return ``document`` with its copies on other instances."""
    if held is None:
        return _without(document, _HELD)
    return {**document, _HELD: {"needs": asdict(held.needs), "places": list(held.places)}}


def in_service(document: Document, deployment: Deployment, at: float) -> dict[str, Any]:
    """Return ``document`` once ``deployment`` serves."""
    return {
        **_without(document, _PENDING, "FailureReason"),
        "Specification": _specification(deployment),
        "RuntimeConfig": _runtime(deployment.copies, deployment.copies),
        "LastModifiedTime": epoch_s(at),
        "InferenceComponentStatus": "InService",
        _DEPLOYMENT: deployment.as_json(),
    }


def updating(document: Document, deployment: Deployment, at: float) -> dict[str, Any]:
    """Return ``document`` while an update to ``deployment`` goes on: it keeps what it has."""
    now = deployment_in(document).copies
    return {
        **_without(document, "FailureReason"),
        "RuntimeConfig": _runtime(deployment.copies, now),
        "LastModifiedTime": epoch_s(at),
        "InferenceComponentStatus": "Updating",
        _PENDING: deployment.as_json(),
    }


def taken_back(document: Document, reason: str, at: float) -> dict[str, Any]:
    """Return ``document`` once an update was given up: what it had serves on. That the reason is
    told then is unverified.
    """
    kept = in_service(document, deployment_in(document), at)
    return {**kept, "FailureReason": reason[:_LONGEST_REASON]}


def restarting(document: Document) -> dict[str, Any]:
    """Return ``document`` while its copies are started anew, because the server was."""
    return {**document, "InferenceComponentStatus": "Updating"}


def failed(document: Document, reason: str, at: float) -> dict[str, Any]:
    """Return ``document`` of a component none of whose copies serve."""
    return {
        **_without(document, _PENDING, _HELD),
        "RuntimeConfig": _runtime(deployment_in(document).copies, 0),
        "FailureReason": reason[:_LONGEST_REASON],
        "LastModifiedTime": epoch_s(at),
        "InferenceComponentStatus": "Failed",
    }


def deleting(document: Document, at: float) -> dict[str, Any]:
    """Return ``document`` until it is gone."""
    return {
        **document,
        "InferenceComponentStatus": "Deleting",
        "LastModifiedTime": epoch_s(at),
    }


def _runtime(desired: int, current: int) -> dict[str, int]:
    return {"DesiredCopyCount": desired, "CurrentCopyCount": current}


def _specification(deployment: Deployment) -> dict[str, Any]:
    """Return a specification as Describe answers it: its container tells of the deployed image.

    That it does so for a model, too, is unverified.
    """
    asked = deployment.specification
    container = asked.get("Container") or {}
    (deployed,) = deployment.variant.containers
    echoed = {name: container[name] for name in ("ArtifactUrl", "Environment") if name in container}
    return {
        **{name: asked[name] for name in _ECHOED if name in asked},
        "Container": {"DeployedImage": deployed_image(deployed), **echoed},
    }


def _without(document: Document, *names: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in names}
