"""Manifests, as users and attackers write them: entry by entry, in bounded memory."""

import io
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from sagedock.local.training.manifest import BrokenManifest, read_manifest
from sagedock.local.training.plan import Plan, keep_lines, uri_in, write_uris
from sagedock.local.training.unreadable import ChannelUnreadable
from sagedock.local.uris import S3Uri

PREFIX = {"prefix": "s3://bucket/some/"}
ABOUT = S3Uri(bucket="bucket", key="manifest")


def read(content: bytes) -> tuple[str, list[str]]:
    prefix, entries = read_manifest(io.BytesIO(content))
    return str(prefix), list(entries)


@pytest.mark.parametrize("indent", [None, 2])
def test_a_manifest_is_a_prefix_and_what_follows_it(indent: int | None) -> None:
    entries = [PREFIX, "a", "deep/b", "ä\n\"'\\", ""]
    content = json.dumps(entries, indent=indent).encode()
    assert read(content) == ("s3://bucket/some/", entries[1:])
    assert read(b"\xef\xbb\xbf" + content) == ("s3://bucket/some/", entries[1:])


def test_entries_may_end_anywhere_in_what_is_read_at_once() -> None:
    names = [f"{number}-" + "x" * (number % 977) for number in range(1000)]
    assert read(json.dumps([PREFIX, *names]).encode())[1] == names


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "it is no JSON array: '[' is missing"),
        (b"key one\nkey two", "it is no JSON array"),
        (b"{}", "it is no JSON array"),
        (b"[]", "one of its elements is not an object with the member prefix"),
        (b'["a"]', "one of its elements is not an object with the member prefix"),
        (b'[{"other": "s3://b/"}]', "its first element must be"),
        (b'[{"prefix": ""}]', "its first element must be"),
        (b'[{"prefix": "https://b/"}]', "its first element must be"),
        (b'[{"prefix": ["s3://b/"]}]', "its first element must be"),
        (b'[{"prefix": "s3://b/"}, 1]', "one of its elements is not a string"),
        (b'[{"prefix": "s3://b/"}, {"prefix": "s3://c/"}]', "not a string"),
        (b'[{"prefix": "s3://b/"}, "a" "b"]', "']' is missing"),
        (b'[{"prefix": "s3://b/"}, "a"', "']' is missing"),
        (b'[{"prefix": "s3://b/"}, "a', "it is no JSON: Unterminated string"),
        (b'[{"prefix": "s3://b/"}, "a"] more', "something follows the end of its array"),
        (b'[{"prefix": "s3://b/"}, "\\ud800"]', "half a surrogate pair"),
        (b'[{"prefix": "s3://b/"}, "\xff"]', "it is not UTF-8"),
        (b'[{"prefix": "s3://b/"}, "' + b"x" * 100_000, "one of its elements is too long"),
        (b"[" + b'{"prefix":' * 100_000, "one of its elements is too long"),
    ],
)
def test_what_is_no_manifest_is_said_to_be_none(content: bytes, says: str) -> None:
    with pytest.raises(BrokenManifest) as error:
        read(content)
    assert says in str(error.value)
    assert len(str(error.value)) < 500


class Endless(io.RawIOBase):
    """A file that has a start, and then repeats a text without end."""

    def __init__(self, start: bytes, again: bytes) -> None:
        self._start, self._again = start, again

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        start, self._start = self._start, b""
        data = start or self._again * (len(buffer) // len(self._again))
        buffer[: len(data)] = data
        return len(data)


def peak_bytes(work: Any) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_very_many_entries_are_read_in_little_memory() -> None:
    file = io.BufferedReader(Endless(json.dumps([PREFIX])[:-1].encode(), b', "some/key"'))
    _, entries = read_manifest(file)  # type: ignore[arg-type]

    def take_many() -> None:
        for _ in range(100_000):
            assert next(entries) == "some/key"

    assert peak_bytes(take_many) < 2_000_000


def test_one_endless_entry_ends_in_an_error_in_little_memory() -> None:
    def fail() -> None:
        with pytest.raises(BrokenManifest, match="too long"):
            list(read_manifest(io.BufferedReader(Endless(b'[{"prefix": "', b"x")))[1])  # type: ignore[arg-type]

    assert peak_bytes(fail) < 2_000_000


def test_keys_of_any_text_are_planned_and_found_again(tmp_path: Path) -> None:
    keys = ["a", "deep/b", "new\nline", "ä b", "c//d"]
    path = tmp_path / "plans" / "train"
    write_uris((S3Uri(bucket="b", key=key) for key in keys), path)
    plan = Plan(path, ABOUT)
    assert [uri_in(plan.line(number)).key for number in range(len(plan))] == keys
    plan.close()


def test_another_attempts_plan_never_writes_to_the_object(tmp_path: Path) -> None:
    old, new, plan = tmp_path / "old", tmp_path / "new", tmp_path / "plans" / "train"
    old.write_bytes(b"old")
    new.write_bytes(b"new")
    keep_lines(old, plan)
    assert plan.samefile(old)
    keep_lines(new, plan)
    assert (old.read_bytes(), plan.read_bytes()) == (b"old", b"new")


def test_blank_lines_of_a_plan_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "plan"
    path.write_bytes(b"\n{1}\r\n  \n\n{2}")
    plan = Plan(path, ABOUT)
    assert [plan.line(number) for number in range(len(plan))] == [b"{1}", b"{2}"]
    plan.close()


def test_a_line_that_cannot_be_held_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "plan"
    with path.open("wb") as file:
        file.write(b"{1}\n")
        file.seek(3 * 16 * 1024 * 1024)
        file.write(b"x")
    with pytest.raises(ChannelUnreadable, match="has a line, number 2, of over 16777216 bytes"):
        Plan(path, ABOUT)
