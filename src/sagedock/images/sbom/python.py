"""Python distributions, by the metadata that installers leave.

Source: https://packaging.python.org/en/latest/specifications/core-metadata/
"""

import re
from collections.abc import Iterator
from posixpath import dirname

from packaging.markers import InvalidMarker, UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion

from sagedock.images.sbom.licences import (
    UNKNOWN,
    Licence,
    licence_of_classifiers,
    licence_of_text,
)
from sagedock.images.sbom.package import Package, clean

__all__ = ["distribution", "vendored_distributions"]

_FIELD = re.compile(r"^([A-Za-z][A-Za-z0-9-]*):[ \t]*(.*(?:\n[ \t].*)*)", re.MULTILINE)
_LIBRARY = re.compile(r"(?:.*/)?(?:site-packages|dist-packages)(?=/)")
_PYTHON = re.compile(r"(?:^|/)python(\d+\.\d+)(?=/)")
_PINNED = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*==\s*([A-Za-z0-9.!+_-]+)", re.MULTILINE)
_MOST_NEEDS, _LONGEST_NEED = 2000, 500
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


def distribution(
    header: bytes, path: str, *, machine: str, sha256: str = "", record_sha256: str = ""
) -> Package | str:
    """Return the distribution whose metadata begins with ``header``, or why there is none.

    ``machine`` is the image's architecture, in Docker's words.
    """
    fields: dict[str, list[str]] = {}
    for name, value in _FIELD.findall(header.decode(errors="replace").replace("\r\n", "\n")):
        fields.setdefault(name.title(), []).append(value)
    name = clean(fields.get("Name", [""])[0])
    version = clean(fields.get("Version", [""])[0], 100)
    if not name or not version:
        return "has no name, or no version"
    return Package(
        ecosystem="python",
        name=name,
        version=version,
        path=_folder(path),
        licence=_licence(fields),
        needs=_needs(fields.get("Requires-Dist", []), _environment(path, machine)),
        vendored_by=_vendored_by(path),
        sha256=sha256,
        record_sha256=record_sha256,
    )


def vendored_distributions(text: bytes, path: str) -> Iterator[Package]:
    """Yield what a ``_vendor/vendor.txt`` pins: pip's copies have no metadata of their own."""
    for name, version in _PINNED.findall(text.decode(errors="replace")):
        yield Package(
            ecosystem="python",
            name=clean(name),
            version=clean(version, 100),
            path=path,
            licence=UNKNOWN,
            vendored_by=_vendored_by(path),
        )


def _folder(path: str) -> str:
    """Return the path of what holds the metadata: a folder, or one file of an old egg-info."""
    return path if path.endswith(".egg-info") else dirname(path)


def _vendored_by(path: str) -> str:
    """Return the package below whose folder this one's metadata is, if there is one."""
    library = _LIBRARY.match(path)
    if library is None:
        return ""
    inside, _, rest = path[library.end() + 1 :].partition("/")
    is_its_own = inside.endswith((".dist-info", ".egg-info", ".egg"))
    return "" if is_its_own or not rest else clean(inside)


def _licence(fields: dict[str, list[str]]) -> Licence:
    """Return the licence by the newest of the three fields that tells it."""
    told = [licence_of_text(clean(fields.get(name, [""])[0], 8000)) for name in _LICENCE_FIELDS]
    classifiers = licence_of_classifiers(clean(each) for each in fields.get("Classifier", []))
    found = [*told, classifiers]
    with_expression = [each for each in found if each.expression]
    return next((each for each in [*with_expression, *found] if each != UNKNOWN), UNKNOWN)


_LICENCE_FIELDS = ("License-Expression", "License")


def _environment(path: str, machine: str) -> dict[str, str]:
    """Return what markers are about, as it is inside the image, and nothing of this machine."""
    found = _PYTHON.search(path)
    version = found[1] if found else "3.11"
    return {
        "extra": "",
        "implementation_name": "cpython",
        "implementation_version": f"{version}.0",
        "os_name": "posix",
        "platform_machine": _MACHINES.get(machine, machine),
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": f"{version}.0",
        "python_version": version,
        "sys_platform": "linux",
    }


def _needs(requirements: list[str], environment: dict[str, str]) -> tuple[str, ...]:
    """Return the names of what a distribution needs there, its extras aside."""
    found = []
    for each in requirements[:_MOST_NEEDS]:
        if len(each) > _LONGEST_NEED:
            continue
        try:
            wanted = Requirement(" ".join(each.split()))
            needed = wanted.marker is None or wanted.marker.evaluate(environment)
        except (
            InvalidRequirement,
            InvalidMarker,
            UndefinedComparison,
            UndefinedEnvironmentName,
            InvalidVersion,  # of older packaging, for what the image does not tell
            RecursionError,
        ):
            continue  # an edge that cannot be read is none
        if needed:
            found.append(str(canonicalize_name(wanted.name)))
    return tuple(dict.fromkeys(found))
