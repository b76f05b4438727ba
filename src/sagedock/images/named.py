"""An image by what people call it: its name in images.toml, or the engine's."""

from collections.abc import Sequence
from difflib import get_close_matches

from sagedock.engine import Engine
from sagedock.errors import ImageNotFound, InvalidRequest
from sagedock.images.choice import chosen_images
from sagedock.images.image import Image
from sagedock.images.matrix import find_matrix, load_images, own_images

__all__ = ["default_names", "find_all_named", "find_named"]


def find_named(engine: Engine, name: str) -> str:
    """Return what the engine calls an image. Raises ImageNotFound, with what to do, where it has
    none of that name.
    """
    (reference,) = find_all_named(engine, [name])
    return reference


def find_all_named(engine: Engine, names: Sequence[str]) -> tuple[str, ...]:
    """Return what the engine calls each image. Raises ImageNotFound with all that it has not."""
    own = own_images()
    references = {image.name: image.reference for image in own}
    absent = [name for name in names if not _has(engine, references.get(name, name))]
    if absent:
        told = (f"{name}: the engine has no such image: {_remedy(name, own)}" for name in absent)
        raise ImageNotFound("\n".join(told))
    return tuple(references.get(name, name) for name in names)


def _has(engine: Engine, reference: str) -> bool:
    try:
        engine.image(reference)
    except ImageNotFound:
        return False
    return True


def _remedy(name: str, own: Sequence[Image]) -> str:
    known = {word: each.name for each in own for word in (each.name, each.reference)}
    if name in known:
        return f"build it with `sagedock build {known[name]}`"
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    meant = f", or did you mean {near[0]}?" if near else ""
    return f"build or pull it, or name one that `docker image ls` lists{meant}"


def default_names() -> list[str]:
    """Return the images that are meant where nobody names one: those that a build without names
    makes. Raises InvalidRequest outside of a project.
    """
    images = load_images(find_matrix())
    if names := [image.name for image in chosen_images((), images, lambda _: True)]:
        return names
    raise InvalidRequest(["images.toml has no image for the CPU: name one"])
