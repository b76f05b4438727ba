"""The containers of an endpoint: what each is made of, and by what names it is found again."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sagedock.contract import paths, routes, signals, variables
from sagedock.engine import BindMount, ContainerSpec
from sagedock.local.endpoints import container_variables
from sagedock.local.hosting.plan import Plan, VariantPlan
from sagedock.local.hosting.serverless_share import serverless_share
from sagedock.local.platform import ENDPOINT_LABEL, Platform
from sagedock.local.resources import Key
from sagedock.local.training.machine_limits import Share, share_of

__all__ = [
    "FLEET_LABEL",
    "INSTANCE_LABEL",
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

    def data_folder(self, variant: VariantPlan) -> Path:
        """Return where a variant's model is laid out."""
        return self.folder / variant.name

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

    def spec(self, variant: VariantPlan, instance: str) -> ContainerSpec:
        """Return the container of one instance. Its model is laid out, and seen read-only."""
        share = self.share(variant)
        binds = () if variant.data is None else (self._model(variant),)
        return ContainerSpec(
            name=f"{self.platform.network}-{self.key.name}-{instance}",
            image=variant.image_id,
            command=(signals.SERVE_ARGUMENT,),
            environment=self._environment(variant),
            labels={**self.labels, VARIANT_LABEL: variant.name, INSTANCE_LABEL: instance},
            network=self.network(variant),
            extra_hosts={} if variant.isolated else self.platform.container_hosts,
            binds=binds,
            memory_mib=share.memory_mib,
            cpus=share.cpus,
            shm_size_mib=share.shm_mib,
            gpus=share.gpus,
            devices=share.devices,
            # Where the engine runs in a virtual machine, its networks cannot be reached from here.
            ports=(routes.PORT,) if self.platform.container_hosts else (),
        )

    def _model(self, variant: VariantPlan) -> BindMount:
        return BindMount(target=paths.MODEL.path, source=self.data_folder(variant), read_only=True)

    def _environment(self, variant: VariantPlan) -> Mapping[str, str]:
        region = self.key.region
        return {
            **({} if variant.isolated else container_variables(self.platform.container_url)),
            variables.AWS_REGION.name: region,
            variables.AWS_DEFAULT_REGION.name: region,
            **variant.environment,
        }
