"""Docker's plugin buildx, which Debian 12 does not have: out of a later release's package."""

import hashlib
import lzma
import subprocess
import urllib.request
from pathlib import Path

import pytest

from sagedock.images.builder import probe

__all__ = ["home_with_buildx"]

_ROOT = Path(__file__).resolve().parents[2]
_RELEASE, _SINCE = "bookworm", "trixie"
_PACKAGE = "docker-buildx"
_TIMEOUT_S = 60


def home_with_buildx(folder: Path) -> Path:
    """Return a home whose docker client has the plugin; skip the test where none can be had."""
    plugins = folder / ".docker" / "cli-plugins"
    plugins.mkdir(parents=True)
    mirror = probe([str(_ROOT / "containers" / "base" / "mirror.sh"), _RELEASE])
    if mirror is None:
        pytest.skip(f"no mirror of Debian here serves {_PACKAGE}")
    try:
        package = _package(mirror)
    except OSError as error:
        pytest.skip(f"{_PACKAGE} cannot be had: {error}")
    file = folder / f"{_PACKAGE}.deb"
    file.write_bytes(package)
    subprocess.run(["dpkg-deb", "--extract", str(file), str(folder / "package")], check=True)
    found = folder / "package" / "usr" / "libexec" / "docker" / "cli-plugins" / "docker-buildx"
    found.rename(plugins / found.name)
    return folder


def _package(mirror: str) -> bytes:
    index = lzma.decompress(_fetched(f"{mirror}/dists/{_SINCE}/main/binary-amd64/Packages.xz"))
    (found,) = (
        dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line[1:])
        for paragraph in index.decode().split("\n\n")
        if paragraph.startswith(f"Package: {_PACKAGE}\n")
    )
    package = _fetched(f"{mirror}/{found['Filename']}")
    assert hashlib.sha256(package).hexdigest() == found["SHA256"]
    return package


def _fetched(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:
        body: bytes = answer.read()
    return body
