"""The licences of an image's packages, counted."""

from dataclasses import dataclass
from typing import Any

from sagedock.images.sbom.expression import names_in
from sagedock.images.sbom.making import Sbom, property_of

__all__ = ["UNKNOWN_LICENCE", "LicenceRow", "licence_rows", "licences_of", "shown"]

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
        for name in licences_of(each) or (UNKNOWN_LICENCE,):
            found.setdefault(name, set()).add(shown(each))
    rows = (LicenceRow(licence=name, packages=tuple(sorted(of))) for name, of in found.items())
    return tuple(
        sorted(rows, key=lambda row: (row.licence == UNKNOWN_LICENCE, -row.count, row.licence))
    )


def licences_of(component: dict[str, Any]) -> tuple[str, ...]:
    """Return the licences that a component is said to be under, each once; none are known of it
    otherwise.
    """
    found: list[str] = []
    for each in component.get("licenses", ()):
        if "expression" in each:
            found += names_in(each["expression"])
        else:
            found.append(str(each["license"].get("id") or each["license"].get("name")))
    return tuple(dict.fromkeys(found))


def shown(component: dict[str, Any]) -> str:
    """Return what people are told of a component: ``NAME VERSION``, and which other it is in."""
    group = f"{component['group']}:" if component.get("group") else ""
    name = f"{group}{component['name']} {component.get('version', '')}".rstrip()
    inside = property_of(component, "vendored-by")
    return f"{name} (in {inside})" if inside else name
