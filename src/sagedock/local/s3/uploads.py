"""Multipart uploads in progress: their rows, and one file per part below ``root/parts``."""

import shutil
import sqlite3
import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sagedock.local.s3.checksums import DEFAULT_ALGORITHM
from sagedock.local.s3.errors import S3Error
from sagedock.local.s3.metadata import Database, kept_from_json, kept_to_json
from sagedock.local.s3.model import ChecksumType, Kept

__all__ = ["Part", "Upload", "Uploads"]


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A multipart upload that was created, and neither completed nor aborted.

    ``declared`` is the checksum algorithm that the client named, or empty: then S3 takes its own.
    """

    id: str
    bucket: str
    key: str
    initiated: datetime
    declared: str
    type: ChecksumType
    kept: Kept

    @property
    def algorithm(self) -> str:
        """The algorithm of the finished object's checksum."""
        return self.declared or DEFAULT_ALGORITHM


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part that has arrived whole; ``size`` in bytes, ``checksum`` base64."""

    number: int
    size: int
    etag: str
    checksum: str
    modified: datetime
    path: Path


class Uploads:
    """The uploads in progress, and the files of their parts."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder
        self._lock = threading.RLock()
        folder.mkdir(parents=True, exist_ok=True)
        self._sweep()

    def _sweep(self) -> None:
        """Remove the folders whose upload ended while an earlier process was killed."""
        known = {identity for (identity,) in self._database.run("SELECT id FROM uploads")}
        for folder in self._folder.iterdir():
            if folder.name not in known:
                shutil.rmtree(folder, ignore_errors=True)

    def create(
        self, bucket: str, key: str, declared: str, type_: ChecksumType, kept: Kept
    ) -> Upload:
        """Begin an upload of an object that will have ``kept``."""
        identity = uuid.uuid4().hex
        (self._folder / identity).mkdir()
        self._database.run(
            "INSERT INTO uploads (id, bucket, key, initiated, algorithm, type, kept)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            identity,
            bucket,
            key,
            datetime.now(UTC).isoformat(),
            declared,
            type_,
            kept_to_json(kept),
        )
        return self.get(bucket, key, identity)

    def get(self, bucket: str, key: str, identity: str) -> Upload:
        """Return an upload in progress. Raises NoSuchUpload."""
        rows = self._database.run(
            f"{_SELECT} WHERE id = ? AND bucket = ? AND key = ?", identity, bucket, key
        )
        if not rows:
            raise S3Error("NoSuchUpload", UploadId=identity)
        return _upload(rows[0])

    def all(self, bucket: str, prefix: str = "") -> list[Upload]:
        """Return a bucket's uploads by key, and by time of creation where the keys are equal."""
        rows = self._database.run(f"{_SELECT} WHERE bucket = ? ORDER BY key, initiated", bucket)
        return [upload for upload in map(_upload, rows) if upload.key.startswith(prefix)]

    def save_part(
        self, upload: Upload, number: int, temporary: Path, *, size: int, etag: str, checksum: str
    ) -> Part:
        """Take over the file of one part; an earlier part of that number is gone afterwards.

        Raises NoSuchUpload where the upload has ended meanwhile.
        """
        part = Part(
            number=number,
            size=size,
            etag=etag,
            checksum=checksum,
            modified=datetime.now(UTC),
            path=self._folder / upload.id / f"{number}-{uuid.uuid4().hex}",
        )
        with self._lock:
            self.get(upload.bucket, upload.key, upload.id)
            before = [known for known in self.parts(upload) if known.number == number]
            temporary.replace(part.path)
            self._insert(upload, part)
            for known in before:
                known.path.unlink(missing_ok=True)
        return part

    def _insert(self, upload: Upload, part: Part) -> None:
        try:
            self._database.run(
                "INSERT OR REPLACE INTO parts"
                " (upload, number, size, etag, checksum, modified, file)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                upload.id,
                part.number,
                part.size,
                part.etag,
                part.checksum,
                part.modified.isoformat(),
                part.path.name,
            )
        except sqlite3.Error:  # a full disk
            part.path.unlink(missing_ok=True)
            raise

    def parts(self, upload: Upload) -> Sequence[Part]:
        """Return the parts that have arrived, by number."""
        rows = self._database.run(
            "SELECT number, size, etag, checksum, modified, file FROM parts"
            " WHERE upload = ? ORDER BY number",
            upload.id,
        )
        return [self._part(upload, row) for row in rows]

    def _part(self, upload: Upload, row: tuple[Any, ...]) -> Part:
        number, size, etag, checksum, modified, file = row
        return Part(
            number=number,
            size=size,
            etag=etag,
            checksum=checksum,
            modified=datetime.fromisoformat(modified),
            path=self._folder / upload.id / file,
        )

    def end(self, upload: Upload) -> None:
        """Forget an upload and remove its parts."""
        with self._lock:
            self._database.run("DELETE FROM uploads WHERE id = ?", upload.id)
            shutil.rmtree(self._folder / upload.id, ignore_errors=True)

    def abort_all(self, bucket: str) -> None:
        """End every upload into a bucket."""
        for upload in self.all(bucket):
            self.end(upload)


_SELECT = "SELECT id, bucket, key, initiated, algorithm, type, kept FROM uploads"


def _upload(row: tuple[Any, ...]) -> Upload:
    identity, bucket, key, initiated, declared, type_, kept = row
    return Upload(
        id=identity,
        bucket=bucket,
        key=key,
        initiated=datetime.fromisoformat(initiated),
        declared=declared,
        type=type_,
        kept=kept_from_json(kept),
    )
