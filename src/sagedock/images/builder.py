"""Which docker client can build here.

BuildKit is needed. A client of version 23 or newer builds with it only through the plugin buildx;
an older one, such as Debian 12's, does so by itself.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sagedock.errors import BuildFailed

__all__ = ["Builder", "find_builder", "probe"]

_FIRST_THAT_NEEDS_BUILDX = 23
_DISTRIBUTIONS_OWN = "/usr/bin/docker"
_PROBE_TIMEOUT_S = 30

#: Runs a command; returns what it printed, or None where it failed.
Probe = Callable[[Sequence[str]], str | None]


@dataclass(frozen=True, kw_only=True)
class Builder:
    """A command that builds images with BuildKit, and the variables it needs."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    docker: str


def probe(argv: Sequence[str], environ: Mapping[str, str] = os.environ) -> str | None:
    """Return what a short command prints, or None where it cannot run, fails or hangs."""
    try:
        done = subprocess.run(
            argv,
            env=dict(environ),
            capture_output=True,
            text=True,
            timeout=_PROBE_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def find_builder(environ: Mapping[str, str] = os.environ, run: Probe = probe) -> Builder:
    """Return the first client that can build, or raise BuildFailed with what to install."""
    clients = tuple(dict.fromkeys(_clients(environ.get("PATH", os.defpath))))
    for docker in clients:
        if run([docker, "buildx", "version"]) is not None:
            return _buildx(docker, run)
    for docker in clients:
        if _major_version(run([docker, "--version"])) < _FIRST_THAT_NEEDS_BUILDX:
            return Builder(
                argv=(docker, "build"), environment={"DOCKER_BUILDKIT": "1"}, docker=docker
            )
    raise BuildFailed(
        f"no docker client here can build (found: {', '.join(clients) or 'none'}): install the "
        "plugin docker-buildx, or Debian's docker.io with `make engine`"
    )


def _clients(path: str) -> Iterator[str]:
    for folder in [*path.split(os.pathsep), str(Path(_DISTRIBUTIONS_OWN).parent)]:
        if found := shutil.which("docker", path=folder):
            yield str(Path(found).parent.resolve() / "docker")


def _buildx(docker: str, run: Probe) -> Builder:
    # The builder that bears the context's name is the engine itself: only it knows local images.
    context = run([docker, "context", "show"]) or "default"
    argv = (docker, "buildx", "build", "--builder", context)
    # SageMaker's CreateModel refuses OCI manifests and attestations.
    # https://github.com/aws/amazon-sagemaker-feedback/issues/180
    plain = ("--provenance=false", "--sbom=false", "--output", "type=docker")
    return Builder(argv=argv + plain, environment={}, docker=docker)


def _major_version(text: str | None) -> int:
    found = re.search(r"version (\d+)\.", text or "")
    return int(found.group(1)) if found else _FIRST_THAT_NEEDS_BUILDX
