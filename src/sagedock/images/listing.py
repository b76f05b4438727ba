"""What the engine has of the images."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

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


def list_images(engine: Engine, images: Iterable[Image]) -> tuple[ListedImage, ...]:
    """Return every image of the matrix, built or not, in its order."""
    return tuple(_listed(engine, image) for image in images)


def _listed(engine: Engine, image: Image) -> ListedImage:
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
        digest=digests[0] if digests else None,
        size=found.size,
    )
