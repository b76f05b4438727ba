"""From the name of an image in ECR to the image that the local engine has."""

import re
from dataclasses import dataclass

from sagedock.engine import Engine, Image
from sagedock.errors import ImageNotFound

__all__ = ["EcrUri", "find_image"]

#: Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html
_ECR = re.compile(
    r"(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.(?:amazonaws\.com|on\.aws)"
    r"(?:\.cn)?/(?P<repository>[a-z0-9._/-]+)(?::(?P<tag>[\w.-]+))?(?:@(?P<digest>sha256:[0-9a-f]+))?"
)
_DIGEST_CHARACTERS = 71


@dataclass(frozen=True, kw_only=True)
class EcrUri:
    """The parts of an image's name in ECR."""

    account: str
    region: str
    repository: str
    tag: str | None
    digest: str | None

    @classmethod
    def parse(cls, image: str) -> "EcrUri | None":
        """Return the parts of ``image``, or None if it is no name in ECR."""
        found = _ECR.fullmatch(image)
        return cls(**found.groupdict()) if found else None


def find_image(engine: Engine, image: str) -> Image:
    """Return the local image that ``image`` means, or raise ImageNotFound.

    An ECR name means the local image of that very name; else the one of that repository and tag
    (``latest`` where none is given); else, by digest, the image whose digest or id that is. Any
    other name means itself.
    """
    uri = EcrUri.parse(image)
    if uri is None:
        return engine.image(image)
    for candidate in _candidates(image, uri):
        try:
            return engine.image(candidate)
        except ImageNotFound:
            continue
    raise ImageNotFound(
        f"no local image is {image}: build or pull it, or tag one "
        f"{uri.repository}:{uri.tag or 'latest'}"
    )


def _candidates(image: str, uri: EcrUri) -> list[str]:
    if uri.digest is None:
        return [image, f"{uri.repository}:{uri.tag or 'latest'}"]
    candidates = [image, f"{uri.repository}@{uri.digest}"]
    if len(uri.digest) == _DIGEST_CHARACTERS:
        candidates.append(uri.digest)
    return candidates
