"""An image whose packages cannot be fetched as they are written down: said before anything is."""

from collections.abc import Iterator
from pathlib import Path

from sagedock.errors import BuildFailed
from sagedock.images.image import Image

__all__ = ["refuse_unlocked"]

_GUIDE = "docs/how-to/train-on-trainium.md"
_APT = "NEURON_APT"


def refuse_unlocked(image: Image, containers: Path) -> None:
    """Raise BuildFailed for a lock that pins nothing, and for a Neuron repository without address.

    AWS's packages for Neuron lie in an index and a repository of their own, which are not asked
    unless the reader says so: public indexes have empty packages of the same names.
    """
    problems = [*_empty_locks(image, containers), *_absent_repository(image)]
    if problems:
        raise BuildFailed("\n".join(f"{image.name}: {problem}" for problem in problems))


def _empty_locks(image: Image, containers: Path) -> Iterator[str]:
    for lock in image.locks:
        lines = (containers / lock).read_text(encoding="utf-8").splitlines()
        if all(line.startswith("#") or not line.strip() for line in lines):
            yield (
                f"{containers / lock} pins no package: give pip the index of these packages "
                f"(extra-index-url) and run `make lock`: {_GUIDE}"
            )


def _absent_repository(image: Image) -> Iterator[str]:
    if image.args.get(_APT) == "":
        yield (
            f"args.{_APT} in images.toml is empty: give it the address of AWS's apt repository for "
            f"Neuron, or of your mirror: {_GUIDE}"
        )
