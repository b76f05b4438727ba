"""One SQLite file, written through one connection: what survives when the server is killed."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sagedock.errors import StorageError

__all__ = ["Database"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS resources (
    region TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
    created REAL NOT NULL, modified REAL NOT NULL, status TEXT NOT NULL,
    document TEXT NOT NULL, request TEXT NOT NULL,
    PRIMARY KEY (region, kind, name)
);
CREATE INDEX IF NOT EXISTS resources_by_creation ON resources (region, kind, created, name);
CREATE TABLE IF NOT EXISTS tags (
    arn TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (arn, key)
);
CREATE TABLE IF NOT EXISTS log_streams (
    id INTEGER PRIMARY KEY, region TEXT NOT NULL, log_group TEXT NOT NULL, name TEXT NOT NULL,
    created REAL NOT NULL,
    stdout_bytes INTEGER NOT NULL DEFAULT 0, stderr_bytes INTEGER NOT NULL DEFAULT 0,
    UNIQUE (region, log_group, name)
);
CREATE TABLE IF NOT EXISTS log_events (
    stream INTEGER NOT NULL, number INTEGER NOT NULL,
    time_ms INTEGER NOT NULL, ingested_ms INTEGER NOT NULL, message TEXT NOT NULL,
    PRIMARY KEY (stream, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS metric_series (
    id INTEGER PRIMARY KEY, region TEXT NOT NULL, namespace TEXT NOT NULL,
    dimensions TEXT NOT NULL, name TEXT NOT NULL, unit TEXT NOT NULL,
    UNIQUE (region, namespace, dimensions, name, unit)
);
CREATE TABLE IF NOT EXISTS metric_points (
    series INTEGER NOT NULL, time_ms INTEGER NOT NULL, value REAL NOT NULL, step INTEGER
);
CREATE INDEX IF NOT EXISTS metric_points_by_time ON metric_points (series, time_ms);
CREATE TABLE IF NOT EXISTS metric_progress (
    region TEXT NOT NULL, stream TEXT NOT NULL, events INTEGER NOT NULL,
    PRIMARY KEY (region, stream)
);
"""


class Database:
    """A SQLite file in WAL mode. Every statement runs under one lock, from any thread."""

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._connection.executescript(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + _SCHEMA
            )
        except (OSError, sqlite3.Error) as error:
            raise StorageError(
                f"{path}: cannot be opened ({error}): free the disk, or set SAGEDOCK_HOME to a "
                "folder that can be written"
            ) from error
        self._connection.row_factory = sqlite3.Row
        self._lock = threading.RLock()

    def rows(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        """Return the rows of a SELECT."""
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    def row(self, statement: str, *values: Any) -> sqlite3.Row | None:
        """Return the first row of a SELECT, or None."""
        rows = self.rows(statement, *values)
        return rows[0] if rows else None

    def write(self, statement: str, *values: Any) -> int:
        """Run one statement in a transaction of its own; return how many rows it changed."""
        with self.transaction():
            return self._connection.execute(statement, values).rowcount

    def write_many(self, statement: str, values: Sequence[Sequence[Any]]) -> None:
        """Run one statement for each of ``values``; within ``transaction()`` all or none."""
        with self.transaction():
            self._connection.executemany(statement, values)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes of the block, or none. Blocks may nest; the outermost one commits."""
        with self._lock:
            if self._connection.in_transaction:
                yield
                return
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield
                self._connection.execute("COMMIT")
            except sqlite3.OperationalError as error:
                self._roll_back()
                raise StorageError(f"the state file cannot be written: {error}") from error
            except BaseException:
                self._roll_back()
                raise

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the file. The database cannot be used afterwards."""
        with self._lock:
            self._connection.close()
