"""Networks of the engine, whose containers may have fixed addresses."""

import random
import time
from typing import Any

from docker.errors import APIError
from docker.types import IPAMConfig, IPAMPool

__all__ = ["make_network", "network_addresses"]

#: How often a subnet may be taken by somebody else between being chosen and being asked for.
_TRIES = 8
_PAUSE_S = 0.1


def network_addresses(api: Any, name: str) -> dict[str, str]:
    """Return the ``Subnet`` and the ``Gateway`` of a network, as far as it has them."""
    configs: list[dict[str, str]] = api.inspect_network(name)["IPAM"]["Config"] or [{}]
    return configs[0]


def make_network(api: Any, name: str, labels: dict[str, str], isolated: bool) -> None:
    """Make a bridge network whose containers may have fixed addresses; raises docker's APIError.

    Docker gives those only where the subnet was asked for: it is asked for the free one that it
    chooses itself. Another network may be given that one in between: then Docker chooses again.
    """
    for left in reversed(range(_TRIES)):
        pool = _free_pool(api, name, labels, isolated)
        if pool is None:
            return
        try:
            api.create_network(
                name,
                driver="bridge",
                labels=labels,
                internal=isolated,
                ipam=IPAMConfig(pool_configs=[pool]),
            )
        except APIError as error:
            if not left or "overlaps" not in str(error.explanation):
                raise
            time.sleep(random.uniform(0, _PAUSE_S))
        else:
            return


def _free_pool(api: Any, name: str, labels: dict[str, str], isolated: bool) -> IPAMPool | None:
    """Return a subnet that is free now; None where Docker gives none, and the network is made."""
    api.create_network(name, driver="bridge", labels=labels, internal=isolated)
    chosen = network_addresses(api, name)
    if not chosen.get("Subnet"):
        return None
    api.remove_network(name)
    return IPAMPool(subnet=chosen["Subnet"], gateway=chosen.get("Gateway"))
