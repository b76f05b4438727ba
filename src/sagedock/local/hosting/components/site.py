"""Where the copies of a component are made: what each is, and by what names it is found again."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sagedock.api import log_groups
from sagedock.api.component_metrics import PER_COPY, component_dimension
from sagedock.local.hosting.components.deployment import Deployment, Needs
from sagedock.local.hosting.containers import FLEET_LABEL, REGION_LABEL, Site
from sagedock.local.hosting.plan import VariantPlan
from sagedock.local.hosting.tally import Tally
from sagedock.local.platform import Platform
from sagedock.local.resources import Key
from sagedock.local.training.machine_limits import Share, share_of

__all__ = [
    "COMPONENT_LABEL",
    "CopySite",
    "component_folder",
    "component_labels",
    "components_folder",
]

COMPONENT_LABEL = "sagedock.component"


def component_labels(platform: Platform, key: Key) -> Mapping[str, str]:
    """Return the labels of everything that a component has in the engine."""
    return {**platform.labels, COMPONENT_LABEL: key.name, REGION_LABEL: key.region}


def components_folder(platform: Platform) -> Path:
    """Return where components keep what their models are made of."""
    return platform.settings.home / "components"


def component_folder(platform: Platform, key: Key) -> Path:
    """Return where a component's model is laid out."""
    return components_folder(platform) / key.region / key.name


@dataclass(frozen=True, kw_only=True)
class CopySite(Site):
    """Where the copies of one deployment of a component are made. ``key`` is the component's."""

    needs: Needs

    @classmethod
    def of(cls, platform: Platform, key: Key, deployment: Deployment) -> "CopySite":
        """Return the site of a deployment."""
        return cls(platform=platform, key=key, plan=deployment.plan, needs=deployment.needs)

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels of this deployment's containers."""
        return {**component_labels(self.platform, self.key), FLEET_LABEL: self.plan.fleet}

    @property
    def folder(self) -> Path:
        """Where this deployment's model is laid out."""
        return component_folder(self.platform, self.key) / self.plan.fleet

    @property
    def log_group(self) -> str:
        """Where the copies' output is."""
        return log_groups.inference_component(self.key.name)

    def tally(self, variant: VariantPlan) -> Tally:  # noqa: ARG002 - a component is in one variant
        """Return what counts the answers of the copies."""
        dimensions = component_dimension(self.key.name)
        return Tally(region=self.key.region, dimensions=dimensions, per=PER_COPY)

    def share(self, variant: VariantPlan) -> Share:
        """Return what a copy gets of this machine: what it needs, of what the instance has.

        That the processors that are reserved are a limit, too, is unverified.
        """
        settings, machine = self.platform.settings, self.platform.machine
        whole = share_of(variant.instance_type, machine, settings)
        needs, limited = self.needs, settings.instance_limits
        memory_mib = needs.most_memory_mb
        if settings.container_memory_mib or not limited or memory_mib is None:
            memory_mib = whole.memory_mib
        elif memory_mib >= machine.memory_mib:
            memory_mib = None
        return replace(
            whole,
            memory_mib=memory_mib,
            cpus=needs.cpus if limited and 0 < needs.cpus < machine.cpus else whole.cpus,
            shm_mib=min(whole.shm_mib, memory_mib or whole.shm_mib),
            gpus=min(whole.gpus, round(needs.accelerators)),
            devices=whole.devices[: round(needs.accelerators)],
            warnings=whole.warnings if needs.accelerators else (),
        )

    def network(self, variant: VariantPlan) -> str:
        """Return the network of the copies, made if need be."""
        if not variant.isolated:
            return self.platform.network
        name = f"{self.platform.network}-{self.key.region}-component-{self.key.name}"
        labels = component_labels(self.platform, self.key)
        return self.platform.engine.ensure_network(name, labels, isolated=True).name
