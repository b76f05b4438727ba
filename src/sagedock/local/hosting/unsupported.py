"""What endpoints cannot do here yet: refused clearly, never quietly left out."""

from collections.abc import Iterator, Mapping
from typing import Any

from sagedock.api import ServiceError
from sagedock.api.hosting_messages import deploy_elsewhere
from sagedock.local.hosting.components.unsupported import unsupported_with_components
from sagedock.local.hosting.names import VARIANTS
from sagedock.local.hosting.parts import containers_of, is_direct, many_models
from sagedock.local.hosting.plan import Plan

__all__ = [
    "unsupported_config",
    "unsupported_deployment",
    "unsupported_model",
]

Request = Mapping[str, Any]

_CONTAINER = ("ContainerMetricsConfig",)
_SOURCE = ("HubAccessConfig", "ManifestS3Uri", "ETag", "ManifestEtag")
_CONFIG = (
    "ExplainerConfig",
    "CrossRegionTrafficConfig",
    "MetricsConfig",
)
_VARIANT = (
    "InstancePools",
    "AcceleratorType",
    "CoreDumpConfig",
    "CapacityReservationConfig",
    "AcceleratorPartitionLayouts",
)
_ROUTING = ("RANDOM", "LEAST_OUTSTANDING_REQUESTS")


def unsupported_model(request: Request) -> ServiceError | None:
    """Return the refusal of a model that could not be served here as on AWS, or None."""
    wishes = []
    if is_direct(request) and any(many_models(each) for each in containers_of(request)):
        wishes.append("InferenceExecutionConfig.Mode Direct with a container of Mode MultiModel")
    for at, container in _containers(request):
        wishes += _wishes(at, container)
    return deploy_elsewhere("; ".join(wishes)) if wishes else None


def unsupported_config(request: Request) -> ServiceError | None:
    """Return the refusal of a configuration that could not be deployed here as on AWS, or None."""
    wishes = [name for name in _CONFIG if request.get(name)]
    capture = request.get("DataCaptureConfig")
    if request.get("AsyncInferenceConfig") and capture and capture.get("EnableCapture", True):
        wishes.append("DataCaptureConfig with AsyncInferenceConfig")
    wishes += unsupported_with_components(request)
    for at, variant in _variants(request):
        wishes += [f"{at}.{name}" for name in _VARIANT if variant.get(name)]
        if (variant.get("ManagedInstanceScaling") or {}).get("ScaleInPolicy"):
            wishes.append(f"{at}.ManagedInstanceScaling.ScaleInPolicy")
        routing = variant.get("RoutingConfig")
        if routing and routing["RoutingStrategy"] not in _ROUTING:
            wishes.append(f"{at}.RoutingConfig.RoutingStrategy {routing['RoutingStrategy']}")
    return deploy_elsewhere("; ".join(wishes)) if wishes else None


def unsupported_deployment(deployment: Request, plan: Plan) -> ServiceError | None:
    """Return the refusal of an update step by step to ``plan`` that is not carried out here, or
    None.
    """
    policy = deployment.get("BlueGreenUpdatePolicy") or {}
    routing = policy.get("TrafficRoutingConfiguration") or {}
    what = f"DeploymentConfig with {routing.get('Type', 'RollingUpdatePolicy')}"
    if plan.hosts_components:
        return deploy_elsewhere(f"{what} of an endpoint for inference components")
    if any(each.serverless is not None for each in plan.variants):
        return deploy_elsewhere(f"{what} of a serverless endpoint")
    return None


def _variants(request: Request) -> Iterator[tuple[str, Request]]:
    for member in VARIANTS:
        for number, each in enumerate(request.get(member) or ()):
            yield f"{member}[{number}]", each


def _containers(request: Request) -> Iterator[tuple[str, Request]]:
    if primary := request.get("PrimaryContainer"):
        yield "PrimaryContainer", primary
    for number, each in enumerate(request.get("Containers") or ()):
        yield f"Containers[{number}]", each


def _wishes(at: str, container: Request) -> Iterator[str]:
    yield from (f"{at}.{name}" for name in _CONTAINER if container.get(name))
    for where, source in _sources(container):
        yield from (f"{at}.{where}.S3DataSource.{name}" for name in _SOURCE if source.get(name))


def _sources(container: Request) -> Iterator[tuple[str, Request]]:
    if source := (container.get("ModelDataSource") or {}).get("S3DataSource"):
        yield "ModelDataSource", source
    for number, each in enumerate(container.get("AdditionalModelDataSources") or ()):
        yield f"AdditionalModelDataSources[{number}]", each["S3DataSource"]
