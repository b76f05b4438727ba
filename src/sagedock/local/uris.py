"""S3 URIs."""

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["S3Uri", "object_file"]


#: Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
_HTTPS = re.compile(
    r"https://((?P<bucket>[^/]+)\.)?s3[.-](dualstack\.)?([a-z0-9-]+\.)?amazonaws\.com(\.cn)?/?"
    r"(?P<path>.*)",
    re.DOTALL,
)


@dataclass(frozen=True, kw_only=True)
class S3Uri:
    """A bucket, and a key or key name prefix in it."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str) -> "S3Uri":
        """Return the parts of ``s3://bucket/key``, or of S3's https address of the same.

        The request was checked: it has one of those forms.
        """
        if web := _HTTPS.fullmatch(uri):
            path = web["path"] if web["bucket"] is None else f"{web['bucket']}/{web['path']}"
            return cls.parse(f"s3://{path}")
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return cls(bucket=bucket, key=key)

    def __truediv__(self, name: str) -> "S3Uri":
        """Return the key below this one; a slash at the end of it is not doubled."""
        prefix = self.key.rstrip("/")
        return S3Uri(bucket=self.bucket, key=f"{prefix}/{name}" if prefix else name)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


def object_file(home: Path, uri: str) -> Path:
    """Return the file that holds the object ``uri`` in the local S3 of ``home``, if it exists."""
    where = S3Uri.parse(uri)
    return home / "s3" / "buckets" / where.bucket / where.key
