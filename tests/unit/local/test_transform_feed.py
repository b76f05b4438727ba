"""How far payloads run ahead, and what is written down of what is done."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagedock.local.training.inputs import Share
from sagedock.local.transform.failures import ObjectFailed, bad_data, no_answer
from sagedock.local.transform.feed import Feed, Ticket
from sagedock.local.transform.inputs import InputObject
from sagedock.local.transform.payloads import Payload
from sagedock.local.transform.progress import Progress
from sagedock.local.uris import S3Uri

Ended = list[tuple[int, bytes | str]]


def source(name: str) -> InputObject:
    return InputObject(
        uri=S3Uri(bucket="b", key=name), output=S3Uri(bucket="b", key=f"out/{name}.out")
    )


def feed_of(
    objects: dict[str, list[bytes]], folder: Path, ended: Ended, most_ahead: int = 100
) -> Feed:
    """Feed objects, by name, of those payloads; ``bad`` is one that cannot be split."""

    def split(name: str) -> Iterator[Payload]:
        for each in objects[name]:
            if each == b"bad":
                raise bad_data("bad")
            yield Payload(each)

    def ends(position: int, _: InputObject, result: Path | ObjectFailed) -> None:
        ended.append((position, result.read_bytes() if isinstance(result, Path) else str(result)))

    return Feed(
        iter(enumerate(map(source, objects))),
        lambda each: (io.BufferedReader(io.BytesIO()), split(each.uri.key)),  # type: ignore[arg-type]
        ends,
        folder,
        assemble_with="None",
        most_ahead=most_ahead,
    )


def taken(feed: Feed) -> Ticket:
    ticket = feed.take()
    assert ticket is not None
    return ticket


def test_answers_may_come_in_any_order(tmp_path: Path) -> None:
    ended: Ended = []
    feed = feed_of({"a": [b"1", b"2"], "b": [b"3"], "c": []}, tmp_path, ended)
    one, two, three = (taken(feed) for _ in range(3))
    feed.answered(three, b"c")
    feed.answered(two, b"b")
    feed.answered(one, b"a")
    assert feed.take() is None
    assert sorted(ended) == [(0, b"ab"), (1, b"c"), (2, b"")]


def test_a_payload_that_fails_ends_its_object_alone(tmp_path: Path) -> None:
    ended: Ended = []
    feed = feed_of({"a": [b"1", b"2", b"3"], "b": [b"4"]}, tmp_path, ended)
    one, two = taken(feed), taken(feed)
    feed.failed(one, bad_data("no"))
    four = taken(feed)
    assert four.payload.body == b"4"
    feed.answered(two, b"late")
    feed.failed(two, bad_data("twice"))
    feed.answered(four, b"4")
    assert feed.take() is None
    assert ended == [(0, "no"), (1, b"4")]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["1.out"]


def test_an_object_that_breaks_off_fails_after_what_was_sent(tmp_path: Path) -> None:
    ended: Ended = []
    feed = feed_of({"a": [b"1", b"bad"], "b": [b"2"]}, tmp_path, ended)
    one = taken(feed)
    assert taken(feed).payload.body == b"2"
    assert ended == [(0, "bad")]
    feed.answered(one, b"1")
    assert ended == [(0, "bad")]


def test_no_more_payloads_are_ahead_than_may_be(tmp_path: Path) -> None:
    """One slow answer holds the others back, and memory stays bounded."""
    ended: Ended = []
    feed = feed_of({"a": [b"x"] * 10, "b": [b"y"]}, tmp_path, ended, most_ahead=3)
    slow, one, two = taken(feed), taken(feed), taken(feed)
    feed.answered(one, b"1")
    feed.answered(two, b"2")
    assert not feed.has_room
    feed.answered(slow, b"0")
    assert feed.has_room
    third = taken(feed)
    fourth = taken(feed)
    feed.answered(fourth, b"4")
    feed.failed(third, bad_data("no"))
    assert feed.has_room
    assert taken(feed).payload.body == b"y"


def test_a_feed_that_is_stopped_hands_out_nothing_and_forgets(tmp_path: Path) -> None:
    ended: Ended = []
    feed = feed_of({"a": [b"1", b"2"]}, tmp_path, ended)
    one = taken(feed)
    feed.stop()
    feed.answered(one, b"1")
    feed.failed(one, bad_data("no"))
    assert feed.take() is None
    assert ended == []
    assert list(tmp_path.iterdir()) == []


def test_a_container_that_is_gone_fails_what_is_in_work(tmp_path: Path) -> None:
    ended: Ended = []
    feed = feed_of({"a": [b"1", b"2"], "b": [b"3"]}, tmp_path, ended)
    taken(feed)
    feed.fail_all(no_answer())
    assert feed.take() is None
    assert ended == [(0, "Unable to get response from algorithm")]


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "job")
    assert not progress.is_planned
    progress.plan(source(name) for name in "abcde")
    progress.add(1, None)
    progress.add(3, "ClientError")
    progress.add(4, "AlgorithmError")
    # A line that the server was writing when it was killed.
    with (tmp_path / "job" / "done").open("a") as file:
        file.write('{"position": 0, "bla')
    again = Progress(tmp_path / "job")
    assert again.is_planned
    assert again.first_blame == "ClientError"
    assert [position for position, _ in again.open_objects(Share())] == [0, 2]
    again.add(0, None)
    last = Progress(tmp_path / "job")
    left = list(last.open_objects(Share(index=0, count=2)))
    assert [(position, each.uri.key) for position, each in left] == [(2, "c")]
    assert left[0][1].output == S3Uri(bucket="b", key="out/c.out")


def test_a_plan_that_was_being_written_is_none(tmp_path: Path) -> None:
    progress = Progress(tmp_path)

    def breaks() -> Iterator[InputObject]:
        yield source("a")
        raise bad_data("no")

    with pytest.raises(ObjectFailed):
        progress.plan(breaks())
    assert not progress.is_planned
