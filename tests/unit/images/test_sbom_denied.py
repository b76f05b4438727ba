"""Packages under licences that are not wanted, however their authors write them."""

import pytest

from sagedock.images.sbom.denied import (
    absent_names,
    denial_problems,
    denied_packages,
    packages_without_licence,
)
from tests.unit.images.made_images import Content
from tests.unit.images.sbom_images import copyrights, deb, dist, sbom_of, status

OSI = "Classifier: License :: OSI Approved ::"
AGPL = f"{OSI} GNU Affero General Public License v3"
MIT = f"{OSI} MIT License"
MANY = [f"{OSI} Licence number {number} of those that nobody knows" for number in range(9)]


def denied(files: dict[str, Content], *names: str) -> tuple[str, ...]:
    return denied_packages({"image:1": sbom_of(files)}, names)


@pytest.mark.parametrize("name", ["AGPL-3.0-only", "AGPL-3.0-or-later", "agpl-3.0"])
@pytest.mark.parametrize(
    "licences",
    [
        ["AGPL-3+ with Foo exception"],
        ["AGPL-3+ with Foo exception", "Expat"],
        ["AGPL-3-with-foo-exception"],
        ["Expat and AGPL-3 with Foo"],
        ["AGPL-3+ with Foo or AGPL-3+"],
    ],
)
def test_an_exception_does_not_hide_a_licence_of_debian(licences: list[str], name: str) -> None:
    files = {**status(deb("probe", "1")), **copyrights("probe", *licences)}
    (line,) = denied(files, name)
    assert line.startswith("image:1: probe 1: ")


@pytest.mark.parametrize("name", ["AGPL-3.0-only", "AGPL-3.0-or-later"])
@pytest.mark.parametrize(
    "fields",
    [
        [AGPL, MIT],
        [MIT, *MANY, AGPL],
        ["License: AGPL-3.0-or-later with a Foo exception"],
        ["License: AGPLv3"],
        ["License: AGPL v3+ with Foo"],
    ],
)
def test_a_name_of_python_that_says_it_plainly_is_denied(fields: list[str], name: str) -> None:
    (line,) = denied(dist("probe", "1", *fields), name)
    assert line.startswith("image:1: probe 1: ")


@pytest.mark.parametrize(
    "fields",
    [
        ["License: AGPL-3.0-only or Commercial"],  # the other one will do
        ["License: LGPLv3"],
        ["License: GPL v2"],
        [MIT, f"{OSI} BSD License"],
        ["License: not AGPLv3"],
    ],
)
def test_other_licences_are_not_denied(fields: list[str]) -> None:
    assert denied(dist("probe", "1", *fields), "AGPL-3.0-only", "GPL-3.0-only") == ()


@pytest.mark.parametrize(
    ("licence", "name"),
    [
        ("MIT-with-advertising-restriction", "MIT"),
        ("Expat with advertising restriction", "MIT"),
        ("BSD-3-clause-with-weird-numbering", "BSD-3-Clause"),
        ("LGPL-2.1+ with Foo", "GPL-2.0-only"),
    ],
)
def test_another_licence_whose_name_begins_alike_is_not_denied(licence: str, name: str) -> None:
    files = {**status(deb("probe", "1")), **copyrights("probe", licence, "Zlib")}
    assert denied(files, name) == ()
    assert denied(files, "Zlib")


@pytest.mark.parametrize(
    ("licence", "name"),
    [
        ("Expat", "mit"),
        ("Apache-2.0 with LLVM exception", "Apache-2.0"),
        ("Apache-2.0 with Foo exception", "Apache-2.0"),
        ("LGPL-2.1+ with Foo", "LGPL-2.1-only"),
        ("GPL-2+ with Classpath exception", "GPL-2.0+"),
    ],
)
def test_a_licence_is_denied_by_its_identifier_with_an_exception_or_not(
    licence: str, name: str
) -> None:
    files = {**status(deb("probe", "1")), **copyrights("probe", licence, "Zlib")}
    assert denied(files, name)


def test_one_of_several_classifiers_can_be_denied_by_its_name() -> None:
    assert denied(dist("probe", "1", MIT, f"{OSI} BSD License"), "name:bsd license")


def test_a_name_that_none_of_the_images_has_is_told() -> None:
    first = sbom_of(dist("fine", "1", "License: MIT"))
    second = sbom_of(dist("probe", "1", "License: Foo License"))
    both, name = {"one:1": first, "two:1": second}, "name:Foo License"
    assert denied_packages(both, [name]) == ("two:1: probe 1: Foo License",)
    assert absent_names(both, [name, "GPL-2.0-only"]) == ()
    assert absent_names({"one:1": first}, [name, "GPL-2.0-only"]) == (name,)


def test_what_no_licence_is_known_of_is_told_with_what_it_points_to() -> None:
    files = {
        **status(deb("libc6", "2.36")),
        "usr/share/doc/libc6/copyright": b"/usr/share/common-licenses/LGPL-2.1",
        **dist("probe", "1"),
        **dist("fine", "1", "License: MIT"),
    }
    assert packages_without_licence({"image:1": sbom_of(files)}) == (
        "image:1: libc6 2.36: its copyright file points to LGPL-2.1",
        "image:1: probe 1: listed in /opt/venv/lib/python3.11/site-packages/probe-1.dist-info",
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("GPL", "write GPL-1.0-only, GPL-2.0-only, GPL-3.0-only; what an author"),
        ("GPL", "is denied by --deny 'name:GPL'"),
        ("AGPLv3", "write AGPL-3.0-only; what an author"),
        ("bsd", "BSD-2-Clause, BSD-3-Clause"),
        ("Apache", "write Apache-1.0, Apache-1.1, Apache-2.0;"),
        ("GPL-2.0-only OR", "not a whole one: write one, e.g. AGPL-3.0-only"),
        ("Foo License", "--deny Foo License: is no identifier of SPDX's list"),
        ("MIT OR GPL-2.0-only", "names several licences: give each a --deny of its own"),
        ("name:mit", "mit is an identifier of SPDX's list: leave out 'name:'"),
        ("name:", "no licence is named"),
        ("", "no licence is named"),
    ],
)
def test_what_would_deny_nothing_is_refused_without_an_image(name: str, words: str) -> None:
    (problem,) = denial_problems([name])
    assert problem.startswith(f"--deny {name}: ")
    assert words in problem


def test_what_can_be_denied() -> None:
    fine = ["unknown", "AGPL-3.0", "agpl-3.0-only", "LicenseRef-Foo", "name:GPL", "MIT"]
    assert denial_problems([*fine, "GPL-2.0-only WITH Classpath-exception-2.0"]) == []
    assert len(denial_problems(["GPL", *fine, "LGPL"])) == 2
