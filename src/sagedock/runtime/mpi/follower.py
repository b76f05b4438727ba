"""Any other host of an MPI job: it serves mpirun until the first host says that it ended.

``python -m sagedock.runtime.mpi.follower LEADER HOST``; the environment is that of the ranks here.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sagedock.contract import network, variables
from sagedock.errors import ContractBroken, SagedockError
from sagedock.runtime.hosts import patience_s, report_times
from sagedock.runtime.log import say
from sagedock.runtime.mpi import keys
from sagedock.runtime.mpi.wire import Wire

__all__ = ["MODULE", "command", "main", "reach"]

MODULE = "sagedock.runtime.mpi.follower"
_CONNECT_S = 5.0
_PAUSE_S = 0.2
_LOOK_S = 1.0
#: Where sshd goes when it takes a connection: it must be there, and root's.
_PRIVILEGE_SEPARATION = Path("/run/sshd")


def command(leader: str, host: str) -> list[str]:
    """Return the command that serves on ``host``."""
    return [sys.executable, "-m", MODULE, leader, host]


def main(leader: str, host: str, env: Mapping[str, str] = os.environ) -> int:
    """Serve until the end is told, and return 0: how mpirun ended is the first host's to say.

    Returns 1, and says why, where the first host is not to be reached, or is gone without a word.
    """
    try:
        wire = reach(leader, network.MPI_PORT, patience=patience_s(env), say=say)
        with tempfile.TemporaryDirectory(prefix="sagedock-mpi-") as name:
            _serve(wire, leader, host, Path(name), env)
    except SagedockError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def reach(leader: str, port: int, *, patience: float, say: Callable[[str], None]) -> Wire:
    """Connect to the first host, which may start later; raise ContractBroken after ``patience``."""
    reports, start = report_times(), time.monotonic()
    next_report = next(reports)
    while True:
        try:
            connection = socket.create_connection((leader, port), timeout=_CONNECT_S)
        except OSError as error:
            waited = time.monotonic() - start
            if waited >= patience:
                raise ContractBroken(_unreached(leader, waited, error)) from error
            if waited >= next_report:
                say(f"waiting for {leader} to start mpirun ({waited:.0f} s)...")
                next_report = next(time_s for time_s in reports if time_s > waited)
            time.sleep(_PAUSE_S)
        else:
            connection.settimeout(None)
            return Wire(connection)


def _unreached(leader: str, waited: float, error: OSError) -> str:
    return (
        f"{leader} did not take a connection for MPI in {waited:.0f} s ({error}): its log says why."
        f" {variables.SAGEDOCK_HOSTS_RESOLVE_S} sets how long to wait"
    )


def _serve(wire: Wire, leader: str, host: str, folder: Path, env: Mapping[str, str]) -> None:
    try:
        wire.send(host=host, key=keys.new_key(folder))
        (key,) = wire.receive("key")
        if not keys.is_public_key(key):
            raise ContractBroken(f"{leader} sent what is no public key: {key[:60]!r}")
        with _sshd(keys.server_config(folder, key, env)) as sshd:
            wire.send(serves="yes")
            while not wire.spoke(within_s=_LOOK_S):
                if sshd.poll() is not None:
                    raise ContractBroken(f"sshd ended with {sshd.returncode}, before mpirun did")
            (code,) = wire.receive("exit")
    except OSError as error:
        raise ContractBroken(
            f"{leader} is gone, and did not say how mpirun ended ({error}): its log says why"
        ) from error
    say(f"mpirun ended on {leader} with {code}")


@contextmanager
def _sshd(config: Path) -> Iterator["subprocess.Popen[bytes]"]:
    _PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)
    sshd = subprocess.Popen([str(keys.SSHD), "-D", "-e", "-f", str(config)])
    try:
        yield sshd
    finally:
        sshd.terminate()
        sshd.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
