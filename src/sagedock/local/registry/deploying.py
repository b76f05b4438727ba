"""A model whose containers are model packages, as it is deployed: with their images and data.

A package is looked up when a model is created, and again when it is deployed: it may have been
deleted, or rejected, in between (that AWS refuses a deployment then is unverified).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sagedock.api import registry_messages as words
from sagedock.local.caller import Caller
from sagedock.local.refusal import Refused
from sagedock.local.registry.names import Shelf
from sagedock.local.registry.specifications import pinned
from sagedock.local.resources import Resource, Resources

__all__ = ["deployable"]

Document = Mapping[str, Any]

_APPROVED = "Approved"
#: What a package says of a container that a model may not.
_OF_PACKAGES = (
    "Framework",
    "FrameworkVersion",
    "ImageDigest",
    "ModelDataETag",
    "ModelInput",
    "NearestModelName",
)


def deployable(resources: Resources, caller: Caller, model: Document) -> Document:
    """Return a model (CreateModel's request, or as Describe answers it) with the containers of the
    packages that it names, or refuse: one is not there, not approved, or not deployable.

    A package of several containers makes a pipeline of the model (unverified).
    """
    primary = model.get("PrimaryContainer")
    given = [primary] if primary else list(model.get("Containers") or ())
    if not any(each.get("ModelPackageName") for each in given):
        return model
    shelf = Shelf(resources=resources, caller=caller)
    found = [container for each in given for container in _containers(shelf, each)]
    rest = {k: v for k, v in model.items() if k not in ("PrimaryContainer", "Containers")}
    if len(found) == 1:
        return {**rest, "PrimaryContainer": found[0]}
    return {**rest, "Containers": found}


def _containers(shelf: Shelf, container: Document) -> Iterator[dict[str, Any]]:
    """Yield what one container of a model stands for. Its own environment is laid over the
    package's (unverified).
    """
    named = container.get("ModelPackageName")
    if not named:
        yield dict(container)
        return
    package = shelf.package(named)
    for each in _specification(package, container.get("InferenceSpecificationName"))["Containers"]:
        environment = {**each.get("Environment", {}), **(container.get("Environment") or {})}
        members = {k: v for k, v in each.items() if k not in _OF_PACKAGES}
        hostname = container.get("ContainerHostname") or each.get("ContainerHostname")
        yield {
            **members,
            "Image": pinned(each["Image"], each["ImageDigest"]),
            "Environment": environment,
            **({"ContainerHostname": hostname} if hostname else {}),
        }


def _specification(package: Resource, name: str | None) -> Document:
    document = package.document
    arn, status = document["ModelPackageArn"], document.get("ModelApprovalStatus", _APPROVED)
    if status != _APPROVED:
        raise Refused(words.package_not_approved(arn, status))
    if name is not None:
        for each in document.get("AdditionalInferenceSpecifications", ()):
            if each["Name"] == name:
                return dict(each)
        raise Refused(words.no_such_specification(arn, name))
    if "InferenceSpecification" not in document:
        raise Refused(words.no_inference_specification(arn))
    return dict(document["InferenceSpecification"])
