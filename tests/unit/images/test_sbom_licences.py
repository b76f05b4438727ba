"""Licences by SPDX's identifiers, from the words of packages."""

import pytest

from sagedock.images.sbom.expression import names_in, needs_one_of, same_licence
from sagedock.images.sbom.licences import (
    UNKNOWN,
    Licence,
    licence_of_classifiers,
    licence_of_debian,
    licence_of_text,
    spdx,
)


@pytest.mark.parametrize(
    ("said", "expression"),
    [
        ("mit", "MIT"),
        ("Apache License 2.0", "Apache-2.0"),
        ("3-Clause BSD License", "BSD-3-Clause"),
        ("apache-2.0 or bsd-2-clause", "Apache-2.0 OR BSD-2-Clause"),
        ("LGPLv3+", "LGPL-3.0-or-later"),
    ],
)
def test_what_authors_write(said: str, expression: str) -> None:
    assert licence_of_text(said) == Licence(expression=expression)


@pytest.mark.parametrize("said", ["BSD", "Dual License", "see LICENSE"])
def test_what_means_no_one_licence_stays_a_name(said: str) -> None:
    assert licence_of_text(said) == Licence(name=said)


@pytest.mark.parametrize("said", ["", " ", "UNKNOWN", "Permission is hereby granted " * 40])
def test_what_names_none_is_unknown(said: str) -> None:
    assert licence_of_text(said) == UNKNOWN


def test_classifiers() -> None:
    mit = "License :: OSI Approved :: MIT License"
    assert licence_of_classifiers(["Topic :: X", mit]) == Licence(expression="MIT")
    # It may mean any of the versions of Apache's.
    apache = "License :: OSI Approved :: Apache Software License"
    assert licence_of_classifiers([apache]) == Licence(name="Apache Software License")
    both = licence_of_classifiers([mit, apache])
    assert both == Licence(name="MIT License / Apache Software License")
    assert licence_of_classifiers(["License :: OSI Approved"]) == UNKNOWN


@pytest.mark.parametrize(
    ("names", "expression"),
    [
        (["Expat"], "MIT"),
        (["GPL-2+"], "GPL-2.0-or-later"),
        (["LGPL-2.1"], "LGPL-2.1-only"),
        (["GFDL-NIV-1.3+"], "GFDL-1.3-no-invariants-or-later"),
        (["GPL-2+", "BSD-3-clause", "GPL-2+"], "BSD-3-Clause AND GPL-2.0-or-later"),
        (["GPL-1+ or Artistic"], "(GPL-1.0-or-later OR Artistic-1.0)"),
        (["GPL-3+ and ISC", "ISC"], "GPL-3.0-or-later AND ISC"),
        (["Expat or GPL-2 and ISC"], "(MIT OR (GPL-2.0-only AND ISC))"),
        (["GPL-2+ with OpenSSL exception"], "LicenseRef-GPL-2.0-or-later-with-OpenSSL-exception"),
        (["GPL-2 with Classpath-exception-2.0"], "GPL-2.0-only WITH Classpath-exception-2.0"),
        (["ISC", "made-up licence!"], "ISC AND LicenseRef-made-up-licence"),
    ],
)
def test_licences_of_debian(names: list[str], expression: str) -> None:
    assert licence_of_debian(names) == Licence(expression=expression)


def test_one_licence_that_spdx_does_not_know_is_a_name() -> None:
    assert licence_of_debian(["public-domain"]) == Licence(name="public-domain")
    assert licence_of_debian([]) == UNKNOWN


@pytest.mark.parametrize(
    "text", ["(" * 5000, "MIT " * 5000, "(" * 1000 + "MIT" + ")" * 1000, "\0", "MIT AND"]
)
def test_what_is_no_expression_is_none(text: str) -> None:
    assert spdx(text) == ""


def gpl(name: str) -> bool:
    return name.startswith("GPL")


@pytest.mark.parametrize(
    ("expression", "needs"),
    [
        ("GPL-2.0-only", True),
        ("MIT OR GPL-2.0-only", False),
        ("GPL-2.0-only OR GPL-3.0-only", True),
        ("MIT AND GPL-2.0-only", True),
        ("(MIT OR GPL-2.0-only) AND ISC", False),
        ("(MIT OR GPL-2.0-only) AND GPL-3.0-only", True),
        ("(GPL-2.0-only AND MIT) OR ISC", False),
        ("GPL-2.0-or-later WITH Classpath-exception-2.0", True),
        ("MIT", False),
    ],
)
def test_a_choice_does_without_what_is_denied(expression: str, needs: bool) -> None:
    assert needs_one_of(expression, gpl) is needs


def test_names_in_an_expression() -> None:
    expression = "(MIT OR GPL-2.0-only WITH Classpath-exception-2.0) AND MIT"
    assert names_in(expression) == ("MIT", "GPL-2.0-only WITH Classpath-exception-2.0")


def test_only_and_or_later_are_one_licence() -> None:
    assert same_licence("AGPL-3.0-or-later", "agpl-3.0")
    assert same_licence("GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0+")
    assert same_licence("LicenseRef-GPL-2.0-only-with-Foo", "GPL-2.0-or-later")
    assert same_licence("GPL-2.0-with-GCC-exception", "GPL-2.0-only")
    assert not same_licence("LicenseRef-GPL-2.0-only", "GPL-2.0-only")
    assert not same_licence("LGPL-3.0-only", "GPL-3.0-only")
