"""Images that hold packages, as an engine saves them."""

import io
import zipfile
from collections.abc import Mapping
from typing import Any

from sagedock.images.preflight.saved import read_saved
from sagedock.images.sbom.document import document, text_of
from sagedock.images.sbom.inventory import Inventory, inventory
from sagedock.images.sbom.layer import LayerReader
from sagedock.images.sbom.making import Sbom
from tests.unit.images.made_images import Content, layer, saved

ID = f"sha256:{'ab' * 32}"
SITE = "opt/venv/lib/python3.11/site-packages"
BOOKWORM = {
    "etc/os-release": b'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n'
    b'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'
}
FORMAT = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n"


def deb(name: str, version: str, *more: str) -> str:
    """Return a paragraph of dpkg's status."""
    lines = (f"Package: {name}", "Status: install ok installed", f"Version: {version}", *more)
    return "\n".join([*lines, "Description: probe", " of several lines", " .", "", ""])


def status(*paragraphs: str) -> dict[str, Content]:
    """Return dpkg's status, and whose packages they are."""
    return {**BOOKWORM, "var/lib/dpkg/status": "".join(paragraphs).encode()}


def copyrights(name: str, *licences: str) -> dict[str, Content]:
    """Return a package's machine-readable copyright file."""
    files = "".join(
        f"Files: {n}/*\nCopyright: me\nLicense: {each}\n text\n\n"
        for n, each in enumerate(licences)
    )
    return {f"usr/share/doc/{name}/copyright": (FORMAT + files).encode()}


def dist(name: str, version: str, *fields: str, site: str = SITE) -> dict[str, Content]:
    """Return the metadata of an installed distribution."""
    head = "\n".join(["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", *fields])
    folder = f"{site}/{name.replace('-', '_')}-{version}.dist-info"
    return {f"{folder}/METADATA": f"{head}\n\nA description.\nName: not this\n".encode()}


def jar(*poms: tuple[str, str, str]) -> bytes:
    """Return a jar with what Maven leaves of each (group, artifact, version)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")
        for group, artifact, version in poms:
            text = f"#made\ngroupId={group}\nartifactId={artifact}\nversion={version}\n"
            archive.writestr(f"META-INF/maven/{group}/{artifact}/pom.properties", text)
    return buffer.getvalue()


def found_in(*layers: Mapping[str, Content], **changes: Any) -> Inventory:
    """Return what is found in an image of these layers."""
    archive = saved(*map(layer, layers), **changes)
    return inventory(read_saved(iter([archive]), lambda _: None, LayerReader().read))


def sbom_of(*layers: Mapping[str, Content], **changes: Any) -> Sbom:
    """Return the document of such an image."""
    made = document(found_in(*layers, **changes), ID)
    return Sbom(document=made, text=text_of(made), made=True)


#: An image of every kind of package.
RICH = {
    **status(
        deb("libc6", "2.36", "Architecture: amd64"),
        deb("zlib1g", "1:1.2", "Architecture: amd64", "Depends: libc6 (>= 2.14)"),
    ),
    **copyrights("libc6", "LGPL-2.1+", "made up"),
    **copyrights("zlib1g", "Zlib"),
    **dist("torch", "2.9.0+cpu", "License-Expression: BSD-3-Clause", "Requires-Dist: numpy"),
    **dist("numpy", "2.4", "License: BSD"),
    **dist("numpy", "1.0", site=f"{SITE}/torch/_vendor"),
    "opt/x.jar": jar(("io.netty", "netty", "4.1")),
    "usr/share/doc/other/copyright": b"/usr/share/common-licenses/GPL-2",
}
LABELS = {
    "sagedock.image": "training-cpu",
    "org.opencontainers.image.version": "0.1.0",
    "org.opencontainers.image.base.name": "debian:bookworm",
    "org.opencontainers.image.base.digest": f"sha256:{'0' * 64}",
}
