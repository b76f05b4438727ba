"""Inference specifications as they are recorded: each container's image by its digest, its data
looked for.

Source of the digest: row 134 of the fidelity corpus' page on the rest.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sagedock.api import messages
from sagedock.api import registry_messages as words
from sagedock.engine import Image
from sagedock.errors import ImageNotFound
from sagedock.local.ecr import EcrUri
from sagedock.local.platform import Platform
from sagedock.local.refusal import Refused
from sagedock.local.s3 import S3Error
from sagedock.local.uris import S3Uri

__all__ = ["Specifications", "additional", "pinned"]

Specification = Mapping[str, Any]

_SHA = "sha256:"


@dataclass(frozen=True, kw_only=True)
class Specifications:
    """Records the inference specifications of requests from one region."""

    platform: Platform
    region: str

    def recorded(self, specification: Specification) -> dict[str, Any]:
        """Return a specification as it is recorded, or refuse an image or data that is not there.

        That AWS looks for the image, and its words, are unverified: they are CreateModel's.
        """
        containers = [self._recorded(each) for each in specification["Containers"]]
        return {**specification, "Containers": containers}

    def _recorded(self, container: Specification) -> dict[str, Any]:
        digest = self._digest(container["Image"], container.get("ImageDigest"))
        for uri, is_prefix in _data(container):
            self._refuse_unreadable(uri, is_prefix=is_prefix)
        return {**container, "ImageDigest": digest}

    def _digest(self, image: str, wanted: str | None) -> str:
        """Return the digest of an image of the engine's, which is the one ``wanted`` names."""
        if EcrUri.parse(image) is None:
            raise Refused(messages.non_ecr_image(image))
        named = image if wanted is None else pinned(image, wanted.lower())
        try:
            found = self.platform.images.find(named)
        except ImageNotFound as error:
            raise Refused(messages.requested_image_not_found(named)) from error
        return _digest_of(image, found) if wanted is None else wanted.lower()

    def _refuse_unreadable(self, uri: S3Uri, *, is_prefix: bool) -> None:
        objects = self.platform.objects
        try:
            elsewhere = objects.region(uri.bucket) != self.region
            first = next(objects.keys(uri.bucket, uri.key), None)
        except S3Error as error:
            raise Refused(words.artefact_unreadable(uri.bucket, uri.key)) from error
        if elsewhere or first is None or not (is_prefix or first[0] == uri.key):
            raise Refused(words.artefact_unreadable(uri.bucket, uri.key))


def pinned(image: str, digest: str) -> str:
    """Return an image's name with a digest in the place of its tag, which may move."""
    repository = image.partition("@")[0]
    if ":" in repository.rpartition("/")[2]:
        repository = repository.rpartition(":")[0]
    return f"{repository}@{digest}"


def additional(specifications: list[Specification]) -> str | None:
    """Return the names that occur twice among additional specifications, or None."""
    names = [each["Name"] for each in specifications]
    twice = sorted({name for name in names if names.count(name) > 1})
    return ", ".join(twice) or None


def _digest_of(image: str, found: Image) -> str:
    """Return an image's digest in its repository, or else the engine's id of it."""
    repository = pinned(image, "")
    known = [each.removeprefix(repository) for each in found.digests if each.startswith(repository)]
    return known[0] if known else found.id if found.id.startswith(_SHA) else f"{_SHA}{found.id}"


def _data(container: Specification) -> Iterator[tuple[S3Uri, bool]]:
    """Yield where a container's data is, and whether that is a prefix."""
    if url := container.get("ModelDataUrl"):
        yield S3Uri.parse(url), False
    sources = [
        container.get("ModelDataSource") or {},
        *(container.get("AdditionalModelDataSources") or ()),
    ]
    for each in sources:
        if source := each.get("S3DataSource"):
            yield S3Uri.parse(source["S3Uri"]), source["S3DataType"] == "S3Prefix"
