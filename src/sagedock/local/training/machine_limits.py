"""A container's share of this machine, by its instance type."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sagedock.contract.instances import INSTANCES, Instance
from sagedock.engine import Machine
from sagedock.local.settings import Settings

__all__ = ["Share", "share_of"]

_MIB_PER_GIB = 1024
#: Of types that are not known. Of the others it is half their memory: what a Linux machine gives
#: its own /dev/shm (that SageMaker's containers get as much is unverified).
_SHM_MIB = 1024


@dataclass(frozen=True, kw_only=True)
class Share:
    """Limits and devices of one container, and what the user should know of them.

    None sets no limit: the type has as much as the machine, or more.
    """

    memory_mib: int | None = None
    cpus: float | None = None
    shm_mib: int = _SHM_MIB
    gpus: int = 0
    devices: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def share_of(
    instance_type: str, machine: Machine, settings: Settings, devices: Path = Path("/dev")
) -> Share:
    """Return what a container on ``instance_type`` gets of ``machine``."""
    wanted = INSTANCES.get(instance_type)
    if wanted is None:
        return Share(
            memory_mib=settings.container_memory_mib,
            shm_mib=settings.container_shm_mib or _SHM_MIB,
        )
    neurons = tuple(sorted(str(each) for each in devices.glob("neuron[0-9]*")))
    gpus = min(wanted.gpus, machine.gpus)
    memory_mib = round(wanted.memory_gib * _MIB_PER_GIB)
    limited = settings.instance_limits
    return Share(
        memory_mib=settings.container_memory_mib
        or (memory_mib if limited and memory_mib < machine.memory_mib else None),
        cpus=wanted.cpus if limited and wanted.cpus < machine.cpus else None,
        shm_mib=settings.container_shm_mib or min(memory_mib, machine.memory_mib) // 2,
        gpus=gpus,
        devices=neurons[: wanted.neuron_devices],
        warnings=tuple(_warnings(instance_type, wanted, gpus, len(neurons))),
    )


def _warnings(instance_type: str, wanted: Instance, gpus: int, neurons: int) -> Sequence[str]:
    lacks = []
    for name, asked, has in (
        ("GPU", wanted.gpus, gpus),
        ("Neuron device", wanted.neuron_devices, min(neurons, wanted.neuron_devices)),
    ):
        if has < asked:
            lacks.append(
                f"{instance_type} has {_count(asked, name)}; this machine has "
                f"{has or 'none'} that containers can get: the job runs {_with(has)}"
            )
    return lacks


def _with(number: int) -> str:
    return f"with {number}" if number else "without"


def _count(number: int, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"
