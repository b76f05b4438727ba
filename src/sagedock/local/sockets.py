"""The addresses that the server listens on: this machine's loopback, and the containers' bridge."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass

from sagedock.engine import Network
from sagedock.errors import LocalServerError

__all__ = ["ContainerSide", "container_side", "listen"]

_BACKLOG = 2048
#: The name that Docker Desktop gives to the machine it runs on; unverified by us.
_DESKTOP_HOST = "host.docker.internal"


@dataclass(frozen=True, kw_only=True)
class ContainerSide:
    """How containers reach the server: an address of its own on their bridge, or by a name."""

    socket: socket.socket | None
    url: str
    hosts: Mapping[str, str]


def listen(host: str, wanted: int, *, last: int | None = None) -> socket.socket:
    """Return a listening socket. Port 0 takes the one used last, if it is free, else any.

    Raises LocalServerError where the port is taken or the address is not this machine's.
    """
    ports = [wanted] if wanted else [*([last] if last else []), 0]
    problem: OSError | None = None
    for port in ports:
        try:
            return _bound(host, port)
        except OSError as error:
            problem = error
    raise LocalServerError(
        f"cannot listen on {host}:{wanted} ({problem}): choose another port with --port, or 0"
    ) from problem


def container_side(network: Network, main: socket.socket, last: int | None) -> ContainerSide:
    """Return where containers of ``network`` reach the server.

    The bridge's gateway is an address of this machine that nothing else can reach. Where it is not
    this machine's (Docker runs in a virtual machine), the engine's name for the host is used.
    """
    if network.gateway:
        try:
            own = listen(network.gateway, 0, last=last)
        except LocalServerError:
            pass
        else:
            port = own.getsockname()[1]
            return ContainerSide(socket=own, url=f"http://{network.gateway}:{port}", hosts={})
    return ContainerSide(
        socket=None,
        url=f"http://{_DESKTOP_HOST}:{main.getsockname()[1]}",
        hosts={_DESKTOP_HOST: "host-gateway"},
    )


def _bound(host: str, port: int) -> socket.socket:
    # asyncio sends at once (TCP_NODELAY) only on sockets that say they are TCP's. On others an
    # answer's body waits until the client has acknowledged its head: 40 ms.
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(_BACKLOG)
    except OSError:
        made.close()
        raise
    return made
