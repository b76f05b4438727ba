"""The file that holds the state: reads beside a write, space given back, older files."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagedock.errors import StorageError
from sagedock.local.database import Database
from sagedock.local.logs import LogStore
from sagedock.local.logs.lines import Line
from sagedock.local.resources import Key, Resource, Resources

KEY = Key(region="us-west-2", kind="training-job", name="probe")
OLDER = """
CREATE TABLE resources (
    region TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
    created REAL NOT NULL, modified REAL NOT NULL, status TEXT NOT NULL,
    document TEXT NOT NULL, request TEXT NOT NULL,
    PRIMARY KEY (region, kind, name)
);
INSERT INTO resources VALUES ('us-west-2', 'training-job', 'probe', 1, 2, 'Completed',
                              '{"Name": "probe"}', '{}');
"""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "state.sqlite")
    yield made
    made.close()


def tag(database: Database, key: str) -> None:
    database.write("INSERT INTO tags VALUES ('arn', ?, '')", key)


def tags(database: Database) -> list[str]:
    return [row["key"] for row in database.rows("SELECT key FROM tags ORDER BY key")]


def in_another_thread(database: Database) -> list[str]:
    found: list[list[str]] = []
    thread = threading.Thread(target=lambda: found.append(tags(database)), daemon=True)
    thread.start()
    thread.join(60)
    assert found, "the read waited for the write"
    return found[0]


def test_a_read_waits_for_no_write_and_sees_what_was_committed(database: Database) -> None:
    tag(database, "before")
    with database.transaction():
        tag(database, "meanwhile")
        assert tags(database) == ["before", "meanwhile"]
        assert in_another_thread(database) == ["before"]
    assert in_another_thread(database) == ["before", "meanwhile"]


def test_a_block_that_fails_changes_nothing(database: Database) -> None:
    with pytest.raises(LookupError), database.transaction(), database.transaction():
        tag(database, "lost")
        raise LookupError
    assert tags(database) == []
    tag(database, "kept")
    assert tags(database) == ["kept"]


def test_a_database_that_is_closed_is_not_opened_again(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.sqlite")
    database.close()
    with pytest.raises(StorageError, match="is closed"):
        tags(database)
    assert [path.name for path in tmp_path.iterdir()] == ["state.sqlite"]


def test_deleted_logs_give_their_space_back(tmp_path: Path) -> None:
    file = tmp_path / "state.sqlite"
    database = Database(file)
    logs = LogStore(database)
    stream = logs.open("us-west-2", "/aws/sagemaker/TrainingJobs", "probe/algo-1-1")
    line = Line(stream="stdout", time_s=1, data=b"x" * 10_000, consumed=10_001)
    logs.write(stream, [line] * 1000)
    logs.delete(stream)
    database.close()
    assert file.stat().st_size < 1_000_000


def test_a_file_that_shrinks_is_read_on(database: Database, tmp_path: Path) -> None:
    """Readers map the file into memory: what they mapped may be behind its end now."""
    database.write_many(
        "INSERT INTO tags VALUES (?, 'key', ?)", [(str(n), "x" * 4000) for n in range(1000)]
    )
    count = "SELECT count(*), sum(length(value)) FROM tags"
    database.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    before, size = database.row(count), (tmp_path / "state.sqlite").stat().st_size
    database.write("DELETE FROM tags WHERE arn != '999'")
    database.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    after = database.row(count)
    assert (tmp_path / "state.sqlite").stat().st_size < size / 2
    assert (before and tuple(before), after and tuple(after)) == ((1000, 4_000_000), (1, 4000))


def test_a_file_of_an_older_version_is_listed_and_changed(tmp_path: Path) -> None:
    older = sqlite3.connect(tmp_path / "state.sqlite")
    older.executescript(OLDER)
    older.close()
    database = Database(tmp_path / "state.sqlite")
    resources = Resources(database, summaries={KEY.kind: ("Name", "Nothing")})

    def listed() -> list[object]:
        page = resources.page(
            KEY.region, KEY.kind, sort="created", descending=True, after=None, limit=10
        )
        return [json.loads(summary) for summary in page.summaries]

    assert listed() == [{"Name": "probe"}]
    changed = Resource(
        key=KEY,
        created=1,
        modified=3,
        status="Failed",
        document={"Name": "probe", "Long": "x" * 1000, "Nothing": None},
        request={},
    )
    resources.change(KEY, lambda _: changed)
    assert listed() == [{"Name": "probe"}]
    assert resources.get(KEY) == changed
    database.close()
