"""The backlog of asynchronous endpoints: requests that survive a server that is killed.

A request is ``waiting`` until it is claimed, ``running`` until its outcome is known, and ``ended``
until everybody was told of it; then it is removed.
"""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sagedock.local.database import Database

__all__ = ["AsyncRequest", "AsyncRequests", "Backlog", "Ended"]


@dataclass(frozen=True, kw_only=True)
class AsyncRequest:
    """One InvokeEndpointAsync as it was accepted. ``received`` and ``expires`` are epoch seconds,
    ``timeout_s`` is how long the model may take. The input is the object ``input_location``, or
    ``body``. Results go to ``output_location`` and ``failure_location``, if there are any.
    """

    region: str
    endpoint: str
    inference_id: str
    received: float
    expires: float
    timeout_s: int
    input_location: str | None
    output_location: str | None
    failure_location: str | None
    content_type: str | None = None
    accept: str | None = None
    custom_attributes: str | None = None
    body: bytes | None = None
    #: What the store knows it by; 0 before it is stored.
    number: int = 0


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A request whose outcome is known, as JSON, and not told to everybody yet."""

    request: AsyncRequest
    outcome: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """How many requests wait or are in work, how many of them wait, and when the oldest came (epoch
    seconds).
    """

    size: int
    waiting: int
    oldest: float | None


class AsyncRequests:
    """The table of requests. From any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, request: AsyncRequest) -> None:
        """Keep a request that waits from now on."""
        kept = asdict(request)
        body = kept.pop("body")
        self._database.write(
            "INSERT INTO async_requests (region, endpoint, received, expires, request, body) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            *(request.region, request.endpoint, request.received, request.expires),
            *(json.dumps(kept), body),
        )

    def claim(
        self, region: str, endpoint: str, *, expired_at: float | None = None
    ) -> AsyncRequest | None:
        """Return the request that waited longest, which is in work from now on, or None.

        ``expired_at`` asks for one that expired by then.
        """
        with self._database.transaction():
            row = self._database.row(
                "SELECT * FROM async_requests WHERE region = ? AND endpoint = ? "
                "AND state = 'waiting' AND (? IS NULL OR expires <= ?) ORDER BY number LIMIT 1",
                *(region, endpoint, expired_at, expired_at),
            )
            if row is None:
                return None
            self._set_state(row["number"], "running")
        return _request(row)

    def release(self, request: AsyncRequest) -> None:
        """Let a claimed request wait again, in its old place."""
        self._set_state(request.number, "waiting")

    def end(self, request: AsyncRequest, outcome: Mapping[str, Any]) -> bool:
        """Keep a claimed request's outcome; return False if it was removed meanwhile."""
        changed = self._database.write(
            "UPDATE async_requests SET state = 'ended', outcome = ? WHERE number = ?",
            *(json.dumps(outcome), request.number),
        )
        return changed == 1

    def remove(self, request: AsyncRequest) -> None:
        """Forget a request."""
        self._database.write("DELETE FROM async_requests WHERE number = ?", request.number)

    def remove_all(self, region: str, endpoint: str) -> None:
        """Forget every request of an endpoint, because it goes."""
        self._database.write(
            "DELETE FROM async_requests WHERE region = ? AND endpoint = ?", *(region, endpoint)
        )

    def take_up(self) -> list[Ended]:
        """Let what a killed server had in work wait again; return what it did not tell of."""
        self._database.write("UPDATE async_requests SET state = 'waiting' WHERE state = 'running'")
        rows = self._database.rows(
            "SELECT * FROM async_requests WHERE state = 'ended' ORDER BY number"
        )
        return [Ended(request=_request(row), outcome=json.loads(row["outcome"])) for row in rows]

    def backlog(self, region: str, endpoint: str) -> Backlog:
        """Return what an endpoint has still to do."""
        row = self._database.row(
            "SELECT count(*) AS size, ifnull(sum(state = 'waiting'), 0) AS waiting, "
            "min(received) AS oldest FROM async_requests "
            "WHERE region = ? AND endpoint = ? AND state != 'ended'",
            *(region, endpoint),
        )
        if row is None:
            return Backlog(size=0, waiting=0, oldest=None)
        return Backlog(size=row["size"], waiting=row["waiting"], oldest=row["oldest"])

    def _set_state(self, number: int, state: str) -> None:
        self._database.write(
            "UPDATE async_requests SET state = ? WHERE number = ?", *(state, number)
        )


def _request(row: sqlite3.Row) -> AsyncRequest:
    kept = json.loads(row["request"])
    return AsyncRequest(**{**kept, "body": row["body"], "number": row["number"]})
