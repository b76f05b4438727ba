"""The hosts of one job: the network that they share on this machine, and their places on it."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from sagedock.contract import network as names
from sagedock.engine import Network
from sagedock.local.platform import Platform

__all__ = ["HOSTNAME", "HOST_LABEL", "Hosts", "Seat"]

HOST_LABEL = "sagedock.host"
#: What ``gethostname`` answers on the platform. Source: aws/deep-learning-containers,
#: start_with_right_hostname.sh, which exists because of it.
HOSTNAME = "aws"
_LOOPBACK = "127.0.0.1"
#: The hosts' first address in their subnet, behind the gateway's.
_FIRST_ADDRESS = 10


@dataclass(frozen=True, kw_only=True)
class Seat:
    """One host's place on the network: what its container is created with."""

    aliases: tuple[str, ...]
    address: str | None
    extra_hosts: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Hosts:
    """The hosts of one job by name, algo-1 first. ``network`` is what a network of their own is
    called, and ``labels`` what it carries.
    """

    platform: Platform
    names: tuple[str, ...]
    network: str
    labels: Mapping[str, str]
    isolated: bool

    def joined(self) -> Network:
        """Return the network that the hosts share, made if need be.

        One host has the server's network, or none; several have one of their own.
        """
        if len(self.names) == 1:
            name = "none" if self.isolated else self.platform.network
            return Network(name=name, gateway=None)
        return self.platform.engine.ensure_network(
            self.network, self.labels, isolated=self.isolated
        )

    def seat(self, host: str, network: Network) -> Seat:
        """Return the place of one host on ``network``."""
        addresses = self._addresses(network)
        alone = len(self.names) == 1
        return Seat(
            aliases=() if alone else (host,),
            address=None if alone else addresses.get(host),
            extra_hosts={**self.platform.container_hosts, **addresses},
        )

    def _addresses(self, network: Network) -> Mapping[str, str]:
        """Return each host's address, fixed for the whole job.

        A name that the engine resolves is gone when its container ends; on the platform it stays.
        """
        if len(self.names) == 1:
            return {names.host(1): _LOOPBACK}
        if network.subnet is None:
            return {}
        first = ipaddress.ip_network(network.subnet)[_FIRST_ADDRESS]
        return {host: str(first + number) for number, host in enumerate(self.names)}
