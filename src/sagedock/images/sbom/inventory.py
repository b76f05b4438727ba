"""All packages of an image, and what of it could not be read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from posixpath import basename, dirname, join, normpath
from typing import Any

from sagedock.errors import EngineError
from sagedock.images.preflight.files import Files, laid_over
from sagedock.images.preflight.saved import SavedImage
from sagedock.images.sbom.debian import licence_told, os_release, packages_of_status
from sagedock.images.sbom.java import java_runtime, packages_of_jar
from sagedock.images.sbom.layer import COPYRIGHT, DPKG, METADATA, OTHER_SYSTEMS, why_not
from sagedock.images.sbom.licences import Licence
from sagedock.images.sbom.links import hidden_by_links
from sagedock.images.sbom.package import OsRelease, Package, clean
from sagedock.images.sbom.python import distribution, vendored_distributions

__all__ = ["Inventory", "inventory"]

_MOST_PACKAGES = 50_000
_MOST_UNREAD = 1000
_DOCUMENTS = "usr/share/doc"


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """What an image holds. ``unread`` names each file that tells of packages and could not be read,
    with the reason: where there is one, packages may be missing.
    """

    config: Mapping[str, Any]
    system: OsRelease
    packages: tuple[Package, ...]
    unread: tuple[str, ...]


def inventory(image: SavedImage) -> Inventory:
    """Return what a saved image holds, in an order that depends on nothing else."""
    files = laid_over(image.layers)
    found = files.find("etc/os-release") or files.find("usr/lib/os-release")
    system = os_release(found.text if found and why_not(found.text) is None else b"")
    packages: dict[str, Package] = {}
    unread: list[str] = []
    machine = str(image.config.get("architecture") or "")
    for path, each in _told(files, system, machine):
        if isinstance(each, str):
            unread.append(f"/{clean(path, 1000)}: {each}")
        else:
            packages.setdefault(each.ref, each)
        if len(packages) > _MOST_PACKAGES or len(unread) > _MOST_UNREAD:
            raise EngineError(
                f"the image has more than {_MOST_PACKAGES} packages, or more than {_MOST_UNREAD} "
                "that cannot be read: no image that is made to be used has so many"
            )
    return Inventory(
        config=image.config,
        system=system,
        packages=tuple(
            sorted(packages.values(), key=lambda each: (each.ecosystem, each.name, each.ref))
        ),
        unread=tuple(sorted(unread)),
    )


def _told(files: Files, system: OsRelease, machine: str) -> Iterator[tuple[str, Package | str]]:
    """Yield each package with the path that tells of it, and, as text, why one is none."""
    licences, hidden = _licences(files), hidden_by_links(files)
    yield from hidden.items()
    for path, system_name in OTHER_SYSTEMS.items():
        if files.resolve(path) is not None:
            yield path, f"is of {system_name}, whose packages are not listed"
    for path, entry in files.entries.items():
        if path in hidden or not entry.text:
            continue
        if (reason := why_not(entry.text)) is not None:
            if not COPYRIGHT.fullmatch(path):
                yield path, reason
            continue
        for each in _packages(files, path, entry.text, system, machine, licences):
            yield path, each


def _packages(
    files: Files,
    path: str,
    text: bytes,
    system: OsRelease,
    machine: str,
    licences: Mapping[str, Licence],
) -> Iterator[Package | str]:
    shown = clean(path, 1000)
    if DPKG.fullmatch(path):
        yield from packages_of_status(text, shown, system, licences)
    elif METADATA.fullmatch(path):
        yield distribution(
            text,
            shown,
            machine=machine,
            sha256=_beside(files, path, "direct_url.json"),
            record_sha256=_beside(files, path, "RECORD"),
        )
    elif path.endswith("/_vendor/vendor.txt"):
        yield from vendored_distributions(text, shown)
    elif path.endswith(".jar"):
        yield from packages_of_jar(text, shown)
    elif path.endswith("/release") and (runtime := java_runtime(text, shown)):
        yield runtime


def _beside(files: Files, path: str, name: str) -> str:
    entry = files.entries.get(join(dirname(path), name))
    if entry is None or why_not(entry.text) is not None:
        return ""
    return entry.text.decode() if basename(entry.link) in ("", name) else ""


def _licences(files: Files) -> dict[str, Licence]:
    """Return the licence of each Debian package by its name; links lead from one to another's."""
    found = {}
    for path, entry in files.entries.items():
        folder, name = dirname(path), basename(path)
        if folder == _DOCUMENTS and entry.kind == "symlink":
            target = files.entries.get(f"{_DOCUMENTS}/{basename(entry.link)}/copyright")
        elif COPYRIGHT.fullmatch(path):
            name = basename(folder)
            is_link = entry.kind == "symlink"
            target = files.entries.get(_target(path, entry.link)) if is_link else entry
        else:
            continue
        if target is not None and target.text and why_not(target.text) is None:
            found[name] = licence_told(target.text)
    return found


def _target(path: str, link: str) -> str:
    return normpath(join(dirname(path), link)).lstrip("/")
