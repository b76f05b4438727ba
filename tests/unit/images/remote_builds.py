"""Remote builds for tests: a project in git, what is wanted of it, and the local AWS."""

import hashlib
import subprocess
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

from sagedock.cli.build_remote_options import Asked
from sagedock.images.image import Image
from sagedock.images.remote.aws import Aws
from sagedock.images.remote.packing import Packed, pack
from sagedock.images.remote.sources import project_sources
from sagedock.images.remote.wanted import Wanted
from tests.conftest import ACCOUNT, REGION, Local

MATRIX = """
[[image]]
name = "mine"
kind = "training"
device = "cpu"
dockerfile = "Dockerfile"
target = "t"
repository = "team/mine"
tag = "1"
base = "b"
"""
FILES = {
    "buildspec.yml": "version: 0.2\n",
    "Makefile": "build:\n",
    "containers/images.toml": MATRIX,
    "containers/Dockerfile": "FROM b AS t\n",
    ".gitignore": "data/\n",
}


def image(**changes: Any) -> Image:
    usual = {
        "name": "mine",
        "kind": "training",
        "device": "cpu",
        "dockerfile": "Dockerfile",
        "target": "t",
        "repository": "team/mine",
        "tag": "1",
        "base": "b",
    }
    return Image(**{**usual, **changes})


def wanted(**changes: Any) -> Wanted:
    """Return a build of ``mine``, in a project that no other test has."""
    usual = {
        "account": ACCOUNT,
        "region": REGION,
        "partition": "aws",
        "project": f"p-{uuid.uuid4().hex[:12]}",
        "images": (image(),),
        "compute": Asked.compute_type,
        "environment": Asked.environment_image,
        "timeout_min": Asked.timeout_min,
        "cache": Asked.cache,
        "source_days": Asked.source_days,
        "log_days": Asked.log_days,
    }
    return Wanted(**{**usual, **changes})


def aws(local: Local, region: str = REGION) -> Aws:
    return Aws(client=lambda service: local.client(service, region), region=region)


def git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True)


def project(folder: Path, **files: str) -> Path:
    """Make a project in git at ``folder``, with ``files`` besides the usual ones."""
    for name, text in {**FILES, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(folder, "init", "-q")
    git(folder, "add", ".")
    return folder


def packed(folder: Path) -> Packed:
    made = project(folder / "project")
    return pack(project_sources(made), folder / "sources.zip")


def enlarged(small: Packed, size: int) -> Packed:
    """Return the zip with ``size`` bytes more, so that it is sent in parts."""
    with small.path.open("ab") as file:
        file.write(b"\0" * size)
    digest = hashlib.sha256(small.path.read_bytes()).hexdigest()
    return replace(small, digest=digest, size=small.size + size)
