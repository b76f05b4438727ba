"""What stands in a container's /etc/hosts for the hosts of its job."""

from collections.abc import Mapping

__all__ = ["in_both_forms"]


def in_both_forms(addresses: Mapping[str, str]) -> Mapping[str, str]:
    """Return ``addresses``, and names for their IPv4-mapped forms, as Debian has ip6-localhost.

    torch asks for the name of each peer in that form. Without an answer in /etc/hosts it waits for
    a name server, 10 s for each connection where none answers.
    """
    mapped = {f"ip6-{host}": f"::ffff:{address}" for host, address in addresses.items()}
    return {**addresses, **mapped}
