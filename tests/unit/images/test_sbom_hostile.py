"""Images made to harm who lists what they hold: bounded, and told."""

import io
import json
import struct
import zipfile
from typing import Any

import pytest

from sagedock.errors import EngineError
from sagedock.images.sbom import layer as reading
from tests.unit.images.sbom_images import (
    BOOKWORM,
    SITE,
    copyrights,
    deb,
    dist,
    found_in,
    jar,
    sbom_of,
    status,
)

_KIB, _MIB = 1024, 1024 * 1024
METADATA = f"{SITE}/probe-1.dist-info/METADATA"


def far_away(offset: int) -> bytes:
    """Return a jar whose list of files says that the one in it begins at ``offset``."""
    name, extra = b"META-INF/maven/a/b/pom.properties", struct.pack("<HHQ", 1, 8, offset)
    sizes = (0, 10, 10, len(name), len(extra), 0, 0, 0, 0, 0xFFFFFFFF)
    listed = struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", 45, 3, 45, 0, 0, 0, 0, 0, *sizes)
    listed += name + extra
    return listed + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(listed), 0, 0)


def packed_otherwise(method: int) -> bytes:
    """Return a jar whose one file is packed by a method that Java does not know, and is broken."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("META-INF/maven/a/b/pom.properties", b"groupId=a\n" * 1000)
    broken = bytearray(buffer.getvalue())
    start = broken.find(b"pom.properties") + len(b"pom.properties") + 8
    broken[start : start + 20] = b"\xff" * 20
    return bytes(broken)


def test_a_status_that_is_too_long_is_not_read_and_told() -> None:
    (told,) = found_in({"var/lib/dpkg/status": b"x" * (17 * _MIB)}).unread
    assert told.startswith("/var/lib/dpkg/status: has 17825792 bytes, and at most")


def test_a_header_that_never_ends_is_not_read_and_told() -> None:
    (told,) = found_in({METADATA: b"Name: x\n" * (64 * _KIB)}).unread
    assert "has a header of more than 262144 bytes" in told


def test_a_long_description_is_no_harm() -> None:
    head = b"Name: probe\nVersion: 1\n\n"
    (found,) = found_in({METADATA: head + b"x" * (4 * _MIB)}).packages
    assert (found.name, found.version) == ("probe", "1")


@pytest.mark.parametrize(
    ("path", "content", "words"),
    [
        (METADATA, b"Name: x\0\nVersion: 1\n", "is binary"),
        (METADATA, b"", "has no name"),
        (METADATA, b"Name: probe\n", "has no name, or no version"),
        (METADATA, b"\xff\xfe\x9c", "has no name"),
        ("var/lib/dpkg/status", b"a\0b", "is binary"),
        ("var/lib/dpkg/status", b"\xff\xff: nonsense", "a paragraph without package or version"),
        ("opt/a.jar", b"no zip", "is no jar that can be read"),
        ("opt/a.jar", jar(("a", "b", "1"))[:-30], "is no jar that can be read"),
        (f"{SITE}/pip/_vendor/vendor.txt", b"\0", "is binary"),
        (f"{SITE}/probe-1.dist-info/direct_url.json", b"{", ""),
        (f"{SITE}/probe-1.dist-info/direct_url.json", b"[" * 5000, "is nested too deeply"),
        ("opt/a.jar", far_away(2**64 - 1), "is no jar that can be read"),
        ("opt/a.jar", packed_otherwise(zipfile.ZIP_LZMA), "packed in a way that Java"),
        ("opt/a.jar", packed_otherwise(zipfile.ZIP_BZIP2), "packed in a way that Java"),
    ],
)
def test_what_is_broken_is_told_and_the_rest_is_read(path: str, content: bytes, words: str) -> None:
    found = found_in({**dist("other", "1"), path: content})
    assert [each.name for each in found.packages] == ["other"]
    (told,) = found.unread
    assert told.startswith(f"/{path}: ")
    assert words in told


@pytest.mark.parametrize("is_zip64", [False, True])
def test_a_jar_with_an_endless_list_of_files_is_not_read(is_zip64: bool) -> None:
    size = 9 * _MIB
    jar_of_nothing = b"x" * size
    if is_zip64:
        record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, size, 0)
        jar_of_nothing += record + struct.pack("<4sLQL", b"PK\6\7", 0, size, 1)
    told = (0, 0, 1, 1, 1, 1, 0) if is_zip64 else (0, 0, 1, 1, size, 0, 0)
    jar_of_nothing += struct.pack("<4s4H2LH", b"PK\5\6", *told)
    (reason,) = found_in({"opt/a.jar": jar_of_nothing}).unread
    assert "has a list of files of 9437184 bytes" in reason


def test_a_jar_that_expands_to_much_is_read_in_part() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        text = b"groupId=a\nartifactId=b\nversion=1\n" + b"x" * (64 * _MIB)
        archive.writestr("META-INF/maven/a/b/pom.properties", text)
    (found,) = found_in({"opt/a.jar": buffer.getvalue()}).packages
    assert found.name == "a:b"


def test_a_jar_with_too_many_packages_is_told() -> None:
    many = jar(*(("a", f"b{number}", "1") for number in range(2001)))
    (told,) = found_in({"opt/a.jar": many}).unread
    assert "holds 2001 packages" in told


def test_control_characters_reach_no_terminal() -> None:
    name, version = "pro\x1b[31mbe", "1\x07"
    made = sbom_of(
        {
            METADATA: f"Name: {name}\nVersion: {version}\nLicense: \x1b]0;x\x07\n".encode(),
            **status(deb("a\x1bb", "1", "Architecture: \x00\x9b".replace("\x00", ""))),
            f"{SITE}/\x1b[2J-1.dist-info/METADATA": b"Name: c\nVersion: 1\n",
            "opt/\udce9.jar": b"",
        }
    )
    text = made.text.decode()
    assert not any(ord(each) < 32 and each != "\n" for each in text)
    assert "\\u001b" not in text
    assert "\\u0007" not in text


def test_a_million_packages_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sagedock.images.sbom.inventory._MOST_PACKAGES", 100)
    many = status(*(deb(f"p{number}", "1") for number in range(101)))
    with pytest.raises(EngineError, match="more than 100 packages"):
        found_in(many)


def test_a_million_broken_packages_are_refused() -> None:
    broken = "".join(f"Version: {number}\n\n" for number in range(2000)).encode()
    with pytest.raises(EngineError, match="more than 1000 that cannot be read"):
        found_in({**BOOKWORM, "var/lib/dpkg/status": broken})


def test_all_that_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_KEPT_OF_ALL", 1000)
    layers: list[Any] = [dist(f"d{number}", "1", f"X: {'y' * 200}") for number in range(10)]
    with pytest.raises(EngineError, match="no image that is made to be used has that much"):
        found_in(*layers)


def test_names_that_lead_out_of_the_image_are_no_packages() -> None:
    assert found_in({"../../a-1.dist-info/METADATA": b"Name: a\nVersion: 1\n"}).packages == ()


def test_links_that_lead_in_circles_have_no_licence() -> None:
    circle = {
        "usr/share/doc/a/copyright": "../b/copyright",
        "usr/share/doc/b/copyright": "../a/copyright",
    }
    found = found_in({**status(deb("a", "1"), deb("b", "1")), **circle})
    assert {each.licence.expression for each in found.packages} == {""}


def test_a_copyright_file_of_thousands_of_licences_is_no_expression() -> None:
    many = copyrights("a", *(f"licence-{number}" for number in range(300)))
    (found,) = found_in({**status(deb("a", "1")), **many}).packages
    assert found.licence.name == "300 licences: see the package's copyright file"


@pytest.mark.parametrize(
    "field",
    [
        f"License-Expression: {'(' * 500}MIT{')' * 500}",
        f"Requires-Dist: a; {'(' * 120}os_name == 'posix'{')' * 120}",
        f"Requires-Dist: {'a' * 100_000}",
        "License-Expression: MIT AND AND",
    ],
)
def test_fields_that_are_nested_or_long_are_no_harm(field: str) -> None:
    (found,) = found_in(dist("probe", "1", field)).packages
    assert found.name == "probe"
    assert found.licence.expression == ""


def test_the_same_package_twice_is_one_component() -> None:
    made = sbom_of({**status(deb("a", "1"), deb("a", "1"))})
    refs = [each["bom-ref"] for each in json.loads(made.text)["components"]]
    assert len(refs) == len(set(refs)) == 2
