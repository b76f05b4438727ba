"""Resources of every kind: a name, a status, and the document that Describe answers."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sagedock.local.database import Database

__all__ = ["Key", "Resource", "Resources", "SortField"]

SortField = Literal["created", "modified", "name", "status"]


@dataclass(frozen=True, kw_only=True)
class Key:
    """What names a resource within the account."""

    region: str
    kind: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource. Times are epoch seconds; ``request`` is what created it."""

    key: Key
    created: float
    modified: float
    status: str
    document: Mapping[str, Any]
    request: Mapping[str, Any]


class Resources:
    """The table of resources."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, resource: Resource) -> bool:
        """Add it, and return True; return False, with nothing changed, if its name is taken."""
        key = resource.key
        added = self._database.write(
            "INSERT OR IGNORE INTO resources VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            *(key.region, key.kind, key.name, resource.created, resource.modified),
            *(resource.status, json.dumps(resource.document), json.dumps(resource.request)),
        )
        return added == 1

    def get(self, key: Key) -> Resource | None:
        """Return the resource of that name, or None."""
        row = self._database.row(
            "SELECT * FROM resources WHERE region = ? AND kind = ? AND name = ?",
            *(key.region, key.kind, key.name),
        )
        return _resource(row) if row else None

    def change(self, key: Key, change: Callable[[Resource], Resource]) -> Resource | None:
        """Replace status and document by what ``change`` makes of them, as one step.

        Return the changed resource, or None where there is none. What ``change`` raises is raised,
        with nothing changed.
        """
        with self._database.transaction():
            current = self.get(key)
            if current is None:
                return None
            changed = change(current)
            self._database.write(
                "UPDATE resources SET modified = ?, status = ?, document = ? "
                "WHERE region = ? AND kind = ? AND name = ?",
                *(changed.modified, changed.status, json.dumps(changed.document)),
                *(key.region, key.kind, key.name),
            )
        return changed

    def delete(self, key: Key) -> None:
        """Delete the resource of that name."""
        self._database.write(
            "DELETE FROM resources WHERE region = ? AND kind = ? AND name = ?",
            *(key.region, key.kind, key.name),
        )

    def page(
        self,
        region: str,
        kind: str,
        *,
        sort: SortField,
        descending: bool,
        after: tuple[Any, str] | None,
        limit: int,
        created: tuple[float | None, float | None] = (None, None),
        modified: tuple[float | None, float | None] = (None, None),
    ) -> list[Resource]:
        """Return up to ``limit`` resources in order, from behind ``after`` (sort value, name).

        ``created`` and ``modified`` are (later than, earlier than), in epoch seconds.
        """
        where, values = ["region = ?", "kind = ?"], [region, kind]
        for column, (low, high) in (("created", created), ("modified", modified)):
            where += [f"{column} > ?"] * (low is not None) + [f"{column} < ?"] * (high is not None)
            values += [bound for bound in (low, high) if bound is not None]  # type: ignore[misc]
        if after is not None:
            where.append(f"({sort}, name) {'<' if descending else '>'} (?, ?)")
            values += after
        order = "DESC" if descending else "ASC"
        rows = self._database.rows(
            f"SELECT * FROM resources WHERE {' AND '.join(where)} "  # noqa: S608 - column names only
            f"ORDER BY {sort} {order}, name {order} LIMIT ?",
            *values,
            limit,
        )
        return [_resource(row) for row in rows]

    def unfinished(self, kind: str, terminal: Iterable[str]) -> list[Resource]:
        """Return the resources of a kind, in every region, whose status is not terminal."""
        ended = set(terminal)
        rows = self._database.rows("SELECT * FROM resources WHERE kind = ?", kind)
        return [_resource(row) for row in rows if row["status"] not in ended]


def _resource(row: sqlite3.Row) -> Resource:
    return Resource(
        key=Key(region=row["region"], kind=row["kind"], name=row["name"]),
        created=row["created"],
        modified=row["modified"],
        status=row["status"],
        document=json.loads(row["document"]),
        request=json.loads(row["request"]),
    )
