"""The one SQLite file that keeps what plain files cannot: content types, checksums, uploads."""

import json
import sqlite3
import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sagedock.local.s3.model import Checksum, Kept, ObjectPart

__all__ = [
    "Database",
    "ObjectRow",
    "ObjectTable",
    "SettingTable",
    "kept_from_json",
    "kept_to_json",
]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS buckets (
    name TEXT PRIMARY KEY, region TEXT NOT NULL, created TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects (
    bucket TEXT NOT NULL, key TEXT NOT NULL,
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    aside INTEGER NOT NULL, kept TEXT NOT NULL,
    PRIMARY KEY (bucket, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS aside ON objects (bucket, key) WHERE aside;
CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key TEXT NOT NULL, initiated TEXT NOT NULL,
    algorithm TEXT NOT NULL, type TEXT NOT NULL, kept TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS parts (
    upload TEXT NOT NULL REFERENCES uploads (id) ON DELETE CASCADE, number INTEGER NOT NULL,
    size INTEGER NOT NULL, etag TEXT NOT NULL, checksum TEXT NOT NULL, modified TEXT NOT NULL,
    file TEXT NOT NULL, PRIMARY KEY (upload, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS settings (
    bucket TEXT NOT NULL, name TEXT NOT NULL, document BLOB NOT NULL, PRIMARY KEY (bucket, name)
) WITHOUT ROWID;
"""

_SELECT = "SELECT bucket, key, size, mtime_ns, aside, kept FROM objects"
_SELECT_MANY = f"{_SELECT} WHERE bucket = ? AND key IN (SELECT value FROM json_each(?))"  # noqa: S608


class Database:
    """One connection, shared by every thread, one statement at a time."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._connection.executescript(_SCHEMA)

    def run(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Carry out one statement, which is a transaction of its own, and return its rows."""
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    def close(self) -> None:
        """Close the file; nothing works afterwards."""
        with self._lock:
            self._connection.close()


@dataclass(frozen=True, kw_only=True)
class ObjectRow:
    """What is kept of one object, and the size and time of the file that it was kept for.

    A file that has another size or time was changed by hand: then the row is about its forerunner.
    """

    bucket: str
    key: str
    size: int
    mtime_ns: int
    aside: bool
    kept: Kept


class ObjectTable:
    """The rows of objects, by bucket and key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, bucket: str, key: str) -> ObjectRow | None:
        """Return the row of one object, or None."""
        rows = self._database.run(_SELECT + " WHERE bucket = ? AND key = ?", bucket, key)
        return _object_row(rows[0]) if rows else None

    def get_many(self, bucket: str, keys: Iterable[str]) -> dict[str, ObjectRow]:
        """Return the rows there are for ``keys``, by key."""
        rows = self._database.run(_SELECT_MANY, bucket, json.dumps(list(keys)))
        return {row[1]: _object_row(row) for row in rows}

    def aside_keys(self, bucket: str, prefix: str, after: str) -> list[str]:
        """Return, sorted, the keys of the objects that are no plain files."""
        rows = self._database.run(
            "SELECT key FROM objects WHERE bucket = ? AND aside AND key > ? AND key >= ?"
            " ORDER BY key",
            bucket,
            after,
            prefix,
        )
        return [key for (key,) in rows if key.startswith(prefix)]

    def save(self, row: ObjectRow) -> None:
        """Write ``row`` over the one of its bucket and key."""
        self._database.run(
            "INSERT OR REPLACE INTO objects (bucket, key, size, mtime_ns, aside, kept)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            row.bucket,
            row.key,
            row.size,
            row.mtime_ns,
            row.aside,
            kept_to_json(row.kept),
        )

    def drop(self, bucket: str, key: str) -> None:
        """Forget one object."""
        self._database.run("DELETE FROM objects WHERE bucket = ? AND key = ?", bucket, key)

    def drop_bucket(self, bucket: str) -> None:
        """Forget a bucket and all that was kept of its objects."""
        self._database.run("DELETE FROM objects WHERE bucket = ?", bucket)
        self._database.run("DELETE FROM buckets WHERE name = ?", bucket)
        self._database.run("DELETE FROM settings WHERE bucket = ?", bucket)

    def save_bucket(self, name: str, region: str) -> None:
        """Keep a bucket's region, and now as the time of its creation."""
        created = datetime.now(UTC).isoformat()
        self._database.run(
            "INSERT OR REPLACE INTO buckets (name, region, created) VALUES (?, ?, ?)",
            name,
            region,
            created,
        )

    def buckets(self) -> Mapping[str, tuple[str, datetime]]:
        """Return region and time of creation of each bucket, by its name."""
        rows = self._database.run("SELECT name, region, created FROM buckets")
        return {name: (region, datetime.fromisoformat(made)) for name, region, made in rows}


class SettingTable:
    """What was set of buckets: documents, by bucket and by the word of the query."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, bucket: str, name: str) -> bytes | None:
        """Return what was set, or None."""
        rows = self._database.run(
            "SELECT document FROM settings WHERE bucket = ? AND name = ?", bucket, name
        )
        return bytes(rows[0][0]) if rows else None

    def save(self, bucket: str, name: str, document: bytes) -> None:
        """Keep a setting in the place of the one before."""
        self._database.run(
            "INSERT OR REPLACE INTO settings (bucket, name, document) VALUES (?, ?, ?)",
            bucket,
            name,
            document,
        )

    def drop(self, bucket: str, name: str) -> None:
        """Forget a setting."""
        self._database.run("DELETE FROM settings WHERE bucket = ? AND name = ?", bucket, name)


def kept_to_json(kept: Kept) -> str:
    """Write ``kept`` as JSON, without what is empty."""
    return json.dumps({name: value for name, value in asdict(kept).items() if value})


def kept_from_json(text: str) -> Kept:
    """Read what ``kept_to_json`` wrote."""
    fields = json.loads(text)
    if "checksum" in fields:
        fields["checksum"] = Checksum(**fields["checksum"])
    fields["parts"] = tuple(ObjectPart(**part) for part in fields.get("parts", ()))
    return Kept(**fields)


def _object_row(row: tuple[Any, ...]) -> ObjectRow:
    bucket, key, size, mtime_ns, aside, kept = row
    return ObjectRow(
        bucket=bucket,
        key=key,
        size=size,
        mtime_ns=mtime_ns,
        aside=bool(aside),
        kept=kept_from_json(kept),
    )
