"""The object store: buckets are folders, objects are plain files. There is no HTTP in it."""

import contextlib
import hashlib
import heapq
import os
import shutil
import sqlite3
import stat
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from sagedock.errors import StorageError
from sagedock.local.s3 import tree
from sagedock.local.s3.errors import NoSuchKey, S3Error
from sagedock.local.s3.etags import kept_of_a_dropped_file, tag_of_a_file
from sagedock.local.s3.folders import BucketFolders
from sagedock.local.s3.keys import KEY_BYTES, check_bucket_name, check_key
from sagedock.local.s3.metadata import Database, ObjectRow, ObjectTable, SettingTable
from sagedock.local.s3.model import Bucket, Kept, StoredObject
from sagedock.local.s3.uploads import Uploads

__all__ = ["Guard", "ObjectStore"]

#: Looks at the object that is there, or None, and raises to refuse its replacement or removal.
Guard = Callable[[StoredObject | None], None]

#: Rows of metadata read at a time while listing.
_BATCH = 500


def _always(_: StoredObject | None) -> None:
    """Allow everything."""


class ObjectStore:
    """The buckets below ``root``; safe to use from any thread, for one process at a time.

    The object ``a/b.csv`` of the bucket ``k`` is the file ``root/buckets/k/a/b.csv``, and any file
    put there by hand is an object. Keys that cannot be paths lie in ``root/aside``.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self._aside = self.root / "aside"
        self._temporary = self.root / "tmp"
        # What an earlier process did not finish writing.
        shutil.rmtree(self._temporary, ignore_errors=True)
        buckets = self.root / "buckets"
        for folder in (buckets, self._aside, self._temporary):
            folder.mkdir(parents=True, exist_ok=True)
        self._database = Database(self.root / "metadata.sqlite")
        self._table = ObjectTable(self._database)
        self.settings = SettingTable(self._database)
        self._folders = BucketFolders(buckets, self._table)
        self.uploads = Uploads(self._database, self.root / "parts")
        # Held while files and rows change places, never while bytes are read or written.
        self._lock = threading.RLock()

    def close(self) -> None:
        """Close the metadata file; the store is of no use afterwards."""
        self._database.close()

    # Buckets ---------------------------------------------------------------------------------

    def create_bucket(self, name: str, region: str) -> None:
        """Create a bucket, or raise InvalidBucketName or BucketAlreadyOwnedByYou."""
        check_bucket_name(name)
        with self._lock:
            if self.has_bucket(name):
                raise S3Error("BucketAlreadyOwnedByYou", BucketName=name)
            self._forget(name)
            self._folders.make(name, region)

    def has_bucket(self, name: str) -> bool:
        """Say whether there is a bucket ``name``: a folder is enough, however it came there."""
        return self._folders.has(name)

    def region(self, name: str) -> str:
        """Return the region that a bucket was created in. Raises NoSuchBucket."""
        return self._folders.region(name)

    def buckets(self) -> tuple[Bucket, ...]:
        """Return every bucket, sorted by name."""
        return self._folders.all()

    def folder(self, bucket: str) -> Path:
        """Return the folder of a bucket. Raises InvalidBucketName or NoSuchBucket."""
        return self._folders.path(bucket)

    def delete_bucket(self, name: str) -> None:
        """Remove an empty bucket, or raise NoSuchBucket or BucketNotEmpty."""
        with self._lock:
            if next(self.keys(name), None) is not None:
                raise S3Error("BucketNotEmpty", BucketName=name)
            self._folders.remove(name)
            self._forget(name)

    def _forget(self, bucket: str) -> None:
        """Drop what is kept of a bucket whose folder is gone."""
        shutil.rmtree(self._aside / bucket, ignore_errors=True)
        self.uploads.abort_all(bucket)
        self._table.drop_bucket(bucket)

    # Reading ---------------------------------------------------------------------------------

    def get(self, bucket: str, key: str) -> StoredObject:
        """Return one object. Raises NoSuchBucket or NoSuchKey."""
        found = self.find(bucket, key)
        if found is None:
            raise NoSuchKey(key)
        return found

    def open(self, bucket: str, key: str) -> tuple[StoredObject, BinaryIO]:
        """Return one object and its bytes, which a later PUT of the same key does not change."""
        with self._lock:
            found = self.get(bucket, key)
            return found, tree.open_file(found.path)

    def find(self, bucket: str, key: str) -> StoredObject | None:
        """Return one object, or None where the bucket has none of that key."""
        check_key(key)
        folder = self.folder(bucket)
        with self._lock:
            row = self._table.get(bucket, key)
            plain = tree.find_file(folder, key)
            if plain:
                return self._object(bucket, key, *plain, row)
            aside = self._aside_path(bucket, key)
            if row is None or not row.aside or not aside.exists():
                return None
            return self._object(bucket, key, aside, aside.stat(), row)

    def objects(self, bucket: str, prefix: str = "") -> Iterator[StoredObject]:
        """Yield the objects whose keys start with ``prefix``, in the order of the keys' bytes."""
        keys = self.keys(bucket, prefix)
        while batch := list(islice(keys, _BATCH)):
            yield from self.load(bucket, batch)

    def keys(
        self, bucket: str, prefix: str = "", after: str = "", *, flat: bool = False
    ) -> Iterator[tuple[str, os.DirEntry[str] | None]]:
        """Yield keys and, for plain files, their directory entries; see ``tree.walk``."""
        folder = self.folder(bucket)
        if len(prefix.encode()) > KEY_BYTES:
            return
        plain = tree.walk(folder, prefix, after, flat=flat)
        aside = ((key, None) for key in self._table.aside_keys(bucket, prefix, after))
        last = None
        for key, entry in heapq.merge(plain, aside, key=lambda item: item[0]):
            if key != last:
                yield key, entry
            last = key

    def load(
        self, bucket: str, found: Sequence[tuple[str, os.DirEntry[str] | None]]
    ) -> list[StoredObject]:
        """Return the objects of ``found``, less those that were deleted meanwhile."""
        # First the files, then the rows: a PUT between the two shows as a row that does not fit.
        statuses = [entry and _status(entry) for _, entry in found]
        rows = self._table.get_many(bucket, [key for key, _ in found])
        loaded = []
        for (key, entry), status in zip(found, statuses, strict=True):
            row = rows.get(key)
            if entry and status and (row is None or _fits(row, status)):
                loaded.append(self._object(bucket, key, Path(entry.path), status, row))
            elif again := self.find(bucket, key):
                loaded.append(again)
        return loaded

    def _object(
        self, bucket: str, key: str, path: Path, status: os.stat_result, row: ObjectRow | None
    ) -> StoredObject:
        return StoredObject(
            bucket=bucket,
            key=key,
            path=path,
            size=status.st_size,
            modified_ns=status.st_mtime_ns,
            kept=row.kept if row and _fits(row, status) else kept_of_a_dropped_file(key),
            find_etag=self._etag,
        )

    def _etag(self, asked: StoredObject) -> str:
        """Compute the tag of a file that came without one, and keep it for the next time."""
        tag = tag_of_a_file(asked)
        with self._lock:
            now = self.find(asked.bucket, asked.key)
            if now and (now.size, now.modified_ns) == (asked.size, asked.modified_ns):
                # A full disk must not make a file unreadable: the tag is only kept to save time.
                with contextlib.suppress(sqlite3.OperationalError):
                    self._table.save(self._row(now, replace(now.kept, etag=tag)))
        return tag

    # Writing ---------------------------------------------------------------------------------

    def temporary(self) -> Path:
        """Return the path of a new file on the store's file system; removed at the next start."""
        return self._temporary / uuid.uuid4().hex

    def put_file(
        self, bucket: str, key: str, source: Path, content_type: str | None = None
    ) -> StoredObject:
        """Make ``source`` the object: the file is moved in, or copied from another file system.

        Raises StorageError if ``source`` is no regular file, or if what is kept of it cannot be
        stored, NoSuchBucket, or OSError; then ``source`` is still there.
        """
        if not stat.S_ISREG(os.lstat(source).st_mode):
            raise StorageError(f"{source} cannot become s3://{bucket}/{key}: it is no regular file")
        kept = kept_of_a_dropped_file(key)
        if content_type:
            kept = Kept(headers={"content-type": content_type})
        temporary = self.temporary()
        try:
            _link_or_copy(source, temporary)
            stored = self.put(bucket, key, temporary, kept)
        except sqlite3.Error as error:
            raise StorageError(f"s3://{bucket}/{key} cannot be stored: {error}") from error
        finally:
            temporary.unlink(missing_ok=True)
        source.unlink()
        return stored

    def put(
        self, bucket: str, key: str, temporary: Path, kept: Kept, allow: Guard = _always
    ) -> StoredObject:
        """Make a file from ``temporary()`` the object, at once and whole, and keep ``kept``.

        A file that was there keeps its content for whoever has it open or linked.
        """
        check_key(key)
        with self._lock:
            folder = self.folder(bucket)
            allow(self.find(bucket, key))
            before = self._table.get(bucket, key)
            place = tree.place_for(folder, key)
            now = time.time_ns()
            os.utime(temporary, ns=(now, now))
            row = ObjectRow(
                bucket=bucket,
                key=key,
                size=temporary.stat().st_size,
                mtime_ns=now,
                aside=place is None,
                kept=kept,
            )
            self._swap(temporary, place or self._aside_path(bucket, key), row, before)
            if place and before and before.aside:
                self._aside_path(bucket, key).unlink(missing_ok=True)
            return self.get(bucket, key)

    def _swap(self, source: Path, target: Path, row: ObjectRow, before: ObjectRow | None) -> None:
        """Save ``row`` and move the file, both or neither: each can fail on a full disk."""
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._table.save(row)
            source.replace(target)
        except (OSError, sqlite3.Error):
            with contextlib.suppress(sqlite3.Error):
                if before:
                    self._table.save(before)
                else:
                    self._table.drop(row.bucket, row.key)
            if not row.aside:
                tree.prune(target.parent, self.folder(row.bucket))
            raise

    def change(self, bucket: str, key: str, change: Callable[[Kept], Kept]) -> None:
        """Keep something else about an object whose bytes stay as they are. Raises NoSuchKey."""
        with self._lock:
            found = self.get(bucket, key)
            self._table.save(self._row(found, change(found.kept)))

    def _row(self, found: StoredObject, kept: Kept) -> ObjectRow:
        return ObjectRow(
            bucket=found.bucket,
            key=found.key,
            size=found.size,
            mtime_ns=found.modified_ns,
            aside=found.path.is_relative_to(self._aside),
            kept=kept,
        )

    def delete(self, bucket: str, key: str, allow: Guard = _always) -> None:
        """Remove an object, and the folders that are empty without it; nothing if there is none."""
        with self._lock:
            folder = self.folder(bucket)
            found = self.find(bucket, key)
            allow(found)
            if found is None:
                return
            found.path.unlink(missing_ok=True)
            self._aside_path(bucket, key).unlink(missing_ok=True)
            if found.path.is_relative_to(folder):
                tree.prune(found.path.parent, folder)
            self._table.drop(bucket, key)

    def _aside_path(self, bucket: str, key: str) -> Path:
        return self._aside / bucket / hashlib.sha256(key.encode()).hexdigest()


def _fits(row: ObjectRow, status: os.stat_result) -> bool:
    return (row.size, row.mtime_ns) == (status.st_size, status.st_mtime_ns)


def _status(entry: os.DirEntry[str]) -> os.stat_result | None:
    try:
        return entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except OSError:  # another file system, or one without hard links
        shutil.copyfile(source, target)
