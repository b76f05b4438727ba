"""A package that was found in an image, as data."""

import unicodedata
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from sagedock.images.sbom.licences import Licence

__all__ = ["Ecosystem", "OsRelease", "Package", "clean"]

#: Whose package it is: of a Linux distribution, a Python distribution, a jar's, or a Java runtime.
Ecosystem = Literal["debian", "python", "java", "runtime"]


@dataclass(frozen=True, kw_only=True)
class OsRelease:
    """What an image's os-release says: ``id`` such as debian, ``codename`` such as bookworm."""

    id: str
    version: str
    codename: str
    title: str


@dataclass(frozen=True, kw_only=True)
class Package:
    """One package. ``path`` is the file that tells of it, without the leading slash.

    ``name`` is with its group in front (``group:artifact``) for Java. ``needs`` are names of
    packages of the same ecosystem. ``vendored_by`` is the package that brings this one as a part of
    itself. ``source`` and ``source_version`` are what a Debian package was built from; ``distro``
    and ``codename`` whose it is. ``sha256`` is that of the archive it was installed from, where
    that is told; ``record_sha256`` that of the list of its files and their hashes.
    """

    ecosystem: Ecosystem
    name: str
    version: str
    path: str
    licence: Licence
    needs: tuple[str, ...] = ()
    architecture: str = ""
    source: str = ""
    source_version: str = ""
    distro: str = ""
    codename: str = ""
    vendored_by: str = ""
    sha256: str = ""
    record_sha256: str = ""

    @property
    def purl(self) -> str:
        """The package URL. Source: https://github.com/package-url/purl-spec (its types)."""
        version = f"@{_part(self.version)}" if self.version else ""
        match self.ecosystem:
            case "debian":
                more = f"?arch={_part(self.architecture)}" if self.architecture else ""
                if self.codename:
                    more += f"{'&' if more else '?'}distro={_part(self.codename)}"
                distro = _part(self.distro or "debian")
                return f"pkg:deb/{distro}/{_part(self.name.lower())}{version}{more}"
            case "python":
                return f"pkg:pypi/{_part(self.name.lower().replace('_', '-'))}{version}"
            case "java":
                group, _, artifact = self.name.rpartition(":")
                return f"pkg:maven/{_part(group) + '/' if group else ''}{_part(artifact)}{version}"
            case "runtime":
                return f"pkg:generic/{_part(self.name)}{version}"

    @property
    def ref(self) -> str:
        """What names this one in its document: two of one purl may be in an image."""
        return f"{self.ecosystem}:/{self.path}#{self.name}@{self.version}:{self.architecture}"


def clean(text: str | bytes, longest: int = 200) -> str:
    """Return a text of an image's as one line that may be printed, cut where it is too long."""
    said = text.decode(errors="replace") if isinstance(text, bytes) else text
    said = said[: 4 * longest].encode(errors="replace").decode()
    shown = "".join(" " if unicodedata.category(each)[0] == "C" else each for each in said)
    line = " ".join(shown.split())
    return line if len(line) <= longest else f"{line[: longest - 3]}..."


def _part(text: str) -> str:
    return quote(text, safe=":")
