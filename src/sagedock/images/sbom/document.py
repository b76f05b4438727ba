"""A CycloneDX document of an image: the same bytes for the same image, whoever makes it, and when.

Source: https://cyclonedx.org/docs/1.6/json/
"""

import json
import re
import uuid
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

from sagedock.images.sbom.inventory import Inventory
from sagedock.images.sbom.licences import Licence, spdx
from sagedock.images.sbom.package import Package, clean

__all__ = ["MEDIA_TYPE", "document", "text_of", "tool_version"]

#: Source: https://www.iana.org/assignments/media-types/application/vnd.cyclonedx+json
MEDIA_TYPE = "application/vnd.cyclonedx+json"
_VERSION = "1.6"
_SCHEMA = f"http://cyclonedx.org/schema/bom-{_VERSION}.schema.json"
_BASE_NAME = "org.opencontainers.image.base.name"
_BASE_DIGEST = "org.opencontainers.image.base.digest"
_NAMES = ("sagedock.image", "org.opencontainers.image.title")
_IMAGE_VERSION = "org.opencontainers.image.version"
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z")
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")

Document = dict[str, Any]


def document(found: Inventory, image_id: str) -> Document:
    """Return the document of an image that the engine calls ``image_id``.

    It is about the image, whatever it is tagged; ``timestamp`` is when the image was made.
    """
    created = _TIME.fullmatch(str(found.config.get("created") or ""))
    return {
        "$schema": _SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": _VERSION,
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, image_id)}",
        "version": 1,
        "metadata": {
            **({"timestamp": f"{created[1]}Z"} if created else {}),
            "lifecycles": [{"phase": "post-build"}],
            "tools": {
                "components": [
                    {"type": "application", "name": "sagedock", "version": tool_version()}
                ]
            },
            "component": _image(found, image_id),
        },
        "components": [*_system(found), *map(_component, found.packages)],
        "dependencies": _dependencies(found, image_id),
        "compositions": [
            {"aggregate": "incomplete" if found.unread else "unknown", "assemblies": [image_id]}
        ],
    }


def tool_version() -> str:
    """Return the version that a document says it was made by."""
    return version("sagedock")


def text_of(made: Document) -> bytes:
    """Return a document as the bytes that are stored and attached."""
    return f"{json.dumps(made, indent=1, ensure_ascii=False)}\n".encode()


def _image(found: Inventory, image_id: str) -> Document:
    labels = _labels(found.config)
    digest = _DIGEST.fullmatch(image_id)
    base = clean(labels.get(_BASE_NAME, ""))
    ancestor = {
        "type": "container",
        "name": base,
        **({"version": clean(labels[_BASE_DIGEST])} if labels.get(_BASE_DIGEST) else {}),
    }
    layers = (found.config.get("rootfs") or {}).get("diff_ids") or ()
    return {
        "type": "container",
        "bom-ref": image_id,
        "name": next((clean(labels[name]) for name in _NAMES if labels.get(name)), "image"),
        "version": clean(labels.get(_IMAGE_VERSION, "")) or image_id,
        **({"hashes": [{"alg": "SHA-256", "content": digest[1]}]} if digest else {}),
        **({"pedigree": {"ancestors": [ancestor]}} if base else {}),
        "properties": [
            *_properties("image-id", [image_id]),
            *_properties("architecture", [str(found.config.get("architecture") or "")]),
            *_properties("layer", map(str, layers)),
            *_properties("unread", found.unread),
        ],
    }


def _labels(config: Mapping[str, Any]) -> dict[str, str]:
    labels = (config.get("config") or {}).get("Labels") or {}
    return {str(name): str(value) for name, value in labels.items()}


def _system(found: Inventory) -> list[Document]:
    system = found.system
    if not system.id:
        return []
    return [
        {
            "type": "operating-system",
            "bom-ref": f"os:{system.id}",
            "name": system.id,
            **({"version": system.version} if system.version else {}),
            **({"description": system.title} if system.title else {}),
        }
    ]


def _component(package: Package) -> Document:
    licence, mentions = _licences(package.licence), package.licence.mentions
    evidence: Document = {"occurrences": [{"location": f"/{package.path}"}]}
    if mentions:
        evidence["licenses"] = [{"license": {"name": name}} for name in mentions]
    group, _, name = package.name.rpartition(":") if package.ecosystem == "java" else ("", "", "")
    hashed = [{"alg": "SHA-256", "content": package.sha256}]
    properties = [
        *_properties("ecosystem", [package.ecosystem]),
        *_properties("source", [package.source]),
        *_properties("source-version", [package.source_version]),
        *_properties("vendored-by", [package.vendored_by]),
        *_properties("record-sha256", [package.record_sha256]),
    ]
    return {
        "type": "platform" if package.ecosystem == "runtime" else "library",
        "bom-ref": package.ref,
        **({"group": group} if group else {}),
        "name": name or package.name,
        **({"version": package.version} if package.version else {}),
        **({"hashes": hashed} if package.sha256 else {}),
        **({"licenses": licence} if licence else {}),
        **({"purl": package.purl} if package.version else {}),
        "evidence": evidence,
        "properties": properties,
    }


def _licences(licence: Licence) -> list[Document]:
    if not licence.expression:
        return [{"license": {"name": licence.name}}] if licence.name else []
    single = spdx(licence.expression)
    if re.fullmatch(r"[A-Za-z0-9.-]+", single) and not single.startswith("LicenseRef-"):
        return [{"license": {"id": single}}]
    return [{"expression": licence.expression}]


def _properties(name: str, values: Iterable[str]) -> list[Document]:
    return [{"name": f"sagedock:{name}", "value": value} for value in values if value]


def _dependencies(found: Inventory, image_id: str) -> list[Document]:
    """Return who needs whom: of Python, what is beside it comes before what is elsewhere."""
    near: dict[tuple[str, str, str], str] = {}
    anywhere: dict[tuple[str, str], str] = {}
    for each in found.packages:
        name = _plain(each.ecosystem, each.name)
        near.setdefault((each.ecosystem, _home(each), name), each.ref)
        if not each.vendored_by:
            anywhere.setdefault((each.ecosystem, name), each.ref)
    edges = [
        {
            "ref": image_id,
            "dependsOn": [item["bom-ref"] for item in _system(found)]
            + [each.ref for each in found.packages],
        },
    ]
    for each in found.packages:
        wanted = {
            near.get((each.ecosystem, _home(each), name)) or anywhere.get((each.ecosystem, name))
            for name in each.needs
        }
        if needed := sorted(ref for ref in wanted if ref and ref != each.ref):
            edges.append({"ref": each.ref, "dependsOn": needed})
    return edges


def _home(package: Package) -> str:
    return package.path.rpartition("/")[0] if package.ecosystem == "python" else ""


def _plain(ecosystem: str, name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower() if ecosystem == "python" else name
