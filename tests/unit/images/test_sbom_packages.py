"""Packages of Debian, Python and Java, found in images."""

import hashlib
import json
from typing import Any

import pytest
from packaging.markers import Marker
from packaging.version import Version

from sagedock.images.sbom.licences import Licence
from sagedock.images.sbom.package import Package, clean
from tests.unit.images.made_images import Content
from tests.unit.images.sbom_images import SITE, copyrights, deb, dist, found_in, jar, status


def named(*layers: dict[str, Content], **changes: Any) -> dict[str, Package]:
    return {each.name: each for each in found_in(*layers, **changes).packages}


def test_packages_of_debian() -> None:
    found = named(
        status(
            deb(
                *("libssl3", "3.0.20-1~deb12u2", "Architecture: amd64", "Source: openssl (3.0.20)"),
                "Depends: libc6 (>= 2.34), debconf (>= 0.5) | debconf-2.0",
            ),
            deb("gone", "1").replace("install ok installed", "deinstall ok config-files"),
            deb("zlib1g", "1:1.2", "Architecture: amd64"),
        ),
        copyrights("libssl3", "Apache-2.0", "GPL-1+ or Artistic"),
    )
    assert set(found) == {"libssl3", "zlib1g"}
    ssl = found["libssl3"]
    assert (ssl.source, ssl.source_version) == ("openssl", "3.0.20")
    assert ssl.needs == ("libc6", "debconf", "debconf-2.0")
    assert ssl.licence.expression == "(GPL-1.0-or-later OR Artistic-1.0) AND Apache-2.0"
    assert ssl.purl == "pkg:deb/debian/libssl3@3.0.20-1~deb12u2?arch=amd64&distro=bookworm"
    assert found["zlib1g"].purl == "pkg:deb/debian/zlib1g@1:1.2?arch=amd64&distro=bookworm"
    assert (found["zlib1g"].source, found["zlib1g"].source_version) == ("zlib1g", "1:1.2")


def test_packages_of_an_image_without_dpkg_itself() -> None:
    folder = "var/lib/dpkg/status.d"
    found = named(
        {f"{folder}/base": deb("base-files", "12").encode(), f"{folder}/base.md5sums": b"x"}
    )
    assert set(found) == {"base-files"}


def test_copyright_files_that_are_links() -> None:
    linked: dict[str, Content] = {
        "usr/share/doc/libgcc1": "gcc-base",
        "usr/share/doc/libstd/copyright": "../gcc-base/copyright",
    }
    found = named(
        status(deb("gcc-base", "1"), deb("libgcc1", "1"), deb("libstd", "1")),
        {**copyrights("gcc-base", "GPL-3+"), **linked},
    )
    assert {each.licence.expression for each in found.values()} == {"GPL-3.0-or-later"}


def test_a_copyright_file_of_prose_names_what_it_points_to() -> None:
    common = "/usr/share/common-licenses"
    text = f"It is free: see {common}/LGPL-2.1, and {common}/GPL-2.".encode()
    found = named(status(deb("libc6", "2")), {"usr/share/doc/libc6/copyright": text})
    assert found["libc6"].licence == Licence(mentions=("GPL-2", "LGPL-2.1"))


def test_python_distributions() -> None:
    archive = hashlib.sha256(b"wheel").hexdigest()
    folder = f"{SITE}/Probe_X-1.0+cpu.dist-info"
    found = named(
        {
            **dist(
                *("Probe-X", "1.0+cpu", "License-Expression: MIT OR Apache-2.0"),
                *("Requires-Dist: numpy>=1", "Requires-Dist: Old_Name; python_version < '3'"),
                *("Requires-Dist: extra-one; extra == 'more'", "Requires-Dist: !!"),
                "Requires-Dist: linux-only; os_name == 'posix' and platform_machine == 'x86_64'",
                "Requires-Dist: broken; no_such_marker == '1'",
            ),
            f"{folder}/RECORD": b"probe.py,sha256=x,1\n",
            f"{folder}/direct_url.json": json.dumps(
                {
                    "url": "https://me:secret@host/x.whl",
                    "archive_info": {"hashes": {"sha256": archive}},
                }
            ).encode(),
        }
    )
    probe = found["Probe-X"]
    assert probe.licence.expression == "MIT OR Apache-2.0"
    assert probe.needs == ("numpy", "linux-only")
    assert probe.purl == "pkg:pypi/probe-x@1.0%2Bcpu"
    assert probe.sha256 == archive
    assert probe.record_sha256 == hashlib.sha256(b"probe.py,sha256=x,1\n").hexdigest()
    assert probe.path == folder
    assert "secret" not in repr(probe)


@pytest.mark.parametrize(
    ("fields", "licence"),
    [
        (["License: MIT"], Licence(expression="MIT")),
        (
            ["License: BSD", "Classifier: License :: OSI Approved :: MIT License"],
            Licence(expression="MIT"),
        ),
        (
            ["License: Copyright (c) me", "        All rights", f"        {'reserved ' * 30}"],
            Licence(),
        ),
        (["Classifier: License :: OSI Approved :: BSD License"], Licence(name="BSD License")),
        ([], Licence()),
    ],
)
def test_the_licence_of_a_distribution(fields: list[str], licence: Licence) -> None:
    assert named(dist("probe", "1", *fields))["probe"].licence == licence


def test_markers_are_of_the_image_and_not_of_this_machine() -> None:
    needs = (
        "Requires-Dist: a; platform_machine == 'aarch64'",
        "Requires-Dist: b; python_version == '3.8'",
    )
    site = "usr/lib/python3.8/site-packages"
    found = named(dist("probe", "1", *needs, site=site), architecture="arm64")
    assert found["probe"].needs == ("a", "b")


def test_a_marker_that_older_packaging_cannot_compare_is_no_edge(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def evaluate(*_: Any) -> bool:
        return bool(Version(""))  # as it takes an image's platform_release, which is not told

    monkeypatch.setattr(Marker, "evaluate", evaluate)
    needs = ("Requires-Dist: a; platform_release >= '20.0'", "Requires-Dist: b")
    assert named(dist("probe", "1", *needs))["probe"].needs == ("b",)


def test_old_metadata() -> None:
    head = b"Metadata-Version: 1.1\nName: %b\nVersion: 1\n"
    found = named(
        {
            "usr/lib/python3/dist-packages/one.egg-info": head % b"one",
            "usr/lib/python3/dist-packages/two.egg-info/PKG-INFO": head % b"two",
            f"{SITE}/three-1-py3.11.egg/EGG-INFO/PKG-INFO": head % b"three",
        }
    )
    assert set(found) == {"one", "two", "three"}
    assert {each.vendored_by for each in found.values()} == {""}


def test_vendored_copies_are_told() -> None:
    found = named(
        {
            **dist("pip", "26.0"),
            **dist("packaging", "26.0", site=f"{SITE}/setuptools/_vendor"),
            f"{SITE}/pip/_vendor/vendor.txt": b"# x\nurllib3==2.1\n    idna == 3.20 # x\nno pin\n",
        }
    )
    assert {name: each.vendored_by for name, each in found.items()} == {
        "pip": "",
        "packaging": "setuptools",
        "urllib3": "pip",
        "idna": "pip",
    }
    assert found["urllib3"].purl == "pkg:pypi/urllib3@2.1"


def test_jars() -> None:
    found = named(
        {
            "opt/server.jar": jar(("io.netty", "netty", "4.1"), ("com.x", "y", "1")),
            "opt/plain.jar": jar(),
            "opt/java/release": b'IMPLEMENTOR="me"\nJAVA_VERSION="17.0.19"\n',
            "opt/other/release": b"1.2\n",
        }
    )
    assert found["io.netty:netty"].purl == "pkg:maven/io.netty/netty@4.1"
    assert found["plain"].version == ""
    assert found["openjdk"].purl == "pkg:generic/openjdk@17.0.19"
    assert set(found) == {"io.netty:netty", "com.x:y", "plain", "openjdk"}


def test_later_layers_take_away_and_replace() -> None:
    found = named(
        {
            **dist("kept", "1"),
            **dist("removed", "1"),
            **dist("upgraded", "1"),
            **status(deb("a", "1")),
        },
        {
            f"{SITE}/.wh.removed-1.dist-info": b"",
            f"{SITE}/.wh.upgraded-1.dist-info": b"",
            **dist("upgraded", "2"),
            **status(deb("a", "2"), deb("b", "1")),
        },
    )
    assert {name: each.version for name, each in found.items()} == {
        "kept": "1",
        "upgraded": "2",
        "a": "2",
        "b": "1",
    }


def test_other_package_managers_are_told() -> None:
    (told,) = found_in({"var/lib/rpm/rpmdb.sqlite": b"x"}).unread
    assert "is of rpm, whose packages are not listed" in told


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb\x00c\nd", "a [31mb c d"),
        (b"\xff\xfe name", "\ufffd\ufffd name"),
        ("x" * 500, "x" * 197 + "..."),
        ("a\u202eb\udce9", "a b?"),
    ],
)
def test_texts_of_an_image_are_one_line_that_may_be_printed(text: Any, shown: str) -> None:
    assert clean(text) == shown
