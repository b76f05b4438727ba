"""What the engine has of the images."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sagedock.engine import Engine
from sagedock.errors import ImageNotFound
from sagedock.images.image import Device, Image, Kind

__all__ = ["ListedImage", "list_images"]


@dataclass(frozen=True, kw_only=True)
class ListedImage:
    """One image and what the engine has of it.

    ``reference`` is the name that a build gives it in the engine, ``uri`` what a job names. Of an
    image that is built: ``image_id``, the engine's; ``names``, all that the engine has for it,
    ``reference`` first; ``digest``, a repository's, once it was pushed or pulled; ``size``, in
    bytes, unpacked.
    """

    name: str
    kind: Kind
    device: Device
    reference: str
    uri: str
    names: tuple[str, ...] = ()
    image_id: str | None = None
    digest: str | None = None
    size: int | None = None


def list_images(
    engine: Engine, images: Iterable[Image], records: Path | None = None
) -> tuple[ListedImage, ...]:
    """Return every image of the matrix, built or not, in its order.

    ``records`` is the folder that pushes leave their records in: the engine keeps no digest of a
    push, as the name that it pushes by is taken away again.
    """
    pushed = _pushed(records) if records else {}
    return tuple(_listed(engine, image, pushed) for image in images)


def _listed(engine: Engine, image: Image, pushed: dict[str, str]) -> ListedImage:
    row = ListedImage(
        name=image.name,
        kind=image.kind,
        device=image.device,
        reference=image.reference,
        uri=image.uri(),
    )
    try:
        found = engine.image(image.reference)
    except ImageNotFound:  # not built yet: the row says so
        return row
    digests = sorted(name.partition("@")[2] for name in found.digests)
    others = sorted(set(found.tags) - {image.reference})
    return replace(
        row,
        names=(image.reference, *others),
        image_id=found.id,
        digest=digests[0] if digests else pushed.get(found.id),
        size=found.size,
    )


def _pushed(folder: Path) -> dict[str, str]:
    """Return the digest that each image was last pushed by, by the engine's id of the image."""
    records = sorted(_records(folder), key=lambda each: str(each.get("recorded_at")))
    return {str(each["image_id"]): str(each["digest"]) for each in records}


def _records(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the records of pushes; a file that is none, or cannot be read, tells of no image."""
    for path in folder.glob("**/*.json"):
        try:
            found = json.loads(path.read_bytes())
        except (OSError, ValueError):  # the next push writes it anew
            continue
        if isinstance(found, dict) and found.get("image_id") and found.get("digest"):
            yield found
