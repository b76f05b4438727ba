"""What inference components cannot do here yet: refused clearly, never quietly left out."""

from collections.abc import Iterator, Mapping
from typing import Any

from sagedock.api import ServiceError
from sagedock.api.hosting_messages import deploy_elsewhere
from sagedock.local.hosting.parts import containers_of, many_models

__all__ = ["unsupported_component", "unsupported_model", "unsupported_with_components"]

Request = Mapping[str, Any]

_SPECIFICATION = ("BaseInferenceComponentName", "InstanceType", "SchedulingConfig")


def unsupported_component(request: Request) -> ServiceError | None:
    """Return the refusal of a component, or an update of it, that could not be carried out here as
    on AWS, or None.
    """
    wishes = [name for name in ("Specifications", "DeploymentConfig") if request.get(name)]
    specification = request.get("Specification") or {}
    wishes += [f"Specification.{name}" for name in _SPECIFICATION if specification.get(name)]
    if (specification.get("DataCacheConfig") or {}).get("EnableCaching"):
        wishes.append("Specification.DataCacheConfig.EnableCaching")
    if (specification.get("Container") or {}).get("ContainerMetricsConfig"):
        wishes.append("Specification.Container.ContainerMetricsConfig")
    if (specification.get("ComputeResourceRequirements") or {}).get("AcceleratorPartitionType"):
        wishes.append("Specification.ComputeResourceRequirements.AcceleratorPartitionType")
    return deploy_elsewhere("; ".join(wishes)) if wishes else None


def unsupported_model(model: Request) -> ServiceError | None:
    """Return the refusal of a component of a model (as Describe answers it) that is not one
    container with one model, or None.
    """
    containers = containers_of(model)
    if len(containers) == 1 and not many_models(containers[0]):
        return None
    what = f"{model['ModelName']}, of several containers or many models"
    return deploy_elsewhere(f"Specification.ModelName {what}")


def unsupported_with_components(config: Request) -> Iterator[str]:
    """Yield what an endpoint configuration cannot have here beside variants without a model."""
    if all("ModelName" in each for each in config.get("ProductionVariants") or ()):
        return
    capture = config.get("DataCaptureConfig")
    wishes = {
        "AsyncInferenceConfig": config.get("AsyncInferenceConfig"),
        "DataCaptureConfig": capture and capture.get("EnableCapture", True),
        "ShadowProductionVariants": config.get("ShadowProductionVariants"),
    }
    for name, wanted in wishes.items():
        if wanted:
            yield f"{name} with variants without ModelName (inference components)"
