"""A signed apt repository of empty packages, for as long as a test runs, on the engine's bridge."""

import hashlib
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import docker

KEY = "key.asc"


def run(*words: str, **options: object) -> bytes:
    done = subprocess.run(words, check=True, capture_output=True, timeout=60, **options)  # type: ignore[call-overload]
    return bytes(done.stdout)


class Repository:
    """Packages below ``folder``, signed by a key of its own, whose public part is KEY."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._home = folder.parent / "gnupg"
        self._home.mkdir(mode=0o700, parents=True)
        (folder / "pool").mkdir(parents=True)
        self._gpg("--passphrase", "", "--quick-gen-key", "tester@localhost", "rsa2048")
        (folder / KEY).write_bytes(self._gpg("--armor", "--export"))
        shown = self._gpg("--with-colons", "--fingerprint").decode().splitlines()
        self.fingerprint = next(line.split(":")[9] for line in shown if line.startswith("fpr:"))

    def add(self, name: str, version: str) -> None:
        """Make a package that holds one program, of its own name."""
        root = self.folder.parent / f"{name}-{version}"
        program = root / "opt" / "aws" / "neuron" / "bin" / name
        program.parent.mkdir(parents=True)
        program.write_text(f"#!/bin/sh\necho {version}\n")
        program.chmod(0o755)
        control = root / "DEBIAN" / "control"
        control.parent.mkdir()
        control.write_text(
            f"Package: {name}\nVersion: {version}\nArchitecture: amd64\n"
            "Maintainer: tester <tester@localhost>\nDescription: a test\n"
        )
        run("dpkg-deb", "--root-owner-group", "--build", str(root), str(self.folder / "pool"))

    def publish(self, suite: str, component: str) -> None:
        """Write the indexes, and sign them."""
        place = self.folder / "dists" / suite / component / "binary-amd64"
        place.mkdir(parents=True)
        packages = "\n".join(self._stanza(deb) for deb in sorted(self.folder.rglob("*.deb")))
        (place / "Packages").write_text(packages)
        digest = hashlib.sha256(packages.encode()).hexdigest()
        release = place.parents[1] / "Release"
        release.write_text(
            f"Suite: {suite}\nCodename: {suite}\nComponents: {component}\nArchitectures: amd64\n"
            "Date: Mon, 30 Nov 2026 00:00:00 UTC\n"
            f"SHA256:\n {digest} {len(packages)} {component}/binary-amd64/Packages\n"
        )
        self._gpg("--clearsign", "--output", str(release.with_name("InRelease")), str(release))

    def _stanza(self, deb: Path) -> str:
        control = run("dpkg-deb", "--field", str(deb)).decode()
        digest = hashlib.sha256(deb.read_bytes()).hexdigest()
        return (
            f"{control}Filename: {deb.relative_to(self.folder)}\nSize: {deb.stat().st_size}\n"
            f"SHA256: {digest}\n"
        )

    def _gpg(self, *words: str) -> bytes:
        return run("gpg", "--batch", "--quiet", "--homedir", str(self._home), *words)

    def close(self) -> None:
        """End the agent that gpg started for this key."""
        run("gpgconf", "--homedir", str(self._home), "--kill", "all")


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve ``folder`` where containers of the engine's own bridge reach it; yield the address."""
    client = docker.from_env()
    bridge = client.networks.get("bridge").attrs["IPAM"]["Config"][0]["Gateway"]
    client.close()
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    server = ThreadingHTTPServer((bridge, 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{bridge}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
