"""What the programs of one job need to find each other: interface, host name, EFA."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path

from sagedock.contract import paths
from sagedock.contract.fabric import fabric_of
from sagedock.runtime.toolkit import Environment

__all__ = ["interface_of", "network_variables", "with_job_name"]

_INTERFACES = Path("/sys/class/net")
_LOOPBACK = "lo"
_PRELOAD = "LD_PRELOAD"


def interface_of(job: Environment, interfaces: Path = _INTERFACES) -> str | None:
    """Return the interface that resourceconfig.json names; where it is not there, the first other.

    None where the container has no network but the loopback.
    """
    there = sorted(each.name for each in interfaces.iterdir() if each.name != _LOOPBACK)
    return job.network_interface if job.network_interface in there else next(iter(there), None)


def network_variables(job: Environment, interfaces: Path = _INTERFACES) -> dict[str, str]:
    """Return the variables of NCCL, gloo and libfabric for this host."""
    fabric = fabric_of(job.instance_type)
    found = fabric.variables() if fabric else {}
    interface = interface_of(job, interfaces)
    if len(job.distribution_hosts) > 1 and interface:
        found |= {"NCCL_SOCKET_IFNAME": interface, "GLOO_SOCKET_IFNAME": interface}
    return found


def with_job_name(env: Mapping[str, str], library: Path | None = None) -> dict[str, str]:
    """Return the variable by which ``gethostname`` answers the job's name for this host, algo-N.

    The platform calls every host `aws`, so that NCCL and MPI take all ranks for those of one host.
    The toolkit ships the library; it reads resourceconfig.json, and crashes where that is missing.
    """
    library = library or _hostname_library()
    if library is None or not Path(paths.RESOURCE_CONFIG.path).is_file():
        return {}
    return {_PRELOAD: ":".join(filter(None, (str(library), env.get(_PRELOAD))))}


def _hostname_library() -> Path | None:
    found = importlib.util.find_spec("gethostname")
    return Path(found.origin) if found and found.origin else None
