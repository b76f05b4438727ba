"""Tags of resources, by ARN."""

from collections.abc import Mapping, Sequence
from typing import Any

from sagedock.local.database import Database

__all__ = ["Tags"]


class Tags:
    """The table of tags."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, arn: str, tags: Sequence[Mapping[str, str]]) -> None:
        """Add ``tags`` ({Key, Value}) to a resource; a key that is there gets the new value."""
        self._database.write_many(
            "INSERT OR REPLACE INTO tags VALUES (?, ?, ?)",
            [(arn, tag["Key"], tag["Value"]) for tag in tags],
        )

    def remove(self, arn: str, keys: Sequence[str]) -> None:
        """Remove the tags of those keys; a key that is absent is no error."""
        self._database.write_many(
            "DELETE FROM tags WHERE arn = ? AND key = ?", [(arn, key) for key in keys]
        )

    def remove_all(self, arn: str) -> None:
        """Remove every tag of a resource."""
        self._database.write("DELETE FROM tags WHERE arn = ?", arn)

    def list(self, arn: str) -> list[dict[str, Any]]:
        """Return the tags of a resource, by key."""
        rows = self._database.rows("SELECT key, value FROM tags WHERE arn = ? ORDER BY key", arn)
        return [{"Key": row["key"], "Value": row["value"]} for row in rows]
