"""Following a job's log: every line once, in order, whatever the service does meanwhile."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from sagedock.client.logs import TRAINING_LOGS, JobLogs


class NotFound(Exception):
    """What the service answers before a group exists."""


class CloudWatch:
    """CloudWatch Logs as its API reference describes it, in pages of two events and two streams.

    ``fails`` yields True for each call that the service throttles.
    """

    class exceptions:  # noqa: N801 - boto3's own name
        ResourceNotFoundException = NotFound

    def __init__(self, fails: Iterable[bool] = ()) -> None:
        self.streams: dict[str, list[dict[str, Any]]] = {}
        self.exists = True
        self._fails = iter(fails)

    def write(self, stream: str, timestamp: int, message: str) -> None:
        self.streams.setdefault(stream, []).append({"timestamp": timestamp, "message": message})

    def get_paginator(self, operation: str) -> "CloudWatch":
        assert operation == "describe_log_streams"
        return self

    def paginate(self, **where: Any) -> Iterator[Mapping[str, Any]]:
        assert where["logGroupName"] == TRAINING_LOGS
        if not self.exists:
            raise NotFound
        names = sorted(n for n in self.streams if n.startswith(where["logStreamNamePrefix"]))
        for start in range(0, len(names), 2):
            self._maybe_fail()
            yield {"logStreams": [{"logStreamName": name} for name in names[start : start + 2]]}

    def get_log_events(self, **where: Any) -> Mapping[str, Any]:
        assert where["startFromHead"] is True
        self._maybe_fail()
        start = int(where.get("nextToken", "f/0").removeprefix("f/"))
        events = self.streams[where["logStreamName"]][start : start + 2]
        return {"events": events, "nextForwardToken": f"f/{start + len(events)}"}

    def _maybe_fail(self) -> None:
        if next(self._fails, False):
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "GetLogEvents")


def follow(service: CloudWatch, **options: Any) -> tuple[JobLogs, list[str]]:
    lines: list[str] = []
    logs = JobLogs(service, group=TRAINING_LOGS, job_name="job", show=lines.append, **options)
    return logs, lines


def test_lines_come_once_each_over_all_pages() -> None:
    service = CloudWatch()
    logs, lines = follow(service)
    for number in range(5):
        service.write("job/algo-1-1", number, f"line {number}")
    assert logs.read() == 5
    assert logs.read() == 0
    service.write("job/algo-1-1", 9, "line 5")
    assert logs.read() == 1
    assert lines == [f"line {number}" for number in range(6)]


def test_a_group_that_is_not_there_yet_has_no_lines() -> None:
    service = CloudWatch()
    service.exists = False
    logs, lines = follow(service)
    assert logs.read() == 0
    assert lines == []


def test_a_job_whose_name_begins_alike_is_another_job() -> None:
    service = CloudWatch()
    service.write("job-2/algo-1-1", 1, "not ours")
    service.write("job/algo-1-1", 1, "ours")
    logs, lines = follow(service)
    logs.read()
    assert lines == ["ours"]


def test_hosts_are_named_and_their_lines_sorted_by_time() -> None:
    service = CloudWatch()
    service.write("job/algo-2-17", 1, "second")
    service.write("job/algo-1-17", 0, "first")
    service.write("job/algo-10-17", 2, "third")
    logs, lines = follow(service, name_hosts=True)
    logs.read()
    assert lines == ["algo-1 | first", "algo-2 | second", "algo-10 | third"]


def test_lines_keep_their_blanks_and_lose_their_ends() -> None:
    service = CloudWatch()
    service.write("job/algo-1-1", 1, "  indented \n")
    service.write("job/algo-1-1", 1, "")
    logs, lines = follow(service)
    logs.read()
    assert lines == ["  indented ", ""]


def test_a_failing_call_loses_and_repeats_nothing() -> None:
    service = CloudWatch([False, False, True])  # the second host's first page
    service.write("job/algo-1-1", 1, "one")
    service.write("job/algo-2-1", 2, "two")
    logs, lines = follow(service)
    with pytest.raises(ClientError):
        logs.read()
    assert logs.read() == 2
    assert lines == ["one", "two"]


_writes = st.lists(
    st.lists(st.tuples(st.integers(1, 3), st.integers(0, 4)), max_size=6), max_size=6
)


@given(_writes, st.lists(st.booleans(), max_size=30))
def test_every_line_of_every_host_is_shown_once_and_in_order(
    rounds: list[list[tuple[int, int]]], fails: list[bool]
) -> None:
    service = CloudWatch(fails)
    logs, lines = follow(service, name_hosts=True)
    written: dict[int, list[str]] = {1: [], 2: [], 3: []}
    clock = 0
    for writes in rounds:
        for host, pause in writes:
            clock += pause
            message = f"{len(written[host])}"
            written[host].append(message)
            service.write(f"job/algo-{host}-1", clock, message)
        try:
            logs.read()
        except ClientError:
            continue
    while True:
        try:
            logs.read()
        except ClientError:
            continue
        break
    for host, messages in written.items():
        assert [one for one in lines if one.startswith(f"algo-{host} ")] == [
            f"algo-{host} | {message}" for message in messages
        ]


def test_ctrl_c_between_two_lines_loses_and_repeats_none() -> None:
    service = CloudWatch()
    for host in ("a", "b"):
        for number in range(5):
            service.write(f"job/{host}-1", number, f"{host}{number}")
    lines: list[str] = []

    def show(line: str) -> None:
        lines.append(line)
        raise KeyboardInterrupt

    logs = JobLogs(service, group=TRAINING_LOGS, job_name="job", show=show)
    for _ in range(10):
        with pytest.raises(KeyboardInterrupt):
            logs.read()
    logs.read()
    assert sorted(lines) == sorted(f"{host}{number}" for host in "ab" for number in range(5))
