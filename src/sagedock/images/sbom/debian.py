"""Packages of Debian and what is made of it: dpkg's status, and the copyright files beside it."""

import re
from collections.abc import Iterator, Mapping

from sagedock.images.sbom.licences import UNKNOWN, Licence, licence_of_debian
from sagedock.images.sbom.package import OsRelease, Package, clean

__all__ = ["licence_lines", "licence_told", "os_release", "packages_of_status"]

_FIELD = re.compile(rb"^([A-Za-z][A-Za-z0-9-]*):[ \t]*(.*(?:\n[ \t].*)*)", re.MULTILINE)
_PARAGRAPHS = re.compile(rb"\n(?:[ \t]*\n)+")
_COMMON = re.compile(rb"/usr/share/common-licenses/([A-Za-z0-9.+-]*[A-Za-z0-9+])")
_OF_STATUS = (b"Package", b"Status", b"Version", b"Architecture", b"Source", b"Depends")
_SOURCE = re.compile(r"(\S+)(?:\s+\((.+)\))?")
_MOST_LICENCES, _LONGEST_LICENCE = 500, 300


def packages_of_status(
    status: bytes, path: str, system: OsRelease, licences: Mapping[str, Licence]
) -> Iterator[Package | str]:
    """Yield the packages that dpkg has installed, and, as text, paragraphs that are none.

    ``licences`` are those of the copyright files, by the name of the package. Source: deb822(5),
    and https://www.debian.org/doc/debian-policy/ch-controlfields.html
    """
    for paragraph in _PARAGRAPHS.split(status.replace(b"\r\n", b"\n").strip()):
        if not paragraph.strip():
            continue
        fields = {name: value for name, value in _FIELD.findall(paragraph) if name in _OF_STATUS}
        if not fields.get(b"Status", b" installed").endswith(b" installed"):
            continue  # removed, its configuration left
        name, version = clean(fields.get(b"Package", b"")), clean(fields.get(b"Version", b""))
        if not name or not version:
            yield f"a paragraph without package or version: {clean(paragraph, 60)!a}"
            continue
        source = _SOURCE.fullmatch(clean(fields.get(b"Source", b"")))
        yield Package(
            ecosystem="debian",
            name=name,
            version=version,
            path=path,
            licence=licences.get(name, UNKNOWN),
            needs=_needs(fields.get(b"Depends", b"")),
            architecture=clean(fields.get(b"Architecture", b"")),
            source=source[1] if source else name,
            source_version=(source[2] if source else None) or version,
            distro=system.id,
            codename=system.codename,
        )


def _needs(depends: bytes) -> tuple[str, ...]:
    """Return the names in a field Depends, all choices of each."""
    names = re.split(r"[,|]", clean(depends, 20_000))
    found = (re.match(r"\s*([a-z0-9][a-z0-9+.-]*)", name) for name in names)
    return tuple(dict.fromkeys(each[1] for each in found if each))


def licence_lines(copyright_file: bytes) -> bytes:
    """Return what a copyright file says of licences: a line for each that files are under, or, of
    one that is no machine's to read, for each common licence that it points to, after a ``?``.
    """
    paragraphs = _PARAGRAPHS.split(copyright_file.replace(b"\r\n", b"\n").strip())
    head = dict(_FIELD.findall(paragraphs[0]))
    if (
        b"copyright-format" not in head.get(b"Format", b"")
        and b"dep5" not in head.get(b"Format", b"").lower()
    ):
        found = sorted(set(_COMMON.findall(copyright_file)))
        return b"\n".join(b"?" + each for each in found[:_MOST_LICENCES])
    fields = [dict(_FIELD.findall(each)) for each in paragraphs]
    told = [each for each in fields if b"Files" in each] or fields[:1]
    lines = (each.get(b"License", b"").split(b"\n")[0].strip() for each in told)
    found = sorted({line[:_LONGEST_LICENCE] for line in lines} - {b""})
    return b"\n".join(found[:_MOST_LICENCES])


def licence_told(lines: bytes) -> Licence:
    """Return the licence that the lines of ``licence_lines`` tell."""
    said = [clean(line, _LONGEST_LICENCE) for line in lines.split(b"\n") if line]
    if mentions := tuple(line[1:] for line in said if line.startswith("?")):
        return Licence(mentions=mentions)
    return licence_of_debian(said)


def os_release(text: bytes) -> OsRelease:
    """Return what an os-release file says. Source: os-release(5)."""
    found = {}
    for line in text.decode(errors="replace").splitlines():
        name, equals, value = line.partition("=")
        if equals:
            found[name.strip()] = clean(value.strip().strip("\"'"))
    return OsRelease(
        id=found.get("ID", ""),
        version=found.get("VERSION_ID", ""),
        codename=found.get("VERSION_CODENAME", ""),
        title=found.get("PRETTY_NAME", ""),
    )
