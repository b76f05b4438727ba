"""Real-time, asynchronous and serverless endpoints: what each kind excludes."""

from collections.abc import Iterator, Mapping
from typing import Any

from sagedock.api import ServiceError
from sagedock.api import component_messages as component_words
from sagedock.api import hosting_messages as words
from sagedock.local.ecr import EcrUri
from sagedock.local.hosting.plan import Plan

__all__ = ["other_kind", "unfit_desires", "unfit_model", "without_instances"]

Request = Mapping[str, Any]

_NEVER_EMPTY = ("eu-west-3",)
#: The registries that products of AWS Marketplace are pulled from, as their own instructions say
#: (kubecost's among others). That it is those which are looked at is unverified.
_MARKETPLACE = ("117940112483", "709825985650")


def other_kind(endpoint: str, before: Plan, after: Plan) -> ServiceError | None:
    """Return the refusal of an update that makes an endpoint another kind, or None.

    A serverless one may become one with instances.
    """
    if before.hosts_components != after.hosts_components:
        return component_words.kind_is_forever(endpoint)
    if before.asynchronous is not None and after.asynchronous is None:
        return words.asynchronous_forever(endpoint)
    if before.asynchronous is None and after.asynchronous is not None:
        return words.never_asynchronous(endpoint)
    if _is_serverless(after) and not _is_serverless(before):
        return words.never_serverless(endpoint)
    return None


def unfit_desires(before: Plan, desires: Mapping[str, Request]) -> ServiceError | None:
    """Return the refusal of a variant that is to have no instance, or one where it has none, or
    None. Of an asynchronous endpoint requests can wait.
    """
    for each in before.variants:
        if each.serverless is not None and "DesiredInstanceCount" in desires.get(each.name, {}):
            return words.no_instances_of_serverless(each.name)
    none_left = [
        name for name, desire in desires.items() if desire.get("DesiredInstanceCount") == 0
    ]
    if not none_left or before.asynchronous is not None:
        return None
    return words.no_instance_left(none_left[0])


def unfit_model(config: Request, variant: Request, model: Request) -> ServiceError | None:
    """Return the refusal of a variant whose model (CreateModel's request) its kind of endpoint
    excludes, or None: a serverless one, or one of an asynchronous configuration.
    """
    if config.get("AsyncInferenceConfig") and _is_of_marketplace(model):
        return words.asynchronous_marketplace()
    if config.get("AsyncInferenceConfig") and _is_composed(model):
        what = f"{model['ModelName']}, which has several containers or many models"
        return words.deploy_elsewhere(f"AsyncInferenceConfig with {what}")
    if not variant.get("ServerlessConfig"):
        return None
    if any(each.get("ModelDataSource") for each in _containers(model)):
        return words.model_data_source_of_serverless()
    wishes = {
        "VPC configuration": model.get("VpcConfig"),
        "network isolation": model.get("EnableNetworkIsolation"),
        "several containers": len(model.get("Containers") or ()) > 1,
        "multi-model containers": any(
            each.get("Mode") == "MultiModel" for each in _containers(model)
        ),
    }
    named = [name for name, wanted in wishes.items() if wanted]
    if not named:
        return None
    return words.unsupported_by_serverless(
        variant["VariantName"], variant["ModelName"], ", ".join(named)
    )


def without_instances(region: str, variant: Request) -> ServiceError | None:
    """Return the refusal of a variant that may scale itself to no instance where that cannot be, or
    None. Source: row 26 of the rest, which tells one region where it can, and one where it cannot.
    """
    managed = variant.get("ManagedInstanceScaling") or {}
    is_empty = managed.get("Status") == "ENABLED" and managed.get("MinInstanceCount") == 0
    return words.too_few_managed_instances() if is_empty and region in _NEVER_EMPTY else None


def _is_composed(model: Request) -> bool:
    each_mode = [each.get("Mode") for each in _containers(model)]
    return len(each_mode) > 1 or "MultiModel" in each_mode


def _is_of_marketplace(model: Request) -> bool:
    found = [EcrUri.parse(each.get("Image", "")) for each in _containers(model)]
    return any(uri is not None and uri.account in _MARKETPLACE for uri in found)


def _containers(model: Request) -> Iterator[Request]:
    if primary := model.get("PrimaryContainer"):
        yield primary
    yield from model.get("Containers") or ()


def _is_serverless(plan: Plan) -> bool:
    return any(each.serverless is not None for each in plan.variants)
