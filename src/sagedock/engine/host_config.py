"""A container's share of the machine, in Docker's words."""

from pathlib import Path
from typing import Any

from docker.types import DeviceRequest, Mount

from sagedock.engine.addresses import LOOPBACK
from sagedock.engine.host_lines import host_lines
from sagedock.engine.spec import ContainerSpec

__all__ = ["gpu_count", "host_config"]

_MIB = 1024 * 1024
_NANO = 1_000_000_000


def host_config(api: Any, spec: ContainerSpec, mounts: list[Mount]) -> Any:
    """Return the host configuration of ``spec``: its network, mounts, limits and devices."""
    return api.create_host_config(
        network_mode=spec.network,
        mounts=mounts,
        extra_hosts=host_lines(spec.extra_hosts) or None,
        mem_limit=spec.memory_mib and spec.memory_mib * _MIB,
        memswap_limit=spec.memory_mib and spec.memory_mib * _MIB,
        shm_size=spec.shm_size_mib and spec.shm_size_mib * _MIB,
        nano_cpus=spec.cpus and round(spec.cpus * _NANO),
        device_requests=_gpus(spec.gpus),
        devices=[f"{path}:{path}:rwm" for path in spec.devices] or None,
        port_bindings=dict.fromkeys(spec.ports, (LOOPBACK, None)) or None,
    )


def _gpus(count: int) -> list[DeviceRequest] | None:
    return [DeviceRequest(count=count, capabilities=[["gpu"]])] if count else None


def gpu_count(devices: Path = Path("/dev")) -> int:
    """Return how many NVIDIA GPUs this machine has, without asking the driver."""
    return sum(1 for each in devices.glob("nvidia[0-9]*") if each.name[6:].isdigit())
