"""Documents against CycloneDX's own schema, and package URLs against their own library."""

import json

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.licenses._spdx import LICENSES

from sagedock.images.sbom.making import Sbom
from tests.unit.images.sbom_images import LABELS, RICH, SITE, sbom_of


def problems(made: Sbom) -> list[str]:
    """Return what CycloneDX's own schema has against a document."""
    found = JsonStrictValidator(SchemaVersion.V1_6).validate_str(
        made.text.decode(), all_errors=True
    )
    return [str(each) for each in found or ()]


def test_the_document_is_as_cyclonedx_has_it() -> None:
    made = sbom_of(RICH, settings={"Labels": LABELS})
    assert problems(made) == []
    assert problems(sbom_of({})) == []
    assert problems(sbom_of({f"{SITE}/x-1.dist-info/METADATA": b"\0"})) == []


def test_the_schema_sees_what_is_wrong() -> None:
    made = sbom_of(RICH)
    made.document["components"][1]["licenses"] = [{"license": {"id": "NO-SUCH-LICENCE"}}]
    wrong = json.dumps(made.document).encode()
    assert problems(Sbom(document=made.document, text=wrong, made=True))


def test_the_schema_knows_every_identifier_that_we_write() -> None:
    made = sbom_of({})
    made.document["components"] = [
        {"type": "library", "name": "x", "licenses": [{"license": {"id": each["id"]}}]}
        for each in LICENSES.values()
    ]
    text = json.dumps(made.document).encode()
    assert problems(Sbom(document=made.document, text=text, made=True)) == []


def test_each_package_url_is_one() -> None:
    made = sbom_of(RICH)
    for each in made.packages():
        read = PackageURL.from_string(each["purl"])
        assert (read.name, read.version) == (each["name"].lower(), each["version"])
        assert read.to_string() == each["purl"]
