"""Which images a build is for, and in what order: one that another starts from comes first."""

from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches

from sagedock.errors import InvalidRequest
from sagedock.images.image import Image

__all__ = ["chosen_images"]

_NEAREST = 3


def chosen_images(
    names: Sequence[str], images: Sequence[Image], is_there: Callable[[str], bool]
) -> tuple[Image, ...]:
    """Return the images of the matrix that ``names`` mean, without names those for the CPU.

    An image that another one's ``base`` is comes before it, also where nobody named it and
    ``is_there``, told its reference, says that the engine lacks it. Raises InvalidRequest with
    every name that is none, and the nearest that are.
    """
    known = {image.name: image for image in images}
    if problems := [_unknown(name, known) for name in names if name not in known]:
        raise InvalidRequest(problems)
    asked = [known[name] for name in dict.fromkeys(names)]
    if not names:
        asked = [image for image in images if image.device == "cpu"]
    by_reference = {image.reference: image for image in images}
    ordered: dict[str, Image] = {}
    for image in asked:
        for each in (*_bases(image, by_reference), image):
            if each in asked or not is_there(each.reference):
                ordered.setdefault(each.name, each)
    return tuple(ordered.values())


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
