"""Licences by SPDX's identifiers, from the words that packages use for them.

SPDX's list, and the reading of its expressions, are those of the library ``packaging``. What is not
in that list stays as the package has it: nothing is guessed.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

__all__ = [
    "UNKNOWN",
    "Licence",
    "licence_of_classifiers",
    "licence_of_debian",
    "licence_of_text",
    "said_by_name",
    "spdx",
]

_LONGEST_EXPRESSION = 8000
_MOST_OF_ONE_PACKAGE = 200
_LONGEST_NAME = 100
#: Between the classifiers of a package that has several.
_SEVERAL = " / "


@dataclass(frozen=True, kw_only=True)
class Licence:
    """Under what a package may be used: an SPDX ``expression``, else a ``name``; else unknown.

    ``mentions`` are licences that the package's copyright file points to where no program can read
    what it says of them.
    """

    expression: str = ""
    name: str = ""
    mentions: tuple[str, ...] = ()


UNKNOWN = Licence()

#: What authors write where SPDX has an identifier, in lower case.
_TEXTS = {
    **dict.fromkeys(
        (
            *("apache 2", "apache 2.0", "apache-2", "apache license 2.0", "apache license v2.0"),
            *("apache license, version 2.0", "apache license version 2.0", "asl 2.0"),
            *("apache software license 2.0", "the apache license, version 2.0"),
        ),
        "Apache-2.0",
    ),
    **dict.fromkeys(("mit license", "the mit license", "expat", "mit/x11", "expat license"), "MIT"),
    **dict.fromkeys(
        (
            *("3-clause bsd license", "bsd 3-clause", "bsd 3-clause license", "new bsd"),
            *("bsd-3-clause license", "new bsd license", "modified bsd license", "bsd-3"),
            *("3-clause bsd", "bsd 3 clause"),
        ),
        "BSD-3-Clause",
    ),
    **dict.fromkeys(
        ("2-clause bsd license", "bsd 2-clause", "simplified bsd", "bsd-2"), "BSD-2-Clause"
    ),
    **dict.fromkeys(("isc license", "isc license (iscl)"), "ISC"),
    **dict.fromkeys(("mpl 2.0", "mpl-2", "mozilla public license 2.0"), "MPL-2.0"),
    **dict.fromkeys(("cc0", "cc0 1.0 universal"), "CC0-1.0"),
    **dict.fromkeys(("psf-2", "psf license 2.0"), "PSF-2.0"),
    "artistic": "Artistic-1.0",
    "lgplv2+": "LGPL-2.0-or-later",
    "lgplv3+": "LGPL-3.0-or-later",
    "gplv2+": "GPL-2.0-or-later",
    "gplv3+": "GPL-3.0-or-later",
    "the unlicense": "Unlicense",
}
#: Trove classifiers that mean one licence. Source: https://packaging.python.org/en/latest/
#: specifications/core-metadata/#license-expression, whose classifiers others are too vague for.
_CLASSIFIERS = {
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "ISC License (ISCL)": "ISC",
    "Mozilla Public License 1.1 (MPL 1.1)": "MPL-1.1",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "GNU Affero General Public License v3": "AGPL-3.0-only",
    "GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "GNU Lesser General Public License v2 (LGPLv2)": "LGPL-2.0-only",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.0-or-later",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "The Unlicense (Unlicense)": "Unlicense",
    "zlib/libpng License": "Zlib",
    "Boost Software License 1.0 (BSL-1.0)": "BSL-1.0",
}
_GNU = re.compile(r"(a?gpl|lgpl)-(\d)(?:\.(\d))?(\+?)", re.IGNORECASE)
_GNU_SHORT = re.compile(r"(a?gpl|lgpl)[ -]?v ?(\d)(?:\.(\d))?(\+?)", re.IGNORECASE)
_WITH = re.compile(r"(.+?)[\s-]+with[\s-]+(.+)", re.IGNORECASE)
_FREE_DOCUMENTS = re.compile(r"gfdl-niv-(\d\.\d)(\+?)", re.IGNORECASE)


def spdx(text: str) -> str:
    """Return an SPDX expression as SPDX writes it; nothing for what is none."""
    if not text or len(text) > _LONGEST_EXPRESSION:
        return ""
    try:
        return str(canonicalize_license_expression(text))
    except (InvalidLicenseExpression, RecursionError, MemoryError, SyntaxError):
        return ""


def licence_of_text(text: str) -> Licence:
    """Return what an author wrote as the licence; a whole text of one is no name."""
    said = " ".join(text.split())
    if not said or said.upper() in ("UNKNOWN", "NONE"):
        return UNKNOWN
    if expression := spdx(said) or _TEXTS.get(said.lower(), ""):
        return Licence(expression=expression)
    return Licence(name=said) if len(said) <= _LONGEST_NAME else UNKNOWN


def licence_of_classifiers(classifiers: Iterable[str]) -> Licence:
    """Return what a Python package's classifiers say; several are a name, as how they go together
    is not told.
    """
    names = []
    for each in classifiers:
        kind, _, name = each.partition(" :: ")
        if kind == "License" and name != "OSI Approved":
            names.append(name.rpartition(" :: ")[2])
    if len(names) == 1 and names[0] in _CLASSIFIERS:
        return Licence(expression=_CLASSIFIERS[names[0]])
    return Licence(name=_SEVERAL.join(names)[:_LONGEST_EXPRESSION]) if names else UNKNOWN


def said_by_name(name: str) -> tuple[tuple[str, str], ...]:
    """Return the licences that a name is made of, each with the expression that it plainly means;
    of classifiers there may be several.
    """
    return tuple((each, _plainly(each)) for each in name.split(_SEVERAL))


def _plainly(name: str) -> str:
    if name in _CLASSIFIERS:
        return _CLASSIFIERS[name]
    return licence_of_text(name).expression or licence_of_debian([name]).expression


def licence_of_debian(names: Iterable[str]) -> Licence:
    """Return the licences that a machine-readable copyright file gives its files: all of them hold.

    Source: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/#license-specification
    """
    wanted = sorted({" ".join(name.split()) for name in names} - {""})
    if not wanted:
        return UNKNOWN
    if len(wanted) > _MOST_OF_ONE_PACKAGE:
        return Licence(name=f"{len(wanted)} licences: see the package's copyright file")
    terms = sorted({term for name in wanted for term in _terms(name)})
    if terms == [f"LicenseRef-{_reference(wanted[0])}"]:
        return Licence(name=wanted[0])
    if expression := spdx(" AND ".join(terms)):
        return Licence(expression=expression)
    return Licence(name=" and ".join(wanted)[:_LONGEST_NAME])


def _terms(said: str) -> Iterator[str]:
    """Yield what all hold of one field: "and" binds before "or", unless a comma is before it."""
    for part in re.split(r",\s+and\s+", said):
        choices = [
            [_atom(atom) for atom in re.split(r"\s+and\s+|\s*,\s+", each) if atom]
            for each in re.split(r"\s+or\s+", part, flags=re.IGNORECASE)
        ]
        if len(choices) == 1:
            yield from choices[0]
        else:
            joined = (" AND ".join(each) for each in choices if each)
            yield f"({' OR '.join(f'({each})' if ' AND ' in each else each for each in joined)})"


def _atom(name: str) -> str:
    if known := spdx(_debian_name(name)):
        return known
    found = _WITH.fullmatch(name)
    if found and (licence := spdx(_debian_name(found[1]))):
        exception = _reference(found[2])
        return spdx(f"{licence} WITH {exception}") or f"LicenseRef-{licence}-with-{exception}"
    return f"LicenseRef-{_reference(name)}"


def _debian_name(name: str) -> str:
    if found := _GNU.fullmatch(name) or _GNU_SHORT.fullmatch(name):
        family, major, minor, later = found.groups()
        return f"{family}-{major}.{minor or '0'}-{'or-later' if later else 'only'}"
    if found := _FREE_DOCUMENTS.fullmatch(name):
        return f"GFDL-{found[1]}-no-invariants-{'or-later' if found[2] else 'only'}"
    return _TEXTS.get(name.lower(), name)


def _reference(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]+", "-", name).strip("-") or "none"
