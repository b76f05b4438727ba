"""What a component is made of, taken down when it is deployed, and what each copy needs."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from sagedock.contract import limits
from sagedock.engine import Image
from sagedock.local.hosting.plan import Plan, VariantPlan, container_plans

__all__ = ["Deployment", "Needs", "deployment_of"]

Document = Mapping[str, Any]

_FLEET_BYTES = 4


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What is reserved for one copy on its instance; memory in MB. It may use ``most_memory_mb``,
    or where that is None whatever there is.
    """

    memory_mb: int
    most_memory_mb: int | None = None
    cpus: float = 0.0
    accelerators: float = 0.0

    @classmethod
    def of(cls, requirements: Document) -> "Needs":
        """Return what ComputeResourceRequirements say."""
        return cls(
            memory_mb=requirements["MinMemoryRequiredInMb"],
            most_memory_mb=requirements.get("MaxMemoryRequiredInMb"),
            cpus=requirements.get("NumberOfCpuCoresRequired", 0.0),
            accelerators=requirements.get("NumberOfAcceleratorDevicesRequired", 0.0),
        )


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """The plan of a component, of one variant whose instances are copies, and what each needs;
    ``specification`` is the request's.
    """

    plan: Plan
    needs: Needs
    specification: Document

    @property
    def variant(self) -> VariantPlan:
        """The plan's only variant."""
        return self.plan.variants[0]

    @property
    def copies(self) -> int:
        """How many there are to be."""
        return self.variant.count

    def with_copies(self, count: int) -> "Deployment":
        """Return the same with another number of copies."""
        desire = {"DesiredInstanceCount": count}
        return replace(self, plan=self.plan.with_desires({self.variant.name: desire}))

    def as_json(self) -> dict[str, Any]:
        """Return what the store keeps."""
        return {
            "plan": self.plan.as_json(),
            "needs": asdict(self.needs),
            "specification": self.specification,
        }

    @classmethod
    def of_json(cls, kept: Document) -> "Deployment":
        """Return what was kept."""
        return cls(
            plan=Plan.of_json(kept["plan"]),
            needs=Needs(**kept["needs"]),
            specification=kept["specification"],
        )


def deployment_of(
    specification: Document,
    model: Document,
    host: VariantPlan,
    *,
    copies: int,
    find: Callable[[str], Image],
    at: float,
) -> Deployment:
    """Return the deployment of a model (as Describe answers one) on the instances of ``host``.

    ``find`` returns the image of a name, or raises ImageNotFound; ``at`` is now, in epoch seconds.
    """
    startup = specification.get("StartupParameters") or {}
    variant = replace(
        host,
        containers=container_plans(model, find, at),
        isolated=host.isolated or model["EnableNetworkIsolation"],
        count=copies,
        weight=1.0,
        download_s=startup.get("ModelDataDownloadTimeoutInSeconds", int(limits.MODEL_DOWNLOAD_S)),
        startup_s=startup.get(
            "ContainerStartupHealthCheckTimeoutInSeconds", int(limits.SERVING_STARTUP_S)
        ),
    )
    return Deployment(
        plan=Plan(fleet=secrets.token_hex(_FLEET_BYTES), config="", variants=(variant,)),
        needs=Needs.of(specification["ComputeResourceRequirements"]),
        specification=dict(specification),
    )
