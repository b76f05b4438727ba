"""An image's name in ECR, and its parts."""

import re
from dataclasses import dataclass

__all__ = ["EcrUri", "repository_arn", "repository_uri"]

#: Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html
_ECR = re.compile(
    r"(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.(?:amazonaws\.com|on\.aws)"
    r"(?:\.cn)?/(?P<repository>[a-z0-9._/-]+)(?::(?P<tag>[\w.-]+))?(?:@(?P<digest>sha256:[0-9a-f]+))?"
)


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


def repository_uri(account: str, region: str, repository: str) -> str:
    """Return a repository's name as AWS gives it, without a tag."""
    return f"{account}.dkr.ecr.{region}.amazonaws.com/{repository}"


def repository_arn(account: str, region: str, repository: str) -> str:
    """Return a repository's ARN."""
    return f"arn:aws:ecr:{region}:{account}:repository/{repository}"
