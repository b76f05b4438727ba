"""SSH keys and configuration of one job, in a folder that only root reads.

Nothing of it lies in the image: a key that did would open every job of everybody who has the image.
"""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from sagedock.contract import network
from sagedock.errors import ContractBroken

__all__ = ["SSHD", "client_config", "is_public_key", "new_key", "server_config"]

SSHD = Path("/usr/sbin/sshd")
_PUBLIC_KEY = re.compile(r"ssh-ed25519 [A-Za-z0-9+/]{40,200}={0,2}")

_CLIENT = """\
Host *
User root
Port {port}
IdentityFile {folder}/key
IdentitiesOnly yes
UserKnownHostsFile {folder}/known_hosts
GlobalKnownHostsFile /dev/null
StrictHostKeyChecking yes
BatchMode yes
ConnectTimeout 30
ServerAliveInterval 30
LogLevel ERROR
"""
_SERVER = """\
Port {port}
HostKey {folder}/key
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AllowUsers root
DisableForwarding yes
UsePAM no
PidFile none
PrintMotd no
MaxStartups 200
LogLevel ERROR
ForceCommand {python} -m sagedock.runtime.mpi.session {folder}/environment.json
"""


def is_public_key(text: str) -> bool:
    """Say whether a line that came over the network is a public key, and nothing beside it."""
    return _PUBLIC_KEY.fullmatch(text) is not None


def new_key(folder: Path) -> str:
    """Make a key pair, ``key`` and ``key.pub``, in ``folder``; return the public one, bare."""
    made = subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(folder / "key")],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise ContractBroken(f"ssh-keygen made no key: {made.stderr.strip()}")
    return " ".join((folder / "key.pub").read_text(encoding="ascii").split()[:2])


def client_config(folder: Path, host_keys: Mapping[str, str]) -> Path:
    """Write what ssh needs to reach the hosts of ``host_keys``; return its configuration."""
    known = "".join(f"{host} {key}\n" for host, key in host_keys.items())
    (folder / "known_hosts").write_text(known, encoding="ascii")
    file = folder / "ssh_config"
    file.write_text(_CLIENT.format(folder=folder, port=network.SSH_PORT), encoding="ascii")
    return file


def server_config(folder: Path, leader_key: str, environment: Mapping[str, str]) -> Path:
    """Write what sshd needs to serve the leader, and nobody else; return its configuration.

    Sessions get ``environment``: this host's, which ssh would not carry over.
    """
    variables = folder / "environment.json"
    variables.touch(mode=0o600)
    variables.write_text(json.dumps(dict(environment)), encoding="utf-8")
    (folder / "authorized_keys").write_text(leader_key + "\n", encoding="ascii")
    file = folder / "sshd_config"
    text = _SERVER.format(folder=folder, port=network.SSH_PORT, python=sys.executable)
    file.write_text(text, encoding="ascii")
    return file
