"""The project's files as one zip, the same bytes for the same files."""

import base64
import hashlib
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sagedock.errors import InvalidRequest, StorageError
from sagedock.images.remote.sources import Source

__all__ = ["LARGEST", "PART", "Packed", "pack"]

#: 5 GB in all: what one PutObject takes. CodeBuild documents no limit for sources in S3.
#: Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html
LARGEST = 5_000_000_000
#: Bytes: what is at least as large is sent in parts of this size.
PART = 8 * 1024 * 1024
#: Any time but the earliest that a zip can say: west of Greenwich that is one which none can.
_WHEN = (2000, 1, 1, 0, 0, 0)
_UNIX = 3
_PLAIN, _EXECUTABLE = 0o100644, 0o100755


@dataclass(frozen=True, kw_only=True)
class Packed:
    """A zip file of ``count`` files; ``digest`` is its SHA-256, ``size`` is in bytes."""

    path: Path
    digest: str
    size: int
    count: int

    def key(self, prefix: str) -> str:
        """Return its key below a prefix of S3: the same files have the same."""
        return f"{prefix}{self.digest}.zip"

    def checksum(self) -> str:
        """Return the ChecksumSHA256 that S3 has of it: of the parts' own where there are parts.
        Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
        """
        if self.size < PART:
            return _base64(bytes.fromhex(self.digest))
        parts = []
        with self.path.open("rb") as file:
            while part := file.read(PART):
                parts.append(hashlib.sha256(part).digest())
        return f"{_base64(hashlib.sha256(b''.join(parts)).digest())}-{len(parts)}"


def pack(sources: Sequence[Source], path: Path, *, largest: int = LARGEST) -> Packed:
    """Write the files to a zip that says nothing of their owners and times, sorted by name.

    Raises InvalidRequest where it is larger than ``largest`` bytes, and names the largest files.
    """
    try:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for source in sorted(sources, key=lambda each: each.name):
                _add(archive, source)
        size = path.stat().st_size
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise StorageError(f"{path}: cannot be written ({error}): make room there") from error
    if size > largest:
        raise InvalidRequest([_too_large(sources, size, largest)])
    return Packed(path=path, digest=digest, size=size, count=len(sources))


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def _add(archive: zipfile.ZipFile, source: Source) -> None:
    entry = zipfile.ZipInfo(source.name, date_time=_WHEN)
    entry.create_system = _UNIX
    entry.external_attr = (_EXECUTABLE if source.executable else _PLAIN) << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    with source.path.open("rb") as file, archive.open(entry, "w", force_zip64=True) as into:
        shutil.copyfileobj(file, into, 1 << 20)


def _too_large(sources: Sequence[Source], size: int, largest: int) -> str:
    heaviest = sorted(sources, key=lambda each: each.size, reverse=True)[:3]
    told = ", ".join(f"{each.name} ({each.size} bytes)" for each in heaviest)
    return (
        f"the project's files take {size} bytes as a zip, and {largest} are taken: ignore data in "
        f".gitignore; the largest are {told}"
    )
