"""The containers of an endpoint: what each is made of, and by what names it is found again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sagedock.api import log_groups
from sagedock.api.metrics import variant_dimensions
from sagedock.contract import network, paths, signals, variables
from sagedock.engine import BindMount, ContainerSpec
from sagedock.local.endpoints import container_variables
from sagedock.local.hosting.plan import ContainerPlan, Plan, VariantPlan
from sagedock.local.hosting.serverless_share import serverless_share
from sagedock.local.hosting.tally import Tally
from sagedock.local.platform import ENDPOINT_LABEL, Platform
from sagedock.local.resources import Key
from sagedock.local.training.machine_limits import Share, share_of

__all__ = [
    "FLEET_LABEL",
    "INSTANCE_LABEL",
    "PLACE_LABEL",
    "REGION_LABEL",
    "VARIANT_LABEL",
    "Site",
    "endpoint_folder",
    "endpoint_labels",
    "isolated_network",
]

REGION_LABEL = "sagedock.region"
FLEET_LABEL = "sagedock.fleet"
VARIANT_LABEL = "sagedock.variant"
INSTANCE_LABEL = "sagedock.instance"
#: Which of its instance's containers it is: a number.
PLACE_LABEL = "sagedock.place"
#: Where instances have what is theirs alone, in the folder of a deployment.
_OWN = "instances"


def endpoint_labels(platform: Platform, key: Key) -> Mapping[str, str]:
    """Return the labels of everything that an endpoint has in the engine."""
    return {**platform.labels, ENDPOINT_LABEL: key.name, REGION_LABEL: key.region}


def endpoint_folder(platform: Platform, key: Key) -> Path:
    """Return where an endpoint's models are laid out."""
    return platform.endpoints_folder / key.region / key.name


def isolated_network(platform: Platform, key: Key) -> str:
    """Return the name of the network of an endpoint's containers that have no other."""
    return f"{platform.network}-{key.region}-endpoint-{key.name}"


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where the containers of one deployment of an endpoint are made."""

    platform: Platform
    key: Key
    plan: Plan

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels of this deployment's containers."""
        return {**endpoint_labels(self.platform, self.key), FLEET_LABEL: self.plan.fleet}

    @property
    def folder(self) -> Path:
        """Where this deployment's models are laid out."""
        return endpoint_folder(self.platform, self.key) / self.plan.fleet

    @property
    def log_group(self) -> str:
        """Where the containers' output is."""
        return log_groups.endpoint(self.key.name)

    def tally(self, variant: VariantPlan) -> Tally:
        """Return what counts the answers of ``variant``."""
        dimensions = variant_dimensions(self.key.name, variant.name)
        return Tally(region=self.key.region, dimensions=dimensions, config=self.plan.config)

    def data_folder(self, variant: VariantPlan, container: ContainerPlan, channel: str) -> Path:
        """Return where one of a container's sources is laid out, for every instance."""
        below = self.folder / variant.name / str(container.place)
        return below / "more" / channel if channel else below / "model"

    def instance_folder(self, instance: str) -> Path:
        """Return where an instance has what is its own."""
        return self.folder / _OWN / instance

    def models_folder(self, instance: str, container: ContainerPlan) -> Path:
        """Return where the models are that a container of many has at the moment."""
        return self.instance_folder(instance) / str(container.place)

    def share(self, variant: VariantPlan) -> Share:
        """Return what a container of ``variant`` gets of this machine."""
        if variant.serverless is not None:
            return serverless_share(
                variant.serverless, self.platform.machine, self.platform.settings
            )
        return share_of(variant.instance_type, self.platform.machine, self.platform.settings)

    def network(self, variant: VariantPlan) -> str:
        """Return the network of a variant's containers, made if need be.

        An isolated container can be reached, and reaches nothing.
        """
        if not variant.isolated:
            return self.platform.network
        name = isolated_network(self.platform, self.key)
        labels = endpoint_labels(self.platform, self.key)
        return self.platform.engine.ensure_network(name, labels, isolated=True).name

    def spec(self, variant: VariantPlan, container: ContainerPlan, instance: str) -> ContainerSpec:
        """Return one container of an instance. What it reads is laid out, and seen read-only."""
        share = self.share(variant)
        several = len(variant.containers) > 1
        place = {PLACE_LABEL: str(container.place)}
        return ContainerSpec(
            name=self._name(instance, container, several=several),
            image=container.image_id,
            command=(signals.SERVE_ARGUMENT,),
            environment=self._environment(variant, container),
            labels={
                **self.labels,
                VARIANT_LABEL: variant.name,
                INSTANCE_LABEL: instance,
                **(place if several else {}),
            },
            hostname=container.name if several else None,
            network=self.network(variant),
            extra_hosts={} if variant.isolated else self.platform.container_hosts,
            binds=tuple(self._binds(variant, container, instance)),
            memory_mib=share.memory_mib,
            cpus=share.cpus,
            shm_size_mib=share.shm_mib,
            gpus=share.gpus,
            devices=share.devices,
            # Where the engine runs in a virtual machine, its networks cannot be reached from here.
            ports=(container.port,) if self.platform.container_hosts else (),
        )

    def _name(self, instance: str, container: ContainerPlan, *, several: bool) -> str:
        name = f"{self.platform.network}-{self.key.name}-{instance}"
        return f"{name}-{container.place}" if several else name

    def _binds(
        self, variant: VariantPlan, container: ContainerPlan, instance: str
    ) -> Iterator[BindMount]:
        for channel in container.sources:
            target = paths.additional_model(channel) if channel else paths.MODEL.path
            folder = self.data_folder(variant, container, channel)
            yield BindMount(target=target, source=folder, read_only=True)
        if container.many_models:
            folder = self.models_folder(instance, container)
            yield BindMount(target=paths.MODELS.path, source=folder, read_only=True)

    def _environment(self, variant: VariantPlan, container: ContainerPlan) -> Mapping[str, str]:
        region = self.key.region
        many = {variables.SAGEMAKER_MULTI_MODEL.name: "true"} if container.many_models else {}
        return {
            **({} if variant.isolated else container_variables(self.platform.container_url)),
            variables.AWS_REGION.name: region,
            variables.AWS_DEFAULT_REGION.name: region,
            **container.environment,
            **many,
            **({} if variant.is_simple else _ports(container)),
        }


def _ports(container: ContainerPlan) -> Mapping[str, str]:
    """Return where a container listens that shares its instance, or has servers of its own."""
    first = network.SAFE_PORTS + container.place * network.SAFE_PORTS_EACH
    return {
        variables.SAGEMAKER_BIND_TO_PORT.name: str(container.port),
        variables.SAGEMAKER_SAFE_PORT_RANGE.name: f"{first}-{first + network.SAFE_PORTS_EACH - 1}",
    }
