"""What a serverless container gets of this machine: the memory that its variant names."""

from collections.abc import Mapping

from sagedock.engine import Machine
from sagedock.local.settings import Settings
from sagedock.local.training.machine_limits import Share

__all__ = ["serverless_share"]

#: "Serverless Inference auto-assigns compute resources proportional to the memory" (the guide's
#: serverless-endpoints); a processor for so much is AWS Lambda's, on which it is built. Source:
#: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
_MIB_PER_CPU = 1769


def serverless_share(config: Mapping[str, int], machine: Machine, settings: Settings) -> Share:
    """Return the limits of a container by its ServerlessConfig."""
    memory_mib = config["MemorySizeInMB"]
    cpus = round(memory_mib / _MIB_PER_CPU, 2)
    limited = settings.instance_limits
    return Share(
        memory_mib=settings.container_memory_mib
        or (memory_mib if limited and memory_mib < machine.memory_mib else None),
        cpus=cpus if limited and cpus < machine.cpus else None,
        shm_mib=settings.container_shm_mib or min(memory_mib, machine.memory_mib) // 2,
    )
