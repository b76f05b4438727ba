"""One SQLite file: what survives when the server is killed."""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sagedock.errors import StorageError

__all__ = ["Database"]

#: What is deleted goes back to the disk (in files that are new); so does what the log of changes
#: had beyond 16 MiB.
_PRAGMAS = """
PRAGMA auto_vacuum=FULL;
PRAGMA journal_mode=WAL;
PRAGMA synchronous=NORMAL;
PRAGMA journal_size_limit=16777216;
"""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS resources (
    region TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
    created REAL NOT NULL, modified REAL NOT NULL, status TEXT NOT NULL,
    summary TEXT NOT NULL DEFAULT '', document TEXT NOT NULL, request TEXT NOT NULL,
    PRIMARY KEY (region, kind, name)
);
DROP INDEX IF EXISTS resources_by_creation;  -- of older versions
CREATE INDEX IF NOT EXISTS resources_created ON resources (region, kind, created, name, status);
CREATE INDEX IF NOT EXISTS resources_modified ON resources (region, kind, modified, name, status);
CREATE INDEX IF NOT EXISTS resources_status ON resources (region, kind, status, name);
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
    series INTEGER NOT NULL, time_ms INTEGER NOT NULL, value REAL NOT NULL, step INTEGER,
    count INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX IF NOT EXISTS metric_points_by_time ON metric_points (series, time_ms);
CREATE TABLE IF NOT EXISTS metric_progress (
    region TEXT NOT NULL, stream TEXT NOT NULL, events INTEGER NOT NULL,
    PRIMARY KEY (region, stream)
);
CREATE TABLE IF NOT EXISTS async_requests (
    number INTEGER PRIMARY KEY AUTOINCREMENT, region TEXT NOT NULL, endpoint TEXT NOT NULL,
    received REAL NOT NULL, expires REAL NOT NULL, request TEXT NOT NULL, body BLOB,
    state TEXT NOT NULL DEFAULT 'waiting', outcome TEXT
);
CREATE INDEX IF NOT EXISTS async_requests_by_state
    ON async_requests (region, endpoint, state, number);
CREATE TABLE IF NOT EXISTS tuning_trials (
    region TEXT NOT NULL, job TEXT NOT NULL, number INTEGER NOT NULL, document TEXT NOT NULL,
    PRIMARY KEY (region, job, number)
) WITHOUT ROWID;
"""
#: Reads go through the memory that holds the file anyway, up to 256 MiB of it, and not by a call of
#: the system for every page: a list of jobs reads a hundred pages.
_READER_PRAGMAS = "PRAGMA mmap_size=268435456"
#: How many connections for reading are kept open.
_IDLE_READERS = 8
#: Columns that files of older versions lack.
_ADDED = (
    ("resources", "summary", "TEXT NOT NULL DEFAULT ''"),
    ("metric_points", "count", "INTEGER NOT NULL DEFAULT 1"),
)


class Database:
    """A SQLite file in WAL mode, used from any thread.

    Writes go through one connection, one at a time. Reads have connections of their own, so that
    none waits for a write.
    """

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = _connect(path)
            self._connection.executescript(_PRAGMAS + _SCHEMA)
            _add_columns(self._connection)
        except (OSError, sqlite3.Error) as error:
            raise StorageError(
                f"{path}: cannot be opened ({error}): free the disk, or set SAGEDOCK_HOME to a "
                "folder that can be written"
            ) from error
        self._lock = threading.Lock()
        self._writer: int | None = None
        self._afterwards: list[Callable[[], None]] = []
        self._readers = _Readers(path)

    def rows(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        """Return the rows of a SELECT; within ``transaction()``, of what it has written too."""
        if self._writer == threading.get_ident():
            return self._connection.execute(statement, values).fetchall()
        with self._readers.one() as connection:
            return connection.execute(statement, values).fetchall()

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
        if self._writer == threading.get_ident():
            yield
            return
        with self._lock:
            self._writer = threading.get_ident()
            afterwards: list[Callable[[], None]] = []
            self._afterwards = afterwards
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield
                self._connection.execute("COMMIT")
            except sqlite3.OperationalError as error:
                raise StorageError(f"the state file cannot be written: {error}") from error
            finally:
                self._roll_back()
                self._writer = None
        for call in afterwards:
            call()

    def afterwards(self, call: Callable[[], None]) -> None:
        """Have ``call`` called, in this thread, once the transaction that this is within is
        committed, and never if it is not; at once where there is none.
        """
        if self._writer == threading.get_ident():
            self._afterwards.append(call)
        else:
            call()

    def _roll_back(self) -> None:
        """Drop what was not committed, whatever it was that broke."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the file. The database cannot be used afterwards."""
        self._readers.close()
        with self._lock:
            self._connection.close()


class _Readers:
    """Connections for reading, made as threads need them; a few are kept for the next."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False

    @contextmanager
    def one(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection that nobody else uses meanwhile."""
        with self._lock:
            if self._closed:
                raise StorageError(f"{self._path} is closed: this local SageMaker has ended")
            kept = self._idle.pop() if self._idle else None
        connection = kept or self._made()
        try:
            yield connection
        finally:
            with self._lock:
                keep = not self._closed and len(self._idle) < _IDLE_READERS
                if keep:
                    self._idle.append(connection)
            if not keep:
                connection.close()

    def _made(self) -> sqlite3.Connection:
        connection = _connect(self._path)
        connection.execute(_READER_PRAGMAS)
        return connection

    def close(self) -> None:
        """Close all, those that are lent when they come back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    connection.row_factory = sqlite3.Row
    return connection


def _add_columns(connection: sqlite3.Connection) -> None:
    """Add what a file of an older version lacks."""
    for table, column, kind in _ADDED:
        names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        if column not in names:
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
