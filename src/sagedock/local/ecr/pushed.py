"""Which images were pushed: their manifests and tags, in the store.

The registry's own folder has the layers. Tags are here alone, so that the two never disagree.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sagedock.local.ecr.rules import may_move
from sagedock.local.resources import Key, Resource, Resources

__all__ = ["IMAGE", "REPOSITORY", "Place", "Pushed", "PushedImages", "TagIsImmutable"]

REPOSITORY = "ecr-repository"
IMAGE = "ecr-image"


class TagIsImmutable(Exception):
    """A tag means an image already, and may not come to mean another."""


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """One image of a repository. ``pushed`` and ``scanned``, None where it was not, are in epoch
    seconds; ``architecture`` and ``labels`` are
    those of its configuration, ``config`` that one's digest: none for a list of images. ``subject``
    is the digest of the image that an artifact refers to.
    """

    digest: str
    media_type: str
    manifest: str
    size: int
    config: str | None
    config_media_type: str | None
    architecture: str
    labels: Mapping[str, str]
    pushed: float
    tags: Sequence[str] = ()
    scanned: float | None = None
    subject: str | None = None
    artifact_type: str | None = None

    @property
    def image_id(self) -> str:
        """What an engine that keeps images by their configurations calls it."""
        return self.config or self.digest


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where an image was pushed to, and as what."""

    region: str
    repository: str
    image: Pushed


class PushedImages:
    """The images of every repository; a part of the table of resources."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def has_repository(self, region: str, repository: str) -> bool:
        """Say whether there is a repository of that name."""
        return self.repository(region, repository) is not None

    def repository(self, region: str, repository: str) -> Mapping[str, Any] | None:
        """Return what CreateRepository answered of a repository, or None."""
        found = self._resources.get(Key(region=region, kind=REPOSITORY, name=repository))
        return None if found is None else found.document

    def every(self, region: str, repository: str) -> list[Pushed]:
        """Return a repository's images, the oldest first."""
        kind = f"{IMAGE}:{repository}"
        return [_pushed(each) for each in self._resources.every(region, kind)]

    def by_digest(self, region: str, repository: str, digest: str) -> Pushed | None:
        """Return the image of that digest, or None."""
        found = self._resources.get(_key(region, repository, digest))
        return None if found is None else _pushed(found)

    def by_tag(self, region: str, repository: str, tag: str) -> Pushed | None:
        """Return the image of that tag, or None."""
        return next((each for each in self.every(region, repository) if tag in each.tags), None)

    def of(self, region: str, repository: str, reference: str) -> Pushed | None:
        """Return the image that a tag or a digest means, or None."""
        find = self.by_digest if reference.startswith("sha256:") else self.by_tag
        return find(region, repository, reference)

    def by_id(self, image_id: str) -> list[Place]:
        """Return everywhere that an image was pushed to which an engine calls ``image_id``, by its
        configuration or its digest.
        """
        return [
            Place(region=region, repository=repository, image=each)
            for region, repository in self._repositories()
            for each in self.every(region, repository)
            if image_id in (each.config, each.digest)
        ]

    def put(self, region: str, repository: str, image: Pushed, tag: str | None) -> None:
        """Add an image, if it is not there, and have ``tag`` mean it, and no other. Raises
        TagIsImmutable, with nothing changed.
        """
        key = _key(region, repository, image.digest)
        with self._resources.together():
            if tag is not None:
                self.require_free(region, repository, tag, image.digest)
                if before := self.by_tag(region, repository, tag):
                    self.untag(region, repository, before.digest, tag)
            if self._resources.get(key) is None:
                told = self.repository(region, repository) or {}
                scans = told.get("imageScanningConfiguration", {}).get("scanOnPush")
                scanned = image.pushed if scans and image.subject is None else None
                self._resources.add(_resource(key, replace(image, scanned=scanned)))
            if tag is not None:
                self._change(key, lambda each: replace(each, tags=(*each.tags, tag)))

    def require_free(self, region: str, repository: str, tag: str, digest: str) -> None:
        """Raise TagIsImmutable where ``tag`` may not come to mean the image ``digest``."""
        now = self.by_tag(region, repository, tag)
        if now is None or now.digest == digest:
            return
        if not may_move(self.repository(region, repository) or {}, tag):
            raise TagIsImmutable(tag)

    def untag(self, region: str, repository: str, digest: str, tag: str) -> None:
        """Let ``tag`` mean that image no more."""
        key = _key(region, repository, digest)
        self._change(
            key, lambda each: replace(each, tags=tuple(name for name in each.tags if name != tag))
        )

    def scan(self, region: str, repository: str, digest: str, at: float) -> None:
        """Write down that an image was scanned."""
        self._change(_key(region, repository, digest), lambda each: replace(each, scanned=at))

    def delete(self, region: str, repository: str, digest: str) -> None:
        """Forget an image and its tags."""
        self._resources.delete(_key(region, repository, digest))

    def _change(self, key: Key, change: Callable[[Pushed], Pushed]) -> None:
        self._resources.change(key, lambda now: replace(now, document=asdict(change(_pushed(now)))))

    def _repositories(self) -> list[tuple[str, str]]:
        return [(key.region, key.name) for key in self._resources.named(REPOSITORY)]


def _key(region: str, repository: str, digest: str) -> Key:
    return Key(region=region, kind=f"{IMAGE}:{repository}", name=digest)


def _resource(key: Key, image: Pushed) -> Resource:
    return Resource(
        key=key,
        created=image.pushed,
        modified=image.pushed,
        status="ACTIVE",
        document=asdict(image),
        request={},
    )


def _pushed(resource: Resource) -> Pushed:
    return Pushed(**{**resource.document, "tags": tuple(resource.document["tags"])})
