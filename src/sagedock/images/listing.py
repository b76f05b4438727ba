"""What the engine has of the images."""

from collections.abc import Iterable
from dataclasses import dataclass

from sagedock.engine import Engine
from sagedock.errors import ImageNotFound
from sagedock.images.image import Device, Image, Kind

__all__ = ["ListedImage", "list_images"]


@dataclass(frozen=True, kw_only=True)
class ListedImage:
    """One image and what the engine has of it.

    ``uri`` is what a job names, ``reference`` the same image's tag in the engine. ``digest`` is the
    registry's once the image was pushed or pulled, before that the engine's own id; it and ``size``
    (bytes, unpacked) are None for an image that is not built.
    """

    name: str
    kind: Kind
    device: Device
    reference: str
    uri: str
    digest: str | None = None
    size: int | None = None


def list_images(engine: Engine, images: Iterable[Image]) -> tuple[ListedImage, ...]:
    """Return every image of the matrix, built or not, in its order."""
    return tuple(_listed(engine, image) for image in images)


def _listed(engine: Engine, image: Image) -> ListedImage:
    digest, size = None, None
    try:
        found = engine.image(image.reference)
    except ImageNotFound:
        pass  # not built yet: the row says so
    else:
        registry = sorted(name.partition("@")[2] for name in found.digests)
        digest, size = (registry or [found.id])[0], found.size
    return ListedImage(
        name=image.name,
        kind=image.kind,
        device=image.device,
        reference=image.reference,
        uri=image.uri(),
        digest=digest,
        size=size,
    )
