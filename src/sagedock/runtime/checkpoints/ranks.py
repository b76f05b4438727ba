"""Which of a program's processes this one is, and how they tell one another something."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sagedock.contract import paths, variables
from sagedock.runtime.configuration import complete_resources, read_object
from sagedock.runtime.place import locate

__all__ = ["Ranks", "this_process"]

_LAUNCHERS = (
    (variables.RANK, variables.WORLD_SIZE),
    (variables.OMPI_COMM_WORLD_RANK, variables.OMPI_COMM_WORLD_SIZE),
)


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """This process's number among ``count``.

    ``gather`` takes a value on every rank and returns those of all ranks, in their order, to each
    of them; None where they cannot talk.
    """

    rank: int = 0
    count: int = 1
    gather: Callable[[Any], Sequence[Any]] | None = None

    @property
    def alone(self) -> bool:
        """Whether there are others that cannot be asked."""
        return self.count > 1 and self.gather is None

    def together(self, value: Any) -> Sequence[Any]:
        """Return every rank's value; this one's alone where they cannot talk."""
        return [value] if self.gather is None else self.gather(value)


def this_process(env: Mapping[str, str]) -> Ranks:
    """Return what torch.distributed, torchrun, mpirun or the platform says, in this order."""
    return _from_torch() or _from_launcher(env) or _from_hosts(env)


def _from_torch() -> Ranks | None:
    """Ask the process group, if this program has one: it is not looked for by an import."""
    distributed: Any = sys.modules.get("torch.distributed")
    if distributed is None or not distributed.is_available() or not distributed.is_initialized():
        return None
    count: int = distributed.get_world_size()
    group = distributed.new_group(backend="gloo")  # of our own, on the CPU: beside what trains

    def gather(value: Any) -> Sequence[Any]:
        found: list[Any] = [None] * count
        distributed.all_gather_object(found, value, group=group)
        return found

    return Ranks(rank=distributed.get_rank(), count=count, gather=gather)


def _from_launcher(env: Mapping[str, str]) -> Ranks | None:
    for rank, count in _LAUNCHERS:
        if rank.name in env and count.name in env:
            return Ranks(rank=int(env[rank.name]), count=int(env[count.name]))
    return None


def _from_hosts(env: Mapping[str, str]) -> Ranks:
    """Number the job's hosts, each with one process; outside of a job there is one."""
    file = locate(paths.RESOURCE_CONFIG, env)
    if not file.exists():
        return Ranks()
    resources = complete_resources(read_object(file))
    hosts = sorted(resources["hosts"])
    return Ranks(rank=hosts.index(resources["current_host"]), count=len(hosts))
