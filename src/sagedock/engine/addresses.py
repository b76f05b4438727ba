"""Where a container's ports are, in Docker's words."""

from collections.abc import Mapping
from typing import Any

__all__ = ["LOOPBACK", "address_of"]

#: Published ports are this machine's alone.
LOOPBACK = "127.0.0.1"


def address_of(settings: Mapping[str, Any], port: int) -> tuple[str, int] | None:
    """Return where a port of a container is reached, by its ``NetworkSettings``; None while it is
    nowhere.
    """
    published = (settings.get("Ports") or {}).get(f"{port}/tcp")
    if published:
        return LOOPBACK, int(published[0]["HostPort"])
    networks = (settings.get("Networks") or {}).values()
    addresses = (each.get("IPAddress") for each in networks)
    found = next((address for address in addresses if address), None)
    return None if found is None else (found, port)
