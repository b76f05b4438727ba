"""The life of an endpoint, as changes to the document that DescribeEndpoint answers.

Each function returns a new document. Times are epoch seconds. What the store keeps beside it, the
plans of what runs and of what is to run, is below names that begin with an underscore.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sagedock.local.hosting.deployment import Step
from sagedock.local.hosting.names import SHADOWS, VARIANTS
from sagedock.local.hosting.plan import ContainerPlan, Plan, VariantPlan
from sagedock.local.moments import epoch_s

__all__ = [
    "activating",
    "answered",
    "baking",
    "created",
    "deleting",
    "deployed_image",
    "deployment_in",
    "failed",
    "in_service",
    "pending_plan",
    "plan_in",
    "reweighed",
    "rollback_failed",
    "rolling_back",
    "system_updating",
    "updating",
]

Document = Mapping[str, Any]

_PLAN, _PENDING, _DEPLOYMENT = "_plan", "_pending", "_deployment"
_LONGEST_REASON = 1024
#: What a document has while an update goes on.
_OF_AN_UPDATE = ("PendingDeploymentSummary", _PENDING, _DEPLOYMENT)


def answered(document: Document) -> dict[str, Any]:
    """Return what Describe answers of a document."""
    return {name: value for name, value in document.items() if not name.startswith("_")}


def plan_in(document: Document) -> Plan:
    """Return the plan of what the endpoint is, or is becoming."""
    return Plan.of_json(document[_PLAN])


def pending_plan(document: Document) -> Plan | None:
    """Return the plan that an update goes to, or None."""
    return Plan.of_json(document[_PENDING]) if _PENDING in document else None


def deployment_in(document: Document) -> Document:
    """Return the DeploymentConfig of the update that goes on; empty where it has none."""
    found: Document = document.get(_DEPLOYMENT, {})
    return found


def created(
    name: str, arn: str, plan: Plan, at: float, deployment: Document | None
) -> dict[str, Any]:
    """Return the first document of an endpoint."""
    return {
        "EndpointName": name,
        "EndpointArn": arn,
        "EndpointConfigName": plan.config,
        **_variants(
            plan, lambda each: _variant(each, weight=0.0, count=0, status=_launching(each, at))
        ),
        "EndpointStatus": "Creating",
        "CreationTime": epoch_s(at),
        "LastModifiedTime": epoch_s(at),
        **({"LastDeploymentConfig": deployment} if deployment else {}),
        **_asynchronous(plan),
        _PLAN: plan.as_json(),
    }


def in_service(document: Document, plan: Plan, at: float) -> dict[str, Any]:
    """Return ``document`` once ``plan`` serves. Why the last update failed stays."""
    return {
        **_without(document, *_OF_AN_UPDATE, "DataCaptureConfig", SHADOWS),
        "EndpointConfigName": plan.config,
        **_variants(plan, lambda each: _variant(each, weight=each.weight, count=each.count)),
        "EndpointStatus": "InService",
        "LastModifiedTime": epoch_s(at),
        **_captured(plan),
        **_asynchronous(plan),
        _PLAN: plan.as_json(),
    }


def failed(document: Document, reason: str, at: float) -> dict[str, Any]:
    """Return ``document`` of an endpoint that could not be created."""
    return {
        **document,
        "EndpointStatus": "Failed",
        "FailureReason": reason[:_LONGEST_REASON],
        "LastModifiedTime": epoch_s(at),
    }


def updating(
    document: Document, plan: Plan, at: float, deployment: Document | None
) -> dict[str, Any]:
    """Return ``document`` while an update to ``plan`` goes on: it keeps its configuration, and
    tells of the new one. Sources: rows 57 and 60 of the rest.
    """
    return {
        **_without(document, "FailureReason"),
        "EndpointStatus": "Updating",
        "LastModifiedTime": epoch_s(at),
        "PendingDeploymentSummary": {
            "EndpointConfigName": plan.config,
            **_variants(plan, lambda each: _pending(each, at)),
            "StartTime": epoch_s(at),
        },
        **({"LastDeploymentConfig": deployment, _DEPLOYMENT: deployment} if deployment else {}),
        _PENDING: plan.as_json(),
    }


def activating(document: Document, step: Step, at: float) -> dict[str, Any]:
    """Return ``document`` once requests go to the new instances of a step. Source: row 61 of the
    rest, for canary and full capacity.
    """
    return _shifted(
        document,
        step,
        lambda on: {
            "Status": "ActivatingTraffic",
            "StatusMessage": f"Activating traffic on {step.capacity} capacity of {on} instance(s).",
            "StartTime": epoch_s(at),
        },
    )


def baking(document: Document, step: Step, at: float) -> dict[str, Any]:
    """Return ``document`` while alarms are watched. Source: row 61 of the rest; that a canary, too,
    bakes for "TerminationWaitInSeconds" is in the guide's automating-sagemaker-with-eventbridge.
    """
    return _shifted(
        document,
        step,
        lambda on: {
            "Status": "Baking",
            "StatusMessage": f"Baking for {step.wait_s} seconds (TerminationWaitInSeconds) with "
            f"traffic enabled on {step.capacity} capacity of {on} instance(s).",
            "StartTime": epoch_s(at),
        },
    )


def _shifted(document: Document, step: Step, status: Callable[[int], Document]) -> dict[str, Any]:
    """Return ``document`` with what is pending as a step has it."""
    pending = document["PendingDeploymentSummary"]

    def told(variant: Document) -> Document:
        on = step.turned_on[variant["VariantName"]]
        counts = {"CurrentInstanceCount": on} if "DesiredInstanceCount" in variant else {}
        weight = {"CurrentWeight": variant["DesiredWeight"]}
        return {**variant, **counts, **weight, "VariantStatus": [status(on)]}

    variants = {name: [*map(told, pending[name])] for name in VARIANTS if name in pending}
    return {**document, "PendingDeploymentSummary": {**pending, **variants}}


def reweighed(document: Document, plan: Plan, at: float) -> dict[str, Any]:
    """Return ``document`` while its weights and counts become those of ``plan``."""
    before = {each.name: each for each in plan_in(document).variants}
    return {
        **_without(document, "FailureReason"),
        "EndpointStatus": "Updating",
        "LastModifiedTime": epoch_s(at),
        **_variants(plan, lambda each: _reweighed(each, before[each.name], at)),
        _PENDING: plan.as_json(),
    }


def rolling_back(document: Document, reason: str, at: float) -> dict[str, Any]:
    """Return ``document`` while an update is taken back. Source: row 58 of the rest."""
    return {
        **document,
        "EndpointStatus": "RollingBack",
        "FailureReason": reason[:_LONGEST_REASON],
        "LastModifiedTime": epoch_s(at),
    }


def rollback_failed(document: Document, reason: str, at: float) -> dict[str, Any]:
    """Return ``document`` of an endpoint whose old instances could not be brought back."""
    return {
        **_without(document, *_OF_AN_UPDATE),
        "EndpointStatus": "UpdateRollbackFailed",
        "FailureReason": reason[:_LONGEST_REASON],
        "LastModifiedTime": epoch_s(at),
    }


def system_updating(document: Document) -> dict[str, Any]:
    """Return ``document`` while its containers are started anew, because the server was."""
    return {**document, "EndpointStatus": "SystemUpdating"}


def deleting(document: Document, at: float) -> dict[str, Any]:
    """Return ``document`` until it is gone."""
    told = {
        name: [{**each, "VariantStatus": [_terminating(each, at)]} for each in document[name]]
        for name in VARIANTS
        if name in document
    }
    return {**document, **told, "EndpointStatus": "Deleting", "LastModifiedTime": epoch_s(at)}


def _variants(plan: Plan, told: Callable[[VariantPlan], Document]) -> dict[str, Any]:
    """Return what is told of each variant: of those that answer, and of their shadows if any."""
    members = {
        name: [told(each) for each in plan.variants if each.shadow == (name == SHADOWS)]
        for name in VARIANTS
    }
    return {name: told for name, told in members.items() if told}


def _pending(plan: VariantPlan, at: float) -> Document:
    return {
        **_variant(plan, weight=0.0, count=0, status=_launching(plan, at)),
        **({"InstanceType": plan.instance_type} if plan.instance_type else {}),
    }


def _reweighed(plan: VariantPlan, before: VariantPlan, at: float) -> Document:
    status = {
        "Status": "Updating",
        "StatusMessage": f"Scaling out desired instance count to {plan.count}.",
        "StartTime": epoch_s(at),
    }
    return _variant(plan, weight=before.weight, count=before.count, status=status)


def _variant(
    plan: VariantPlan, *, weight: float, count: int, status: Document | None = None
) -> dict[str, Any]:
    """Return a variant as Describe answers it. That a serverless one has no instances is
    unverified.
    """
    described = {
        "VariantName": plan.name,
        **_images(plan),
        "CurrentWeight": weight,
        "DesiredWeight": plan.weight,
        "CurrentInstanceCount": count,
        "DesiredInstanceCount": plan.count,
        **({"VariantStatus": [status]} if status else {}),
        **({"ManagedInstanceScaling": plan.managed} if plan.managed else {}),
    }
    if plan.serverless is None:
        return described
    configs = ("CurrentServerlessConfig", "DesiredServerlessConfig")
    return {
        **_without(described, "DesiredInstanceCount"),
        **dict.fromkeys(configs, plan.serverless),
    }


def _images(plan: VariantPlan) -> dict[str, Any]:
    """Return the images of a variant's containers, if it has any."""
    if plan.hosts_components:
        return {}
    return {"DeployedImages": [deployed_image(each) for each in plan.containers]}


def deployed_image(container: ContainerPlan) -> Document:
    """Return what is told of a container's image."""
    return {
        "SpecifiedImage": container.image,
        "ResolvedImage": container.resolved,
        "ResolutionTime": epoch_s(container.resolved_at),
    }


def _launching(plan: VariantPlan, at: float) -> Document:
    """Return the status of a variant that is made. Source: row 61 of the rest."""
    return {
        "Status": "Creating",
        "StatusMessage": f"Launching {plan.count} instance(s).",
        "StartTime": epoch_s(at),
    }


def _terminating(variant: Document, at: float) -> Document:
    """Return the status of a variant that goes. Source: row 61 of the rest."""
    return {
        "Status": "Deleting",
        "StatusMessage": f"Terminating {variant['CurrentInstanceCount']} instance(s).",
        "StartTime": epoch_s(at),
    }


def _captured(plan: Plan) -> dict[str, Any]:
    """Return what an endpoint tells of the data that is captured."""
    if plan.capture is None:
        return {}
    return {
        "DataCaptureConfig": {
            "EnableCapture": True,
            "CaptureStatus": "Started",
            "CurrentSamplingPercentage": plan.capture["InitialSamplingPercentage"],
            "DestinationS3Uri": plan.capture["DestinationS3Uri"],
            "KmsKeyId": plan.capture.get("KmsKeyId", ""),
        }
    }


def _asynchronous(plan: Plan) -> dict[str, Any]:
    return {} if plan.asynchronous is None else {"AsyncInferenceConfig": plan.asynchronous}


def _without(document: Document, *names: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in names}
