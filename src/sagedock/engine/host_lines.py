"""A container's /etc/hosts, in Docker's words."""

import ipaddress
from collections.abc import Iterator, Mapping

__all__ = ["host_lines"]


def host_lines(hosts: Mapping[str, str]) -> list[str]:
    """Return each host as ``name:address``, for lookups by name and by address.

    An IPv4 address is there in its IPv6 form too, as ``ip6-name``: torch's sockets look up the
    names of the peers of an IPv6 socket, and where no name server answers each such lookup would
    take ten seconds.
    """
    return [line for name, address in hosts.items() for line in _lines(name, address)]


def _lines(name: str, address: str) -> Iterator[str]:
    yield f"{name}:{address}"
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:  # Docker's own word, host-gateway
        return
    if parsed.version == 4:
        yield f"ip6-{name}:::ffff:{address}"
