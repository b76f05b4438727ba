"""Host names, the interface, ports and routes."""

from dataclasses import dataclass
from typing import Literal

from sagedock.contract import _sources as source

__all__ = [
    "INTERFACE",
    "INVOCATIONS",
    "MASTER_PORT",
    "PING",
    "SERVING_PORT",
    "Route",
    "hosts",
]

#: The interface that resourceconfig.json names. It must exist in the container: locally it is
#: Docker's first one.
INTERFACE = "eth0"
SERVING_PORT = 8080
#: Where torchrun's first host listens for the others (source: TOOLKIT, torch_distributed.py).
MASTER_PORT = 7777


@dataclass(frozen=True, kw_only=True)
class Route:
    """One HTTP route that a serving container answers."""

    method: Literal["GET", "POST"]
    path: str
    timeout_s: int
    source: str


PING = Route(method="GET", path="/ping", timeout_s=2, source=source.INFERENCE)
INVOCATIONS = Route(method="POST", path="/invocations", timeout_s=60, source=source.INFERENCE)


def hosts(count: int) -> tuple[str, ...]:
    """Return the names of ``count`` training hosts, in the platform's lexicographic order.

    Source: RUNNING ("hosts: the list of names of all containers ... sorted lexicographically").
    """
    return tuple(sorted(f"algo-{number}" for number in range(1, count + 1)))
