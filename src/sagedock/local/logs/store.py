"""Log streams and their events, in the database: no stored line is ever lost or doubled."""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sagedock.local.database import Database
from sagedock.local.logs.lines import Line, messages

__all__ = ["Event", "LogStore", "Stream"]

_PAGE = 10_000
#: Behind every name that starts with a prefix: an index finds what lies between the two.
_LAST_CHARACTER = "\U0010ffff"


@dataclass(frozen=True, kw_only=True)
class Stream:
    """A log stream. ``stdout_bytes`` and ``stderr_bytes`` say how much of each is stored."""

    id: int
    region: str
    group: str
    name: str
    created: float
    stdout_bytes: int
    stderr_bytes: int


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event. ``number`` counts from 0 within its stream; times are epoch milliseconds."""

    stream: int
    number: int
    time_ms: int
    ingested_ms: int
    message: str


class LogStore:
    """The log streams of every region."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, region: str, group: str, name: str) -> Stream:
        """Return the stream of that name, made if it is absent."""
        self._database.write(
            "INSERT OR IGNORE INTO log_streams (region, log_group, name, created) "
            "VALUES (?, ?, ?, ?)",
            *(region, group, name, time.time()),
        )
        found = self.stream(region, group, name)
        if found is None:
            raise LookupError(name)
        return found

    def stream(self, region: str, group: str, name: str) -> Stream | None:
        """Return the stream of that name, or None."""
        row = self._database.row(
            "SELECT * FROM log_streams WHERE region = ? AND log_group = ? AND name = ?",
            *(region, group, name),
        )
        return _stream(row) if row else None

    def streams(self, region: str, group: str, prefix: str = "") -> list[Stream]:
        """Return the streams of a group whose names start with ``prefix``, by name."""
        rows = self._database.rows(
            "SELECT * FROM log_streams WHERE region = ? AND log_group = ? "
            "AND name >= ? AND name < ? ORDER BY name",
            *(region, group, prefix, prefix + _LAST_CHARACTER),
        )
        return [_stream(row) for row in rows]

    def groups(self, region: str, prefix: str = "") -> list[tuple[str, float]]:
        """Return (name, creation time) of the groups whose names start with ``prefix``."""
        rows = self._database.rows(
            "SELECT log_group, min(created) AS created FROM log_streams WHERE region = ? "
            "AND substr(log_group, 1, ?) = ? GROUP BY log_group ORDER BY log_group",
            *(region, len(prefix), prefix),
        )
        return [(row["log_group"], row["created"]) for row in rows]

    def write(self, stream: Stream, lines: Sequence[Line]) -> None:
        """Store ``lines`` and how far each output stream is known, both or neither."""
        now_ms = round(time.time() * 1000)
        with self._database.transaction():
            number = self.count(stream)
            values = [
                (round(line.time_s * 1000), message)
                for line in lines
                for message in messages(line.data)
            ]
            self._database.write_many(
                "INSERT INTO log_events VALUES (?, ?, ?, ?, ?)",
                [(stream.id, number + n, at, now_ms, text) for n, (at, text) in enumerate(values)],
            )
            self._database.write(
                "UPDATE log_streams SET stdout_bytes = stdout_bytes + ?, "
                "stderr_bytes = stderr_bytes + ? WHERE id = ?",
                _consumed(lines, "stdout"),
                _consumed(lines, "stderr"),
                stream.id,
            )

    def begin_anew(self, stream: Stream) -> None:
        """Expect a new container, whose output starts from its first byte; keep what there is."""
        self._database.write(
            "UPDATE log_streams SET stdout_bytes = 0, stderr_bytes = 0 WHERE id = ?", stream.id
        )

    def count(self, stream: Stream) -> int:
        """Return how many events the stream has."""
        row = self._database.row(
            "SELECT max(number) AS last FROM log_events WHERE stream = ?", stream.id
        )
        return 0 if row is None or row["last"] is None else row["last"] + 1

    def events(self, stream: Stream, start: int, limit: int) -> list[Event]:
        """Return up to ``limit`` events from number ``start`` on."""
        rows = self._database.rows(
            "SELECT * FROM log_events WHERE stream = ? AND number >= ? ORDER BY number LIMIT ?",
            *(stream.id, start, limit),
        )
        return [_event(row) for row in rows]

    def every_event(self, stream: Stream) -> Iterator[Event]:
        """Yield all events of a stream in order."""
        start = 0
        while page := self.events(stream, start, _PAGE):
            yield from page
            start = page[-1].number + 1

    def time_span_ms(self, stream: Stream) -> tuple[int, int, int] | None:
        """Return (first event, last event, last ingestion), or None for an empty stream."""
        ends = [
            self._database.row(
                f"SELECT time_ms, ingested_ms FROM log_events WHERE stream = ? {order} LIMIT 1",  # noqa: S608 - one of the two words below
                stream.id,
            )
            for order in ("ORDER BY number ASC", "ORDER BY number DESC")
        ]
        first, last = ends
        if first is None or last is None:
            return None
        return first["time_ms"], last["time_ms"], last["ingested_ms"]

    def delete(self, stream: Stream) -> None:
        """Delete a stream and its events."""
        with self._database.transaction():
            self._database.write("DELETE FROM log_events WHERE stream = ?", stream.id)
            self._database.write("DELETE FROM log_streams WHERE id = ?", stream.id)


def _consumed(lines: Sequence[Line], stream: str) -> int:
    return sum(line.consumed for line in lines if line.stream == stream)


def _stream(row: sqlite3.Row) -> Stream:
    return Stream(
        id=row["id"],
        region=row["region"],
        group=row["log_group"],
        name=row["name"],
        created=row["created"],
        stdout_bytes=row["stdout_bytes"],
        stderr_bytes=row["stderr_bytes"],
    )


def _event(row: sqlite3.Row) -> Event:
    return Event(
        stream=row["stream"],
        number=row["number"],
        time_ms=row["time_ms"],
        ingested_ms=row["ingested_ms"],
        message=row["message"],
    )
