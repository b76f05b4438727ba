"""The document of an image: made by one read of the engine's archive, or found where it lies."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sagedock.engine import Engine
from sagedock.engine import Image as EngineImage
from sagedock.images.preflight.saved import Progress, read_saved
from sagedock.images.push_plan import split_reference
from sagedock.images.sbom.document import document, text_of, tool_version
from sagedock.images.sbom.inventory import inventory
from sagedock.images.sbom.layer import LayerReader
from sagedock.images.writing import refuse_unwritable, replace_file

__all__ = [
    "Sbom",
    "ecosystem_of",
    "kept_sbom",
    "make_sbom",
    "place_of",
    "property_of",
    "refuse_place",
]

_ENDING = ".cdx.json"
_REMEDY = "make its folder writable"


@dataclass(frozen=True, kw_only=True)
class Sbom:
    """The document of an image. ``text`` is its bytes; ``made`` says that it was made just now."""

    document: dict[str, Any] = field(repr=False)
    text: bytes = field(repr=False)
    made: bool

    @property
    def image_id(self) -> str:
        """What the engine calls the image."""
        return str(self.document["metadata"]["component"]["bom-ref"])

    @property
    def unread(self) -> tuple[str, ...]:
        """The files that tell of packages and could not be read."""
        properties = self.document["metadata"]["component"]["properties"]
        return tuple(each["value"] for each in properties if each["name"] == "sagedock:unread")

    def packages(self, ecosystem: str | None = None) -> tuple[dict[str, Any], ...]:
        """Return the components that are packages: all, or those of one ecosystem."""
        return tuple(
            each
            for each in self.document["components"]
            if (found := ecosystem_of(each)) and ecosystem in (None, found)
        )


def ecosystem_of(component: dict[str, Any]) -> str:
    """Return whose package a component is; nothing for one that is no package."""
    return property_of(component, "ecosystem")


def property_of(component: dict[str, Any], name: str) -> str:
    """Return one of the properties that a component has from us, or nothing."""
    found = (each for each in component.get("properties", ()) if each["name"] == f"sagedock:{name}")
    return next((str(each["value"]) for each in found), "")


def make_sbom(engine: Engine, image: EngineImage, progress: Progress) -> Sbom:
    """Return the document of an image, which is read, and not run. ``progress`` is told how many
    bytes were read. Raises EngineError where the engine's archive cannot be read.
    """
    progress(0)
    saved = read_saved(engine.saved(image.id), progress, LayerReader().read)
    made = document(inventory(saved), image.id)
    return Sbom(document=made, text=text_of(made), made=True)


def kept_sbom(engine: Engine, image: EngineImage, place: Path, progress: Progress) -> Sbom:
    """Return the document that lies at ``place`` if it is this image's, else one that is made, and
    lies there from then on.
    """
    if found := _stored(place, image.id):
        return found
    refuse_unwritable(place, _REMEDY)
    sbom = make_sbom(engine, image, progress)
    replace_file(place, sbom.text, _REMEDY)
    return sbom


def refuse_place(image: EngineImage, place: Path) -> None:
    """Raise StorageError where the document of an image does not lie at ``place``, and could not be
    put there once it is made.
    """
    if _stored(place, image.id) is None:
        refuse_unwritable(place, _REMEDY)


def place_of(folder: Path, reference: str) -> Path:
    """Return where the document of an image lies that the engine calls ``reference``."""
    repository, tag = split_reference(reference)
    if not repository:
        return folder / "by-id" / f"{reference.partition(':')[2]}{_ENDING}"
    return folder / repository / f"{tag}{_ENDING}"


def _stored(place: Path, image_id: str) -> Sbom | None:
    """Return the document at a place, if it is this image's, by this version, and whole."""
    try:
        text = place.read_bytes()
        found = json.loads(text)
        about = found["metadata"]["component"]["bom-ref"]
        made_by = found["metadata"]["tools"]["components"][0]["version"]
    except (OSError, ValueError, RecursionError, LookupError, TypeError):
        return None
    if about != image_id or made_by != tool_version() or text_of(found) != text:
        return None
    return Sbom(document=found, text=text, made=False)
