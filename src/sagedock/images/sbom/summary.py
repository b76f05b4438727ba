"""The licences of an image's packages, counted, and those that are not wanted."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sagedock.errors import InvalidRequest
from sagedock.images.sbom.expression import names_in, needs_one_of, same_licence
from sagedock.images.sbom.licences import said_by_name, spdx
from sagedock.images.sbom.making import Sbom, property_of

__all__ = ["UNKNOWN_LICENCE", "LicenceRow", "denied_packages", "licence_rows"]

UNKNOWN_LICENCE = "unknown"


@dataclass(frozen=True, kw_only=True)
class LicenceRow:
    """One licence, and the packages (``NAME VERSION``) that are under it, alone or with others."""

    licence: str
    packages: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many packages there are."""
        return len(self.packages)


def licence_rows(sbom: Sbom) -> tuple[LicenceRow, ...]:
    """Return the licences of an image's packages, the most frequent first, the unknown one last."""
    found: dict[str, set[str]] = {}
    for each in sbom.packages():
        for name in _licences(each) or (UNKNOWN_LICENCE,):
            found.setdefault(name, set()).add(_shown(each))
    rows = (LicenceRow(licence=name, packages=tuple(sorted(of))) for name, of in found.items())
    return tuple(
        sorted(rows, key=lambda row: (row.licence == UNKNOWN_LICENCE, -row.count, row.licence))
    )


def denied_packages(sboms: Mapping[str, Sbom], denied: Sequence[str]) -> tuple[str, ...]:
    """Return a line for each package of these images that cannot be used without a licence that is
    denied; of a choice the other one will do. ``unknown`` denies what no licence is known of.

    Raises InvalidRequest for a name that is neither SPDX's nor that of any licence here: it would
    never deny anything.
    """
    known = {name.lower() for sbom in sboms.values() for name in _names(sbom)}
    problems = [
        f"--deny {name}: is no licence of SPDX's list, nor one that an image here has: write it as "
        f"the table of --licences does, e.g. AGPL-3.0-only, or {UNKNOWN_LICENCE!r}"
        for name in denied
        if name != UNKNOWN_LICENCE and not spdx(name) and name.lower() not in known
    ]
    if problems:
        raise InvalidRequest(problems)
    return tuple(
        f"{image}: {line}"
        for image, sbom in sboms.items()
        for line in sorted(_denied(sbom, denied))
    )


def _names(sbom: Sbom) -> Iterator[str]:
    for row in licence_rows(sbom):
        yield row.licence
        yield from (name for name, _ in said_by_name(row.licence))


def _denied(sbom: Sbom, denied: Sequence[str]) -> Iterator[str]:
    def is_denied(name: str) -> bool:
        return any(same_licence(name, each) for each in denied)

    def is_named(name: str) -> bool:
        return is_denied(name) or any(
            is_denied(each) or needs_one_of(expression, is_denied)
            for each, expression in said_by_name(name)
        )

    for each in sbom.packages():
        names = _licences(each)
        told = each.get("licenses", ())
        expressions = [found["expression"] for found in told if "expression" in found]
        if expressions:
            is_bad = any(needs_one_of(found, is_denied) for found in expressions)
        else:
            is_bad = any(map(is_named, names)) if names else UNKNOWN_LICENCE in denied
        if is_bad:
            yield f"{_shown(each)}: {', '.join(expressions or names) or _unknown(each)}"


def _unknown(component: dict[str, Any]) -> str:
    """Return the word for it, with what the package's copyright file points to."""
    names = [each["license"]["name"] for each in component["evidence"].get("licenses", ())]
    return f"{UNKNOWN_LICENCE} (points to {', '.join(names)})" if names else UNKNOWN_LICENCE


def _licences(component: dict[str, Any]) -> tuple[str, ...]:
    found: list[str] = []
    for each in component.get("licenses", ()):
        if "expression" in each:
            found += names_in(each["expression"])
        else:
            found.append(str(each["license"].get("id") or each["license"].get("name")))
    return tuple(dict.fromkeys(found))


def _shown(component: dict[str, Any]) -> str:
    group = f"{component['group']}:" if component.get("group") else ""
    shown = f"{group}{component['name']} {component.get('version', '')}".rstrip()
    inside = property_of(component, "vendored-by")
    return f"{shown} (in {inside})" if inside else shown
