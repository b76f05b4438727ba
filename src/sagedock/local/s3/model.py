"""What the store knows of a bucket and of an object, as data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Literal

__all__ = [
    "Bucket",
    "Checksum",
    "ChecksumType",
    "Kept",
    "ObjectPart",
    "StoredObject",
]

ChecksumType = Literal["FULL_OBJECT", "COMPOSITE"]


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """A bucket: its name, its region, and when it was created (UTC)."""

    name: str
    region: str
    created: datetime


@dataclass(frozen=True, kw_only=True)
class Checksum:
    """One of S3's flexible checksums: ``value`` is base64, with ``-N`` where it is composite."""

    algorithm: str
    value: str
    type: ChecksumType = "FULL_OBJECT"


@dataclass(frozen=True, kw_only=True)
class ObjectPart:
    """One part that a multipart object was made of; ``checksum`` is base64, or empty."""

    number: int
    size: int
    checksum: str = ""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What S3 keeps of an object besides its bytes.

    ``etag`` is None until somebody asks; ``headers`` are answered as they are, names in lower
    case; ``upload`` is the multipart upload that made the object.
    """

    etag: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    checksum: Checksum | None = None
    parts: tuple[ObjectPart, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    upload: str = ""


@dataclass(frozen=True, kw_only=True)
class StoredObject:
    """One object: the real file that holds it, and what S3 says about it.

    ``size`` is in bytes, ``modified_ns`` in nanoseconds of the epoch.
    """

    bucket: str
    key: str
    path: Path
    size: int
    modified_ns: int
    kept: Kept
    find_etag: Callable[["StoredObject"], str] = field(repr=False, compare=False)

    @property
    def modified(self) -> datetime:
        """When the object was last written, in whole seconds of UTC, as S3 tells it."""
        return datetime.fromtimestamp(self.modified_ns // 1_000_000_000, UTC)

    @property
    def content_type(self) -> str:
        """The media type, ``binary/octet-stream`` where nobody said one."""
        return self.kept.headers.get("content-type", "binary/octet-stream")

    @cached_property
    def etag(self) -> str:
        """The entity tag without its quotes; reads a file that was dropped in by hand."""
        return self.kept.etag or self.find_etag(self)
