"""Which images a build is for, and in what order: one that another starts from comes first."""

from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches

from sagedock.errors import InvalidRequest
from sagedock.images.image import ARCHITECTURE, Image
from sagedock.images.plan import own_base

__all__ = ["chosen_images", "foreign_bases", "release_of"]

_NEAREST = 3


def chosen_images(
    names: Sequence[str], images: Sequence[Image], is_there: Callable[[str], bool]
) -> tuple[Image, ...]:
    """Return the images of the matrix that ``names`` mean, without names those for the CPU
    that are not made on request alone.

    An image that another one's ``base`` is comes before it, also where nobody named it and
    ``is_there``, told its reference, says that the engine lacks it. Raises InvalidRequest with
    every name that is none, and the nearest that are.
    """
    known = {image.name: image for image in images}
    if problems := [_unknown(name, known) for name in names if name not in known]:
        raise InvalidRequest(problems)
    asked = [known[name] for name in dict.fromkeys(names)]
    if not names:
        asked = [image for image in images if image.device == "cpu" and not image.on_request]
    by_reference = {image.reference: image for image in images}
    ordered: dict[str, Image] = {}
    for image in asked:
        for each in (*_bases(image, by_reference), image):
            if each in asked or not is_there(each.reference):
                ordered.setdefault(each.name, each)
    return tuple(ordered.values())


def release_of(image: Image, images: Sequence[Image]) -> str | None:
    """Return the Debian release that an image stands on, through others of the matrix, too."""
    lowest = next(_bases(image, {each.reference: each for each in images}), image)
    return own_base(lowest)


def foreign_bases(chosen: Sequence[Image], architecture: Callable[[str], str | None]) -> list[str]:
    """Return a problem for each image whose base is not for SageMaker's instances.

    ``architecture`` tells that of an image by its reference, None where the engine lacks it.
    """
    made = {image.reference for image in chosen}
    found = [(image, architecture(image.base)) for image in chosen if image.base not in made]
    return [
        f"{image.name}: its base {image.base} is for {its}, and images are built for "
        f"{ARCHITECTURE}: pull or build that with --platform linux/{ARCHITECTURE}"
        for image, its in found
        if its not in (ARCHITECTURE, None)
    ]


def _bases(image: Image, by_reference: dict[str, Image]) -> Iterator[Image]:
    """Yield the images that an image stands on, the lowest first."""
    base = by_reference.get(image.base)
    if base is not None:
        yield from _bases(base, by_reference)
        yield base


def _unknown(name: str, known: dict[str, Image]) -> str:
    near = get_close_matches(name, known, n=_NEAREST, cutoff=0.5)
    meant = f"the nearest are {', '.join(near)}" if near else f"there are {', '.join(known)}"
    return f"{name}: no image of containers/images.toml is called so: {meant}"
