"""What an endpoint is made of, taken down when it is deployed: configuration and models may be
deleted afterwards.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sagedock.api.container_names import PRIMARY, numbered
from sagedock.contract import limits, routes
from sagedock.engine import Image
from sagedock.local.hosting.names import SHADOWS, VARIANTS
from sagedock.local.hosting.parts import containers_of, data_of, is_direct, many_models

__all__ = ["ContainerPlan", "Plan", "VariantPlan", "container_plans", "plan_of"]

Document = Mapping[str, Any]

_FLEET_BYTES = 4


@dataclass(frozen=True, kw_only=True)
class ContainerPlan:
    """One container of an instance, by its place among them and what it is called.

    ``image`` is as the model names it, ``image_id`` the engine's and ``resolved`` the same with its
    digest, as they were ``resolved_at`` (epoch seconds). ``data`` is the model's S3DataSource, or
    None; ``more_data`` are others, by channel. One of ``many_models`` has none: ``data`` is the
    prefix that they are below, and ``caches`` says whether they stay once they are loaded.
    """

    image: str
    image_id: str
    resolved: str
    resolved_at: float
    environment: Mapping[str, str]
    data: Mapping[str, Any] | None
    more_data: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    place: int = 0
    name: str = PRIMARY
    many_models: bool = False
    caches: bool = True

    @property
    def port(self) -> int:
        """Where it listens: each of an instance has a port of its own."""
        return routes.PORT + self.place

    @property
    def sources(self) -> Mapping[str, Mapping[str, Any]]:
        """What is laid out before it starts: S3DataSources, by channel; the model's is ""."""
        model = {} if self.data is None or self.many_models else {"": self.data}
        return {**model, **self.more_data}


@dataclass(frozen=True, kw_only=True)
class VariantPlan:
    """One variant, and the containers of each instance; times are in seconds.

    Where there are several, a request goes through all of them, or with ``direct`` to the one that
    it names. ``shadow`` gets copies of requests only.
    """

    name: str
    containers: tuple[ContainerPlan, ...]
    isolated: bool
    instance_type: str
    count: int
    weight: float
    strategy: str
    download_s: int
    startup_s: int
    #: The ServerlessConfig of a variant without instances.
    serverless: Mapping[str, Any] | None = None
    direct: bool = False
    shadow: bool = False
    #: The ManagedInstanceScaling of a variant that hosts components, where it is enabled; with both
    #: counts.
    managed: Mapping[str, Any] | None = None

    @property
    def hosts_components(self) -> bool:
        """Whether it has instances only, for copies of inference components."""
        return not self.containers

    @property
    def most_instances(self) -> int:
        """How many instances there may be."""
        return max(self.count, self.managed["MaxInstanceCount"]) if self.managed else self.count

    @property
    def served_by(self) -> int:
        """How many of its instances have containers of its own."""
        return 0 if self.hosts_components else self.count

    @property
    def is_simple(self) -> bool:
        """Whether a request goes to the one model of the one container."""
        return len(self.containers) == 1 and not self.containers[0].many_models


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

    @property
    def hosts_components(self) -> bool:
        """Whether it is an endpoint for inference components."""
        return any(each.hosts_components for each in self.variants)

    def as_json(self) -> dict[str, Any]:
        """Return what the store keeps."""
        return asdict(self)

    @classmethod
    def of_json(cls, kept: Document) -> "Plan":
        """Return what was kept."""
        variants = tuple(_kept_variant(each) for each in kept["variants"])
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
            _variant(
                config,
                each,
                models.get(each.get("ModelName", "")),
                find,
                at,
                shadow=member == SHADOWS,
            )
            for member in VARIANTS
            for each in config.get(member) or ()
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
    model: Document | None,
    find: Callable[[str], Image],
    at: float,
    *,
    shadow: bool,
) -> VariantPlan:
    routing = variant.get("RoutingConfig") or {}
    serverless = variant.get("ServerlessConfig")
    return VariantPlan(
        name=variant["VariantName"],
        containers=() if model is None else container_plans(model, find, at),
        isolated=config["EnableNetworkIsolation"]
        or (model is not None and model["EnableNetworkIsolation"]),
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
        direct=model is not None and is_direct(model),
        shadow=shadow,
        managed=_managed(variant),
    )


def _managed(variant: Document) -> Document | None:
    """Return ManagedInstanceScaling where it is enabled. That a count that is left out is the
    initial one is unverified.
    """
    managed = variant.get("ManagedInstanceScaling") or {}
    if managed.get("Status") != "ENABLED":
        return None
    initial = variant["InitialInstanceCount"]
    return {"MinInstanceCount": initial, "MaxInstanceCount": initial, **managed}


def container_plans(
    model: Document, find: Callable[[str], Image], at: float
) -> tuple[ContainerPlan, ...]:
    """Return the containers of a model, as Describe answers it; else as ``plan_of``."""
    containers = containers_of(model)
    names = [PRIMARY] if len(containers) == 1 else [*_names(containers)]
    return tuple(
        _container(each, find(each["Image"]), at, place=place, name=name)
        for place, (each, name) in enumerate(zip(containers, names, strict=True))
    )


def _names(containers: Sequence[Document]) -> Iterator[str]:
    """Yield what each of several is called."""
    for number, each in enumerate(containers, start=1):
        yield each.get("ContainerHostname") or numbered(number)


def _container(
    container: Document, image: Image, at: float, *, place: int, name: str
) -> ContainerPlan:
    more = container.get("AdditionalModelDataSources") or ()
    return ContainerPlan(
        place=place,
        name=name,
        image=container["Image"],
        image_id=image.id,
        resolved=_resolved(container["Image"], image),
        resolved_at=at,
        environment=dict(container.get("Environment") or {}),
        data=data_of(container),
        more_data={each["ChannelName"]: dict(each["S3DataSource"]) for each in more},
        many_models=many_models(container),
        caches=(container.get("MultiModelConfig") or {}).get("ModelCacheSetting") != "Disabled",
    )


def _kept_variant(kept: Document) -> VariantPlan:
    containers = tuple(ContainerPlan(**each) for each in kept["containers"])
    return VariantPlan(**{**kept, "containers": containers})


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
