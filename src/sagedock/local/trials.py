"""The training jobs of tuning jobs, in the order in which they were launched.

A row is there before the training job is: a server that is killed in between creates it then.
"""

import json
from collections.abc import Mapping
from typing import Any

from sagedock.local.database import Database
from sagedock.local.resources import Key

__all__ = ["Trials"]


class Trials:
    """The table of them: by tuning job and number, a JSON document. From any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, job: Key, number: int, document: Mapping[str, Any]) -> None:
        """Store a trial, in place of what was stored of it."""
        self._database.write(
            "INSERT OR REPLACE INTO tuning_trials (region, job, number, document) "
            "VALUES (?, ?, ?, ?)",
            *(job.region, job.name, number, json.dumps(document)),
        )

    def of(self, job: Key) -> list[dict[str, Any]]:
        """Return the trials of a tuning job."""
        rows = self._database.rows(
            "SELECT document FROM tuning_trials WHERE region = ? AND job = ? ORDER BY number",
            *(job.region, job.name),
        )
        return [json.loads(row["document"]) for row in rows]

    def delete(self, job: Key) -> None:
        """Forget the trials of a tuning job."""
        self._database.write(
            "DELETE FROM tuning_trials WHERE region = ? AND job = ?", job.region, job.name
        )
