"""Metric series and their points, in the database."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sagedock.local.database import Database

__all__ = ["MetricStore", "Point", "Series"]


@dataclass(frozen=True, kw_only=True)
class Series:
    """What names a metric: CloudWatch tells series apart by all of these."""

    region: str
    namespace: str
    name: str
    dimensions: Mapping[str, str]
    unit: str


@dataclass(frozen=True, kw_only=True)
class Point:
    """One value at a time (epoch milliseconds), measured ``count`` times. ``step`` is the
    iteration, where one was given.
    """

    time_ms: int
    value: float
    step: int | None = None
    count: int = 1


class MetricStore:
    """The metrics of every region."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, found: Iterable[tuple[Series, Iterable[Point]]]) -> None:
        """Store points of several series, all or none."""
        with self._database.transaction():
            for series, points in found:
                number = self._number(series)
                self._database.write_many(
                    "INSERT INTO metric_points (series, time_ms, value, step, count) "
                    "VALUES (?, ?, ?, ?, ?)",
                    [
                        (number, point.time_ms, point.value, point.step, point.count)
                        for point in points
                    ],
                )

    def points(
        self,
        region: str,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str],
        *,
        unit: str | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
    ) -> list[Point]:
        """Return a metric's points from ``start_ms`` on and before ``end_ms``, in order of time.

        Of one time, those that were stored first come first. ``unit`` None takes every unit.
        """
        rows = self._database.rows(
            "SELECT p.time_ms, p.value, p.step, p.count FROM metric_points p JOIN metric_series s "
            "ON s.id = p.series WHERE s.region = ? AND s.namespace = ? AND s.dimensions = ? "
            "AND s.name = ? AND (? IS NULL OR s.unit = ?) AND (? IS NULL OR p.time_ms >= ?) "
            "AND (? IS NULL OR p.time_ms < ?) ORDER BY p.time_ms, p.rowid",
            *(region, namespace, _text(dimensions), name, unit, unit),
            *(start_ms, start_ms, end_ms, end_ms),
        )
        return [_point(row) for row in rows]

    def last(
        self, region: str, namespace: str, name: str, dimensions: Mapping[str, str]
    ) -> Point | None:
        """Return a metric's latest point; of several at one time the one stored last."""
        row = self._database.row(
            "SELECT p.time_ms, p.value, p.step, p.count FROM metric_points p JOIN metric_series s "
            "ON s.id = p.series WHERE s.region = ? AND s.namespace = ? AND s.dimensions = ? "
            "AND s.name = ? ORDER BY p.time_ms DESC, p.rowid DESC LIMIT 1",
            *(region, namespace, _text(dimensions), name),
        )
        return _point(row) if row else None

    def names(self, region: str, namespace: str, dimensions: Mapping[str, str]) -> list[str]:
        """Return the names of the metrics with exactly these dimensions."""
        rows = self._database.rows(
            "SELECT DISTINCT name FROM metric_series WHERE region = ? AND namespace = ? "
            "AND dimensions = ? ORDER BY name",
            *(region, namespace, _text(dimensions)),
        )
        return [row["name"] for row in rows]

    def series(self, region: str, *, since_ms: int | None = None) -> list[Series]:
        """Return the metrics of a region that have points, at ``since_ms`` or later if given."""
        rows = self._database.rows(
            "SELECT * FROM metric_series s WHERE region = ? AND EXISTS (SELECT 1 FROM "
            "metric_points p WHERE p.series = s.id AND (? IS NULL OR p.time_ms >= ?)) "
            "ORDER BY namespace, dimensions, name, unit",
            *(region, since_ms, since_ms),
        )
        return [
            Series(
                region=row["region"],
                namespace=row["namespace"],
                name=row["name"],
                dimensions=dict(json.loads(row["dimensions"])),
                unit=row["unit"],
            )
            for row in rows
        ]

    def evaluated(self, region: str, stream: str) -> int:
        """Return how many events of a log stream the metric definitions were applied to."""
        row = self._database.row(
            "SELECT events FROM metric_progress WHERE region = ? AND stream = ?", region, stream
        )
        return row["events"] if row else 0

    def add_evaluated(
        self,
        region: str,
        stream: str,
        events: int,
        found: Iterable[tuple[Series, Iterable[Point]]],
    ) -> None:
        """Store what the events of a log stream up to number ``events`` hold, and that they are
        done, both or neither: whenever the server is killed, no point is lost or doubled.
        """
        with self._database.transaction():
            self.add(found)
            self._database.write(
                "INSERT OR REPLACE INTO metric_progress VALUES (?, ?, ?)", region, stream, events
            )

    def delete(self, region: str, namespace: str, dimensions: Mapping[str, str]) -> None:
        """Delete every metric with exactly these dimensions."""
        rows = self._database.rows(
            "SELECT id FROM metric_series WHERE region = ? AND namespace = ? AND dimensions = ?",
            *(region, namespace, _text(dimensions)),
        )
        ids = [(row["id"],) for row in rows]
        with self._database.transaction():
            self._database.write_many("DELETE FROM metric_points WHERE series = ?", ids)
            self._database.write_many("DELETE FROM metric_series WHERE id = ?", ids)

    def forget_progress(self, region: str, stream: str) -> None:
        """Forget how far a log stream was evaluated, because the stream goes."""
        self._database.write(
            "DELETE FROM metric_progress WHERE region = ? AND stream = ?", region, stream
        )

    def _number(self, series: Series) -> int:
        """Return the number of a series, which is made if it is new."""
        key = (series.region, series.namespace, _text(series.dimensions), series.name, series.unit)
        self._database.write(
            "INSERT OR IGNORE INTO metric_series (region, namespace, dimensions, name, unit) "
            "VALUES (?, ?, ?, ?, ?)",
            *key,
        )
        row = self._database.row(
            "SELECT id FROM metric_series WHERE region = ? AND namespace = ? AND dimensions = ? "
            "AND name = ? AND unit = ?",
            *key,
        )
        if row is None:
            raise LookupError(key)
        return int(row["id"])


def _point(row: sqlite3.Row) -> Point:
    return Point(time_ms=row["time_ms"], value=row["value"], step=row["step"], count=row["count"])


def _text(dimensions: Mapping[str, str]) -> str:
    """Return dimensions as the text that stands for them, whatever their order."""
    return json.dumps(sorted(dimensions.items()))
