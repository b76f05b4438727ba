"""The document of an image: valid, the same each time, and complete or not, as it says."""

import json
from pathlib import Path
from typing import Any

import pytest

from sagedock.engine import Engine
from sagedock.images.sbom.making import Sbom, kept_sbom, place_of
from sagedock.testing import FakeEngine
from tests.unit.images.made_images import layer, saved
from tests.unit.images.sbom_images import ID, LABELS, RICH, SITE, sbom_of


def component(made: Sbom, name: str) -> dict[str, Any]:
    (found,) = [each for each in made.document["components"] if each["name"] == name]
    return dict(found)


def test_the_image_is_the_root_with_its_base() -> None:
    root = sbom_of(RICH, settings={"Labels": LABELS}).document["metadata"]["component"]
    assert (root["name"], root["version"], root["bom-ref"]) == ("training-cpu", "0.1.0", ID)
    assert root["hashes"] == [{"alg": "SHA-256", "content": ID.removeprefix("sha256:")}]
    assert root["pedigree"]["ancestors"] == [
        {
            "type": "container",
            "name": "debian:bookworm",
            "version": LABELS["org.opencontainers.image.base.digest"],
        }
    ]
    assert component(sbom_of(RICH), "debian")["version"] == "12"


def test_licences_stand_where_they_belong() -> None:
    made = sbom_of(RICH)
    assert component(made, "zlib1g")["licenses"] == [{"license": {"id": "Zlib"}}]
    assert component(made, "libc6")["licenses"] == [
        {"expression": "LGPL-2.1-or-later AND LicenseRef-made-up"}
    ]
    assert component(made, "torch")["licenses"] == [{"license": {"id": "BSD-3-Clause"}}]
    assert "licenses" not in component(made, "netty")


def test_dependencies_are_of_what_is_there() -> None:
    made = sbom_of(RICH)
    edges = {each["ref"]: each["dependsOn"] for each in made.document["dependencies"]}
    refs = {each["bom-ref"] for each in made.document["components"]}
    assert set(edges[ID]) == refs
    assert len(refs) == len(made.document["components"])
    (numpy,) = edges[component(made, "torch")["bom-ref"]]
    assert f"{SITE}/numpy-2.4.dist-info" in numpy  # and not the copy inside torch
    assert edges[component(made, "zlib1g")["bom-ref"]] == [component(made, "libc6")["bom-ref"]]


def test_the_same_image_makes_the_same_bytes() -> None:
    one, other = sbom_of(RICH), sbom_of(dict(reversed(RICH.items())))
    assert json.loads(one.text)["components"] == json.loads(other.text)["components"]
    assert sbom_of(RICH).text == one.text
    assert one.document["serialNumber"].startswith("urn:uuid:")
    assert "timestamp" not in one.document["metadata"]  # the image does not tell when it was made


def test_a_document_that_misses_packages_says_so() -> None:
    whole, part = sbom_of(RICH), sbom_of({**RICH, f"{SITE}/x-1.dist-info/METADATA": b"\0"})
    assert whole.document["compositions"][0]["aggregate"] == "unknown"
    assert part.document["compositions"][0]["aggregate"] == "incomplete"
    assert part.unread == (f"/{SITE}/x-1.dist-info/METADATA: is binary, and ought to be text",)


class Counting(FakeEngine):
    """Counts how often an image is read."""

    reads = 0

    def saved(self, image: str) -> Any:
        self.reads += 1
        return super().saved(image)


@pytest.fixture
def engine() -> Counting:
    made = Counting(None, images=["team/app:1"])
    made.archive_of_images = saved(layer(RICH))
    return made


def kept(engine: Engine, place: Path) -> Sbom:
    return kept_sbom(engine, engine.image("team/app:1"), place, lambda _: None)


def test_an_image_is_read_once(engine: Counting, tmp_path: Path) -> None:
    place = place_of(tmp_path, "host:5000/team/app:1")
    assert place == tmp_path / "team" / "app" / "1.cdx.json"
    first, again = kept(engine, place), kept(engine, place)
    assert (first.made, again.made, engine.reads) == (True, False, 1)
    assert place.read_bytes() == first.text == again.text
    assert [each.name for each in place.parent.iterdir()] == ["1.cdx.json"]


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b'{"metadata": {"component": 1}}', b"\xff"])
def test_what_lies_there_and_is_no_document_is_made_anew(
    engine: Counting, tmp_path: Path, text: bytes
) -> None:
    place = tmp_path / "a.cdx.json"
    place.write_bytes(text)
    assert kept(engine, place).made


def test_another_image_s_or_another_version_s_is_made_anew(
    engine: Counting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "a.cdx.json"
    kept(engine, place)
    engine.rebuild("team/app:1")
    assert kept(engine, place).made
    monkeypatch.setattr("sagedock.images.sbom.making.tool_version", lambda: "9.9")
    assert kept(engine, place).made


def test_an_image_without_a_name_has_a_place_too(tmp_path: Path) -> None:
    assert place_of(tmp_path, ID) == tmp_path / "by-id" / f"{'ab' * 32}.cdx.json"
