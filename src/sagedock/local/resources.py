"""Resources of every kind: a name, a status, and the document that Describe answers."""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from sagedock.local.database import Database

__all__ = ["Key", "Page", "Resource", "Resources", "SortField", "Span"]

SortField = Literal["created", "modified", "name", "status"]
#: Later than, earlier than, in epoch seconds.
Span = tuple[float | None, float | None]

_WANTED = "instr(name, ?) AND status = ifnull(?, status)"
#: The summary of a resource that is wanted, or else NULL; and where that is empty (in files of
#: older versions, and of kinds without one) the document.
_TEXTS = (
    f"CASE WHEN {_WANTED} THEN summary END, CASE WHEN {_WANTED} AND summary = '' THEN document END"
)


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


@dataclass(frozen=True, kw_only=True)
class Page:
    """A part of a list: the JSON text that each resource is listed with, and where the next page
    starts after (sort value, name), or None at the end.
    """

    summaries: Sequence[str]
    end: tuple[Any, str] | None


class Resources:
    """The table of resources.

    ``summaries`` names, by kind, the members of a document that a list answers. They are kept
    apart, as the JSON that is answered, for documents may be long, and a page may hold a hundred. A
    kind that is not there is listed with its documents. Of a kind "a:b" it is that of "a".
    """

    def __init__(
        self, database: Database, summaries: Mapping[str, Sequence[str]] = MappingProxyType({})
    ) -> None:
        self._database = database
        self._summaries = summaries
        self._listeners: tuple[Callable[[Resource], None], ...] = ()
        self._listening = threading.Lock()
        self._witness: Callable[[Resource | None, Resource], None] | None = None

    def have_witnessed(self, witness: Callable[[Resource | None, Resource], None]) -> None:
        """Have ``witness`` called within each step that adds or changes a resource, with what it
        was, None for one that is new, and what it is. What it writes is written with the step.
        """
        self._witness = witness

    def listen(self, listener: Callable[[Resource], None]) -> Callable[[], None]:
        """Have each resource told to ``listener`` once it was changed, in the thread that did;
        return what ends that. It is told a change of a larger step before that step is over.
        """
        with self._listening:
            self._listeners = (*self._listeners, listener)

        def end() -> None:
            with self._listening:
                self._listeners = tuple(each for each in self._listeners if each != listener)

        return end

    def add(self, resource: Resource) -> bool:
        """Add it, and return True; return False, with nothing changed, if its name is taken."""
        key = resource.key
        with self._database.transaction():
            added = self._database.write(
                "INSERT OR IGNORE INTO resources "
                "(region, kind, name, created, modified, status, summary, document, request) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                *(key.region, key.kind, key.name, resource.created, resource.modified),
                *(resource.status, self._summary(key.kind, resource.document)),
                *(json.dumps(resource.document), json.dumps(resource.request)),
            )
            if added == 1 and self._witness is not None:
                self._witness(None, resource)
        return added == 1

    def get(self, key: Key) -> Resource | None:
        """Return the resource of that name, or None."""
        row = self._database.row(
            "SELECT * FROM resources WHERE region = ? AND kind = ? AND name = ?",
            *(key.region, key.kind, key.name),
        )
        return _resource(row) if row else None

    def alike(self, key: Key) -> Resource | None:
        """Return a resource whose name differs in case at most: some kinds' ARNs are lower-cased,
        so that names which differ in nothing else are one.
        """
        row = self._database.row(
            "SELECT * FROM resources WHERE region = ? AND kind = ? AND name = ? COLLATE NOCASE",
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
                "UPDATE resources SET modified = ?, status = ?, summary = ?, document = ? "
                "WHERE region = ? AND kind = ? AND name = ?",
                *(changed.modified, changed.status, self._summary(key.kind, changed.document)),
                json.dumps(changed.document),
                *(key.region, key.kind, key.name),
            )
            if self._witness is not None:
                self._witness(current, changed)
        for listener in self._listeners:
            listener(changed)
        return changed

    def together(self) -> AbstractContextManager[None]:
        """Make all changes of a block, to tags and logs too, or none; nobody else changes anything
        meanwhile.
        """
        return self._database.transaction()

    def afterwards(self, call: Callable[[], None]) -> None:
        """Have ``call`` called once the step that this is within is stored."""
        self._database.afterwards(call)

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
        created: Span = (None, None),
        modified: Span = (None, None),
        named: str = "",
        status: str | None = None,
        among: str | None = None,
        but: str | None = None,
    ) -> Page:
        """Return the next ``limit`` resources in order, from behind ``after`` (sort value, name).

        ``created`` and ``modified`` bound what is paged through, and so do ``among`` and ``but``,
        which are globs that names match, and do not. Of each page, only those are answered whose
        name contains ``named`` and whose status is ``status``.
        """
        where, values = _bounds({"created": created, "modified": modified})
        for condition, glob in (("name GLOB ?", among), ("name NOT GLOB ?", but)):
            if glob is not None:
                where.append(condition)
                values.append(glob)
        if after is not None:
            where.append(f"({sort}, name) {'<' if descending else '>'} (?, ?)")
            values += after
        order = "DESC" if descending else "ASC"
        rows = self._database.rows(
            f"SELECT {sort}, name, {_TEXTS} FROM resources "  # noqa: S608 - column names only
            f"WHERE {' AND '.join(('region = ?', 'kind = ?', *where))} "
            f"ORDER BY {sort} {order}, name {order} LIMIT ?",
            *(named, status, named, status, region, kind, *values, limit + 1),
        )
        page = rows[:limit]
        texts = [
            summary or self._summary(kind, json.loads(document)) or document
            for _, _, summary, document in page
            if summary is not None
        ]
        end = (page[-1][0], page[-1][1]) if len(rows) > limit else None
        return Page(summaries=texts, end=end)

    def every(self, region: str, kind: str) -> list[Resource]:
        """Return all resources of a kind in a region, in the order of their creation; of a kind "a"
        are those of kinds "a:b", too.
        """
        rows = self._database.rows(
            "SELECT * FROM resources WHERE region = ? AND (kind = ? OR kind GLOB ?) "
            "ORDER BY created, name",
            *(region, kind, f"{kind}:*"),
        )
        return [_resource(row) for row in rows]

    def unfinished(self, kind: str, terminal: Iterable[str]) -> list[Resource]:
        """Return the resources of a kind, in every region, whose status is not terminal."""
        ended = tuple(terminal)
        rows = self._database.rows(
            f"SELECT * FROM resources WHERE kind = ? AND status NOT IN ({_marks(ended)})",  # noqa: S608 - question marks only
            kind,
            *ended,
        )
        return [_resource(row) for row in rows]

    def named(self, kind: str) -> list[Key]:
        """Return the keys of all resources of a kind, in every region."""
        rows = self._database.rows("SELECT region, name FROM resources WHERE kind = ?", kind)
        return [Key(region=row["region"], kind=kind, name=row["name"]) for row in rows]

    def _summary(self, kind: str, document: Mapping[str, Any]) -> str:
        """Return the JSON text that a resource is listed with, or "" for a kind without one."""
        members = self._summaries.get(kind.partition(":")[0])
        if members is None:
            return ""
        summary = {name: document[name] for name in members if document.get(name) is not None}
        return json.dumps(summary, separators=(",", ":"))


def _bounds(spans: Mapping[str, Span]) -> tuple[list[str], list[Any]]:
    """Return conditions, and the values for their question marks."""
    bounds = [
        (f"{column} {sign} ?", bound)
        for column, span in spans.items()
        for sign, bound in zip("><", span, strict=True)
        if bound is not None
    ]
    return [condition for condition, _ in bounds], [bound for _, bound in bounds]


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))


def _resource(row: sqlite3.Row) -> Resource:
    return Resource(
        key=Key(region=row["region"], kind=row["kind"], name=row["name"]),
        created=row["created"],
        modified=row["modified"],
        status=row["status"],
        document=json.loads(row["document"]),
        request=json.loads(row["request"]),
    )
