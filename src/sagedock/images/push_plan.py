"""A push before it begins: what goes where, and every problem that would end it."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sagedock.engine import Engine
from sagedock.engine import Image as EngineImage
from sagedock.errors import InvalidRequest
from sagedock.images.ecr import EcrRegistry, Kept
from sagedock.images.image import ARCHITECTURE, Image
from sagedock.images.named import find_named
from sagedock.images.names import REPOSITORY, TAG

__all__ = ["Planned", "ToPush", "named_images", "plan_push", "split_reference"]


@dataclass(frozen=True, kw_only=True)
class ToPush:
    """One image of the engine's, and the repository and the tag that it goes to."""

    image: str
    repository: str
    tag: str


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One image for one region. ``kept`` is what the tag means there already: the same image."""

    wanted: ToPush
    image: EngineImage
    registry: EcrRegistry
    kept: Kept | None

    @property
    def name(self) -> str:
        """How the push is named to people."""
        return f"{self.wanted.repository}:{self.wanted.tag}"


def named_images(
    names: Sequence[str],
    matrix: Mapping[str, Image],
    *,
    repository: str | None = None,
    tag: str | None = None,
) -> tuple[ToPush, ...]:
    """Return what the words of a command line mean: images of the matrix by name, others as the
    engine calls them. Raises InvalidRequest with every problem.
    """
    problems = []
    if repository is not None and len(names) > 1:
        problems.append(
            "--repository: names one repository, and there are several images: push each alone"
        )
    found = []
    for name in names:
        own = matrix.get(name)
        reference = own.reference if own else name
        base, default_tag = split_reference(reference)
        if not base and not (repository and tag):
            problems.append(f"{name}: is an id, which has no name: add --repository and --tag")
        wanted = ToPush(image=reference, repository=repository or base, tag=tag or default_tag)
        problems += _no_names(wanted)
        found.append(wanted)
    if problems:
        raise InvalidRequest(problems)
    return tuple(found)


def _no_names(wanted: ToPush) -> Iterator[str]:
    if wanted.repository and not re.fullmatch(REPOSITORY, wanted.repository):
        yield (
            f"{wanted.repository!r} is no name of a repository: lower-case letters, digits, and "
            "single . _ - / between them; --repository names another"
        )
    if wanted.tag and not re.fullmatch(TAG, wanted.tag):
        yield f"{wanted.tag!r} is no tag: letters, digits, _, . and -, 128 at most"


def plan_push(
    engine: Engine,
    wanted: Iterable[ToPush],
    registries: Sequence[EcrRegistry],
    *,
    architecture: str = ARCHITECTURE,
) -> tuple[Planned, ...]:
    """Return what is to be done, or raise InvalidRequest with every problem; nothing is changed.

    Raises ImageNotFound where the engine lacks an image.
    """
    problems: list[str] = []
    planned = []
    for each in wanted:
        image = engine.image(find_named(engine, each.image))
        problems += _wrong_kind(each, image, architecture)
        for registry in registries:
            kept = registry.image(each.repository, each.tag)
            if kept is not None and not kept.is_same(image.id):
                problems.append(_taken(each, registry, kept))
            planned.append(Planned(wanted=each, image=image, registry=registry, kept=kept))
    if problems:
        raise InvalidRequest(problems)
    return tuple(planned)


def _wrong_kind(wanted: ToPush, image: EngineImage, architecture: str) -> Iterator[str]:
    if image.architecture == architecture:
        return
    other = ""
    if architecture == ARCHITECTURE:
        other = f", or, for endpoints on Graviton, push it with --architecture {image.architecture}"
    yield (
        f"{wanted.image}: is for {image.architecture}, and {architecture} is wanted: build it with "
        f"--platform linux/{architecture}{other}"
    )


def _taken(wanted: ToPush, registry: EcrRegistry, kept: Kept) -> str:
    return (
        f"{wanted.repository}:{wanted.tag} in {registry.region} is another image already "
        f"({kept.digest}), and a tag keeps its meaning: push this one with another --tag"
    )


def split_reference(reference: str) -> tuple[str, str]:
    """Return the repository and the tag of a name, without the registry's host; an id has none."""
    if reference.startswith("sha256:"):
        return "", ""
    name, _, _ = reference.partition("@")
    first, slash, rest = name.partition("/")
    if slash and (set(".:") & set(first) or first == "localhost"):
        name = rest
    base, colon, tag = name.rpartition(":")
    return (base, tag) if colon else (name, "latest")
