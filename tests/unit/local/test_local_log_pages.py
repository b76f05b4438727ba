"""Pages of log events, cut by size, and the limits of time; a line that never ends."""

from pathlib import Path
from typing import Any

import pytest

from sagedock.engine import LogFrame
from sagedock.local.caller import Caller
from sagedock.local.database import Database
from sagedock.local.logs import OPERATIONS, LogStore, follow
from sagedock.local.logs.lines import EVENT_BYTES, Line, LineAssembler
from sagedock.local.refusal import Refused

GROUP = "/aws/sagemaker/TrainingJobs"
CALLER = Caller(region="us-west-2", service="logs", account="123456789012")
BIG = "x" * 1000
COUNT = 5000  # five times what one answer holds


@pytest.fixture
def store(tmp_path: Path) -> LogStore:
    return LogStore(Database(tmp_path / "state.sqlite"))


def write(store: LogStore, texts: list[str], stream: str = "job/algo-1-1") -> None:
    lines = [
        Line(stream="stdout", time_s=1000.0 + n, data=text.encode(), consumed=len(text) + 1)
        for n, text in enumerate(texts)
    ]
    store.write(store.open(CALLER.region, GROUP, stream), lines)


def call(store: LogStore, operation: str, **request: Any) -> dict[str, Any]:
    return OPERATIONS[operation](store, CALLER, {"logGroupName": GROUP, **request})


def get(store: LogStore, **request: Any) -> dict[str, Any]:
    return call(store, "GetLogEvents", logStreamName="job/algo-1-1", **request)


def texts(answer: dict[str, Any]) -> list[str]:
    return [event["message"] for event in answer["events"]]


def test_without_a_start_the_last_events_are_answered(store: LogStore) -> None:
    write(store, [f"{n} {BIG}" for n in range(COUNT)])
    assert texts(get(store))[-1] == f"{COUNT - 1} {BIG}"


def test_pages_cut_by_size_lose_nothing_backwards(store: LogStore) -> None:
    wanted = [f"{n} {BIG}" for n in range(COUNT)]
    write(store, wanted)
    found: list[str] = []
    page = get(store)
    token = None
    while token != page["nextBackwardToken"]:
        found = texts(page) + found
        token = page["nextBackwardToken"]
        page = get(store, nextToken=token)
    assert found == wanted


def test_pages_cut_by_size_lose_nothing_forwards(store: LogStore) -> None:
    wanted = [f"{n} {BIG}" for n in range(COUNT)]
    write(store, wanted)
    found: list[str] = []
    page = get(store, startFromHead=True)
    token = None
    while token != page["nextForwardToken"]:
        found += texts(page)
        token = page["nextForwardToken"]
        page = get(store, nextToken=token)
    assert found == wanted


def test_filtered_pages_are_cut_by_size_too(store: LogStore) -> None:
    write(store, [f"{n} {BIG}" for n in range(COUNT)])
    first = call(store, "FilterLogEvents")
    assert 0 < sum(len(text) for text in texts(first)) <= 1024 * 1024
    found = texts(first)
    page = first
    while token := page.get("nextToken"):
        page = call(store, "FilterLogEvents", nextToken=token)
        found += texts(page)
    assert found == [f"{n} {BIG}" for n in range(COUNT)]


def test_an_end_time_is_excluded_from_a_stream_and_included_in_a_filter(store: LogStore) -> None:
    """Source: API_GetLogEvents ("equal to or later ... are not included"), API_FilterLogEvents."""
    write(store, ["a", "b", "c"])
    times = {"startTime": 1_000_000, "endTime": 1_001_000}
    assert texts(get(store, startFromHead=True, **times)) == ["a"]
    assert texts(call(store, "FilterLogEvents", **times)) == ["a", "b"]


@pytest.mark.parametrize("token", ["f/²/s", "f/" + "9" * 60 + "/s", "b/" + "9" * 5000 + "/s", "x"])
@pytest.mark.parametrize("operation", ["GetLogEvents", "FilterLogEvents", "DescribeLogStreams"])
def test_a_token_that_was_never_given_out(store: LogStore, operation: str, token: str) -> None:
    write(store, ["a"])
    with pytest.raises(Refused, match="The specified nextToken is invalid"):
        call(store, operation, logStreamName="job/algo-1-1", nextToken=token)


def test_a_line_that_never_ends_is_stored_as_it_comes() -> None:
    assembler = LineAssembler()
    pieces: list[Line] = []
    for _ in range(100):
        pieces += assembler.take(LogFrame(stream="stdout", time_s=1, data="é".encode() * 8192))
    assert sum(len(piece.data) for piece in pieces) > 100 * 16384 - 2 * EVENT_BYTES
    assert all(0 < len(piece.data) <= EVENT_BYTES for piece in pieces)
    pieces += assembler.end(1)
    assert "".join(piece.data.decode() for piece in pieces) == "é" * 819_200
    assert sum(piece.consumed for piece in pieces) == 100 * 16384


def test_a_job_that_begins_anew_loses_none_of_its_lines(store: LogStore) -> None:
    """Its first container is gone with the server that was killed; the second writes anew."""
    frames = [LogFrame(stream="stdout", time_s=1, data=b"first\n")]
    follow(iter(frames), store, store.open(CALLER.region, GROUP, "job/algo-1-1"))
    store.begin_anew(store.open(CALLER.region, GROUP, "job/algo-1-1"))
    frames = [LogFrame(stream="stdout", time_s=2, data=b"again\n")]
    follow(iter(frames), store, store.open(CALLER.region, GROUP, "job/algo-1-1"))
    assert texts(get(store)) == ["first", "again"]


def test_groups_come_in_pages_and_by_a_part_of_their_name(store: LogStore) -> None:
    def groups(**request: Any) -> tuple[list[str], str | None]:
        answer = OPERATIONS["DescribeLogGroups"](store, CALLER, request)
        return [each["logGroupName"] for each in answer["logGroups"]], answer.get("nextToken")

    for name in ("a", "b", "c"):
        store.open(CALLER.region, f"/aws/sagemaker/{name}", "stream")
    names = [f"/aws/sagemaker/{name}" for name in "abc"]
    assert groups() == (names, None)
    first, token = groups(limit=2)
    assert (first, groups(limit=2, nextToken=token)) == (names[:2], (names[2:], None))
    assert groups(logGroupNamePattern="maker/b") == (names[1:2], None)
    arn = f"arn:aws:logs:{CALLER.region}:{CALLER.account}:log-group:{names[2]}"
    assert groups(logGroupIdentifiers=[arn]) == (names[2:], None)
    assert groups(logGroupNamePrefix="/aws/sagemaker/c") == (names[2:], None)
