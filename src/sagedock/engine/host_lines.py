"""A container's /etc/hosts, in Docker's words."""

import ipaddress
from collections.abc import Iterator, Mapping

__all__ = ["host_lines"]


def host_lines(hosts: Mapping[str, str]) -> list[str]:
    """Return each host as ``name:address``, for lookups by name and by address.

    An IPv4 address is there in its IPv6 form too: torch's sockets look up the names of the peers of
    an IPv6 socket, and where no name server answers each such lookup would take ten seconds.
    """
    return [f"{name}:{form}" for name, address in hosts.items() for form in _forms(address)]


def _forms(address: str) -> Iterator[str]:
    yield address
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:  # Docker's own word, host-gateway
        return
    if parsed.version == 4:
        yield f"::ffff:{address}"
