"""Buckets as folders: which there are, where, since when, and in which region."""

import os
from datetime import UTC, datetime
from pathlib import Path

from sagedock.local.s3 import tree
from sagedock.local.s3.errors import NoSuchBucket
from sagedock.local.s3.keys import check_bucket_name, is_bucket_name
from sagedock.local.s3.metadata import ObjectTable
from sagedock.local.s3.model import Bucket

__all__ = ["BucketFolders"]

#: Where S3 says that a bucket is when it says nothing.
_DEFAULT_REGION = "us-east-1"


class BucketFolders:
    """The folders in ``root``; one made by hand, with a bucket's name, is a bucket too."""

    def __init__(self, root: Path, table: ObjectTable) -> None:
        self._root = root
        self._table = table

    def has(self, name: str) -> bool:
        """Say whether there is a bucket ``name``."""
        return is_bucket_name(name) and _is_folder(self._root / name)

    def path(self, name: str) -> Path:
        """Return the folder of a bucket. Raises InvalidBucketName or NoSuchBucket."""
        check_bucket_name(name)
        path = self._root / name
        if not _is_folder(path):
            raise NoSuchBucket(name)
        return path

    def make(self, name: str, region: str) -> None:
        """Make the folder of a new bucket."""
        self._table.save_bucket(name, region)
        (self._root / name).mkdir()

    def remove(self, name: str) -> None:
        """Remove the folder of a bucket without objects. Raises OSError if one appeared."""
        tree.remove_empty(self.path(name))

    def region(self, name: str) -> str:
        """Return the region that a bucket was created in. Raises NoSuchBucket."""
        self.path(name)
        known = self._table.buckets().get(name)
        return known[0] if known else _DEFAULT_REGION

    def all(self) -> tuple[Bucket, ...]:
        """Return every bucket, sorted by name."""
        known = self._table.buckets()
        names = sorted(name for name in os.listdir(self._root) if self.has(name))  # noqa: PTH208
        return tuple(self._bucket(name, known.get(name)) for name in names)

    def _bucket(self, name: str, known: tuple[str, datetime] | None) -> Bucket:
        made = datetime.fromtimestamp((self._root / name).stat().st_mtime, UTC)
        region, created = known or (_DEFAULT_REGION, made)
        return Bucket(name=name, region=region, created=created)


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
