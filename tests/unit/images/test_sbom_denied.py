"""Packages under licences that are not wanted, however their authors write them."""

import pytest

from sagedock.errors import InvalidRequest
from sagedock.images.sbom.summary import denied_packages
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


def test_one_of_several_classifiers_can_be_denied_by_its_name() -> None:
    assert denied(dist("probe", "1", MIT, f"{OSI} BSD License"), "BSD License")


def test_a_name_that_one_of_the_images_has_is_no_mistake() -> None:
    first = sbom_of(dist("fine", "1", "License: MIT"))
    second = sbom_of(dist("probe", "1", "License: Foo License"))
    found = denied_packages({"one:1": first, "two:1": second}, ["Foo License"])
    assert found == ("two:1: probe 1: Foo License",)
    with pytest.raises(InvalidRequest, match="--deny Foo License: is no licence"):
        denied_packages({"one:1": first}, ["Foo License"])
