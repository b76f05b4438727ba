"""What an endpoint is made of, taken down when it is deployed: configuration and models may be
deleted afterwards.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from sagedock.contract import limits
from sagedock.engine import Image
from sagedock.local.hosting.model_operations import containers_of, data_of

__all__ = ["Plan", "VariantPlan", "plan_of"]

Document = Mapping[str, Any]

_FLEET_BYTES = 4


@dataclass(frozen=True, kw_only=True)
class VariantPlan:
    """One variant. ``image`` is as the model names it, ``image_id`` the engine's and ``resolved``
    the same with its digest, as they were ``resolved_at`` (epoch seconds); ``data`` is the model's
    S3DataSource, or None; times are in seconds.
    """

    name: str
    image: str
    image_id: str
    resolved: str
    resolved_at: float
    environment: Mapping[str, str]
    data: Mapping[str, Any] | None
    isolated: bool
    instance_type: str
    count: int
    weight: float
    strategy: str
    download_s: int
    startup_s: int
    #: The ServerlessConfig of a variant without instances.
    serverless: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One deployment: ``fleet`` tells its containers from those of the next one."""

    fleet: str
    config: str
    variants: tuple[VariantPlan, ...]
    #: The configuration's DataCaptureConfig, where data is captured.
    capture: Mapping[str, Any] | None = None
    #: The configuration's AsyncInferenceConfig.
    asynchronous: Mapping[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what the store keeps."""
        return asdict(self)

    @classmethod
    def of_json(cls, kept: Document) -> "Plan":
        """Return what was kept."""
        variants = tuple(VariantPlan(**each) for each in kept["variants"])
        return cls(**{**kept, "variants": variants})

    def variant(self, name: str) -> VariantPlan | None:
        """Return the variant of that name, or None."""
        return next((each for each in self.variants if each.name == name), None)

    def with_desires(self, desires: Mapping[str, Document]) -> "Plan":
        """Return the plan with the weights and instance counts that ``desires`` has by variant."""
        return replace(self, variants=tuple(_desired(self.variants, desires)))


def plan_of(
    config: Document, models: Mapping[str, Document], find: Callable[[str], Image], at: float
) -> Plan:
    """Return the plan of a configuration, as Describe answers it, and of its models by name.

    ``find`` returns the image of a name, or raises ImageNotFound; ``at`` is now, in epoch seconds.
    """
    return Plan(
        fleet=secrets.token_hex(_FLEET_BYTES),
        config=config["EndpointConfigName"],
        variants=tuple(
            _variant(config, each, models[each["ModelName"]], find, at)
            for each in config["ProductionVariants"]
        ),
        capture=_capture(config),
        asynchronous=config.get("AsyncInferenceConfig"),
    )


def _capture(config: Document) -> Document | None:
    wanted = config.get("DataCaptureConfig")
    return wanted if wanted and wanted.get("EnableCapture", True) else None


def _variant(
    config: Document,
    variant: Document,
    model: Document,
    find: Callable[[str], Image],
    at: float,
) -> VariantPlan:
    container = containers_of(model)[0]
    image = find(container["Image"])
    routing = variant.get("RoutingConfig") or {}
    serverless = variant.get("ServerlessConfig")
    return VariantPlan(
        name=variant["VariantName"],
        image=container["Image"],
        image_id=image.id,
        resolved=_resolved(container["Image"], image),
        resolved_at=at,
        environment=dict(container.get("Environment") or {}),
        data=data_of(container),
        isolated=model["EnableNetworkIsolation"] or config["EnableNetworkIsolation"],
        instance_type=variant.get("InstanceType", ""),
        count=variant.get("InitialInstanceCount", 0),
        weight=variant["InitialVariantWeight"],
        strategy=routing.get("RoutingStrategy", "RANDOM"),
        download_s=variant.get("ModelDataDownloadTimeoutInSeconds", int(limits.MODEL_DOWNLOAD_S)),
        startup_s=variant.get(
            "ContainerStartupHealthCheckTimeoutInSeconds",
            int(limits.SERVERLESS_STARTUP_S if serverless else limits.SERVING_STARTUP_S),
        ),
        serverless=serverless,
    )


def _resolved(name: str, image: Image) -> str:
    """Return an image's name with a digest: its own in the registry, or the engine's id of it."""
    repository = name.partition("@")[0]
    if ":" in repository.rpartition("/")[2]:
        repository = repository.rpartition(":")[0]
    known = [each for each in image.digests if each.startswith(f"{repository}@")]
    return known[0] if known else f"{repository}@{image.id}"


def _desired(
    variants: tuple[VariantPlan, ...], desires: Mapping[str, Document]
) -> Iterator[VariantPlan]:
    for each in variants:
        wanted = desires.get(each.name, {})
        yield replace(
            each,
            count=wanted.get("DesiredInstanceCount", each.count),
            weight=wanted.get("DesiredWeight", each.weight),
        )
