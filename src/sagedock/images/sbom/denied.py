"""Packages under licences that are not wanted.

What is denied is an identifier of SPDX's list, ``unknown``, or a name that is none of SPDX's, as a
package's author wrote it, behind ``name:``.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sagedock.images.sbom.expression import names_in, needs_one_of, same_licence
from sagedock.images.sbom.licences import said_by_name, spdx
from sagedock.images.sbom.making import Sbom
from sagedock.images.sbom.summary import UNKNOWN_LICENCE, licence_rows, licences_of, shown

__all__ = ["absent_names", "denial_problems", "denied_packages", "packages_without_licence"]

_BY_NAME = "name:"
#: What a family of SPDX's identifiers is continued by: ``GPL-3.0-only``, ``BSD-3-Clause``.
_CONTINUED = ("1.0", "1.1", "1.2", "2.0", "2.1", "3.0", "4.0", "2-Clause", "3-Clause")


def denial_problems(denied: Sequence[str]) -> list[str]:
    """Return a problem for each that would deny nothing, or not what it seems to."""
    return [f"--deny {each}: {problem}" for each in denied for problem in _problems(each)]


def denied_packages(sboms: Mapping[str, Sbom], denied: Sequence[str]) -> tuple[str, ...]:
    """Return a line for each package of these images that cannot be used without a licence that is
    denied; of a choice the other one will do. What has no known licence is not among them.
    """
    return tuple(
        f"{image}: {line}"
        for image, sbom in sboms.items()
        for line in sorted(_denied(sbom, denied))
    )


def packages_without_licence(sboms: Mapping[str, Sbom]) -> tuple[str, ...]:
    """Return a line for each package of these images that no licence is known of, with the
    licences that its copyright file points to, or the file that told of the package.
    """
    return tuple(
        f"{image}: {shown(each)}: {_traces(each)}"
        for image, sbom in sboms.items()
        for each in sorted(sbom.packages(), key=shown)
        if not licences_of(each)
    )


def absent_names(sboms: Mapping[str, Sbom], denied: Sequence[str]) -> tuple[str, ...]:
    """Return those that are denied by a name which no package here has."""
    known = {name.lower() for sbom in sboms.values() for name in _names(sbom)}
    return tuple(
        each
        for each in denied
        if each.startswith(_BY_NAME) and each.removeprefix(_BY_NAME).lower() not in known
    )


def _problems(denied: str) -> Iterator[str]:
    name = denied.removeprefix(_BY_NAME)
    expression = spdx(name)
    if denied == UNKNOWN_LICENCE:
        return
    if not name.strip():
        yield "no licence is named: give one of SPDX's list, e.g. AGPL-3.0-only"
    elif len(names_in(expression)) > 1:
        yield f"{name} names several licences: give each a --deny of its own"
    elif expression and denied != name:
        yield f"{name} is an identifier of SPDX's list: leave out {_BY_NAME!r}"
    elif not expression and denied == name:
        near = ", ".join(_nearest(name))
        yield (
            f"is no identifier of SPDX's list, or not a whole one: "
            f"{f'write {near}' if near else 'write one, e.g. AGPL-3.0-only'}; what an author calls "
            f"a licence, as the table of --licences has it, is denied by --deny '{_BY_NAME}{name}'"
        )


def _nearest(name: str) -> Iterator[str]:
    """Yield identifiers that one may mean: what the name plainly says, else those of its family."""
    said = [expression for _, expression in said_by_name(name) if expression]
    plain = [each for each in said if len(names_in(each)) == 1 and "LicenseRef-" not in each]
    if plain:
        yield from plain
        return
    for end in _CONTINUED:
        if found := spdx(f"{name}-{end}-only") or spdx(f"{name}-{end}"):
            yield found


def _names(sbom: Sbom) -> Iterator[str]:
    for row in licence_rows(sbom):
        yield row.licence
        yield from (name for name, _ in said_by_name(row.licence))


def _denied(sbom: Sbom, denied: Sequence[str]) -> Iterator[str]:
    by_name = {each.removeprefix(_BY_NAME).lower() for each in denied if each.startswith(_BY_NAME)}

    def is_denied(name: str) -> bool:
        return any(same_licence(name, each) for each in denied)

    def is_named(name: str) -> bool:
        said = said_by_name(name)
        if any(each.lower() in by_name for each in (name, *(each for each, _ in said))):
            return True
        return any(is_denied(each) or needs_one_of(found, is_denied) for each, found in said)

    for each in sbom.packages():
        told = each.get("licenses", ())
        expressions = [found["expression"] for found in told if "expression" in found]
        names = expressions or licences_of(each)
        if expressions:
            is_bad = any(needs_one_of(found, is_denied) for found in expressions)
        else:
            is_bad = any(map(is_named, names))
        if is_bad:
            yield f"{shown(each)}: {', '.join(names)}"


def _traces(component: dict[str, Any]) -> str:
    evidence = component["evidence"]
    names = [each["license"]["name"] for each in evidence.get("licenses", ())]
    if names:
        return f"its copyright file points to {', '.join(names)}"
    return f"listed in {evidence['occurrences'][0]['location']}"
