"""The first host of an MPI job: it gathers the others, and tells them how mpirun ended."""

import contextlib
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sagedock.contract import network, variables
from sagedock.errors import ContractBroken
from sagedock.runtime.hosts import report_times
from sagedock.runtime.mpi import keys
from sagedock.runtime.mpi.wire import Wire

__all__ = ["Followers", "gathered"]

_GREETING_S = 30.0
_ACCEPT_S = 1.0


@dataclass(frozen=True, kw_only=True)
class Followers:
    """The other hosts, ready for mpirun, and the configuration by which ssh reaches them."""

    wires: dict[str, Wire]
    ssh_config: Path

    def end(self, exit_code: int) -> None:
        """Tell every host how mpirun ended; those that are gone need not know."""
        for wire in self.wires.values():
            with contextlib.suppress(OSError):
                wire.send(exit=exit_code)


@contextlib.contextmanager
def gathered(
    hosts: Sequence[str],
    *,
    patience: float,
    say: Callable[[str], None],
    port: int = network.MPI_PORT,
) -> Iterator[Followers]:
    """Yield the other hosts once each of them serves; leaving ends the connections.

    Raises ContractBroken naming those that did not come within ``patience`` seconds.
    """
    wires: dict[str, Wire] = {}
    with tempfile.TemporaryDirectory(prefix="sagedock-mpi-") as name:
        folder = Path(name)
        try:
            host_keys = _gather(set(hosts), wires, keys.new_key(folder), patience, say, port)
            config = keys.client_config(folder, host_keys)
            yield Followers(wires=wires, ssh_config=config)
        finally:
            for wire in wires.values():
                wire.close()


def _gather(
    hosts: set[str],
    wires: dict[str, Wire],
    key: str,
    patience: float,
    say: Callable[[str], None],
    port: int,
) -> dict[str, str]:
    """Fill ``wires``, and return each host's public key."""
    host_keys: dict[str, str] = {}
    reports, start = report_times(), time.monotonic()
    next_report = next(reports)
    with socket.create_server(("", port), backlog=len(hosts) + 1) as server:
        server.settimeout(_ACCEPT_S)
        while missing := sorted(hosts - host_keys.keys()):
            waited = time.monotonic() - start
            if waited >= patience:
                raise ContractBroken(_never(missing, waited))
            if waited >= next_report:
                say(f"waiting for {', '.join(missing)} to serve mpirun ({waited:.0f} s)...")
                next_report = next(time_s for time_s in reports if time_s > waited)
            with contextlib.suppress(TimeoutError):
                _welcome(server.accept()[0], hosts, wires, host_keys, key)
    return host_keys


def _welcome(
    connection: socket.socket,
    hosts: set[str],
    wires: dict[str, Wire],
    host_keys: dict[str, str],
    key: str,
) -> None:
    """Exchange public keys with a host, and wait until it serves; others are turned away."""
    connection.settimeout(_GREETING_S)
    wire = Wire(connection)
    try:
        host, host_key = wire.receive("host", "key")
        if host not in hosts or not keys.is_public_key(host_key):
            wire.close()
            return
        wire.send(key=key)
        wire.receive("serves")
    except OSError:  # it went away, or is no host of ours: one that is comes again
        wire.close()
        return
    connection.settimeout(None)
    if host in wires:
        wires[host].close()
    wires[host], host_keys[host] = wire, host_key


def _never(missing: Sequence[str], waited: float) -> str:
    return (
        f"{', '.join(missing)} did not come in {waited:.0f} s to serve mpirun: see the log of each,"
        f" and whether port {network.MPI_PORT} is open between the hosts."
        f" {variables.SAGEDOCK_HOSTS_RESOLVE_S} sets how long to wait"
    )
