"""The log lines of a job, read from CloudWatch Logs."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from sagedock.api import log_groups
from sagedock.client.show import Show

__all__ = ["TRAINING_LOGS", "JobLogs", "last_lines"]

TRAINING_LOGS = log_groups.TRAINING_JOBS
#: <job>/algo-<number>-<time of start>
_HOST = re.compile(r".*/(?P<host>.+)-\d+")


class JobLogs:
    """Shows each line of a job's streams once, in the order in which its hosts wrote them.

    ``client`` is boto3's for CloudWatch Logs. With ``name_hosts`` each line begins with the name
    of the host that wrote it.
    """

    def __init__(
        self, client: Any, *, group: str, job_name: str, show: Show, name_hosts: bool = False
    ) -> None:
        self._client = client
        self._group = group
        self._prefix = f"{job_name}/"
        self._show = show
        self._name_hosts = name_hosts
        self._tokens: dict[str, str] = {}
        #: How many events behind a stream's token were shown: Ctrl-C comes between any two.
        self._ahead: Counter[tuple[str, str | None]] = Counter()

    def read(self) -> int:
        """Show every line that has come since the last call, and return how many there were."""
        lines = 0
        pending = self._streams()
        while pending:
            pages = {stream: self._events(stream) for stream in pending}
            self._show_pages(pages)
            lines += sum(len(page["events"]) for page in pages.values())
            pending = [
                stream for stream, page in pages.items() if not self._is_drained(stream, page)
            ]
            # Only now, with every page shown: a call that fails above loses and repeats nothing.
            self._tokens |= {stream: page["nextForwardToken"] for stream, page in pages.items()}
            self._ahead.clear()
        return lines

    def _is_drained(self, stream: str, page: Mapping[str, Any]) -> bool:
        """Say whether there is no more for now, which the service says by the same token again."""
        return bool(page["nextForwardToken"] == self._tokens.get(stream))

    def _show_pages(self, pages: Mapping[str, Mapping[str, Any]]) -> None:
        """Show the pages' lines by time; the sort is stable, so each host keeps its order."""
        found = [
            (stream, event)
            for stream, page in pages.items()
            for event in page["events"][self._ahead[self._place(stream)] :]
        ]
        for stream, event in sorted(found, key=lambda one: one[1]["timestamp"]):
            self._ahead[self._place(stream)] += 1
            self._show(_line(stream, event["message"], name_host=self._name_hosts))

    def _place(self, stream: str) -> tuple[str, str | None]:
        return stream, self._tokens.get(stream)

    def _events(self, stream: str) -> Mapping[str, Any]:
        token = self._tokens.get(stream)
        where = {"logGroupName": self._group, "logStreamName": stream, "startFromHead": True}
        if token is not None:
            where["nextToken"] = token
        answer: Mapping[str, Any] = self._client.get_log_events(**where)
        return answer

    def _streams(self) -> list[str]:
        """Return the job's streams: none before its first line; more after each restart."""
        return _streams(self._client, self._group, self._prefix)


def last_lines(client: Any, *, group: str, job_name: str, count: int) -> list[str]:
    """Return the last lines of a job's streams, in the order of their times; each begins with the
    name of its host where there are several streams.
    """
    streams = _streams(client, group, f"{job_name}/")
    found = [
        (event["timestamp"], _line(stream, event["message"], name_host=len(streams) > 1))
        for stream in streams
        for event in client.get_log_events(
            logGroupName=group, logStreamName=stream, startFromHead=False, limit=count
        )["events"]
    ]
    return [line for _, line in sorted(found, key=lambda one: one[0])[-count:]]


def _streams(client: Any, group: str, prefix: str) -> list[str]:
    """Return the names of the streams of a job, whose names begin with ``prefix``."""
    try:
        return list(_named_streams(client, group, prefix))
    except client.exceptions.ResourceNotFoundException:
        return []


def _named_streams(client: Any, group: str, prefix: str) -> Iterator[str]:
    pages = client.get_paginator("describe_log_streams").paginate(
        logGroupName=group, logStreamNamePrefix=prefix
    )
    for page in pages:
        yield from (stream["logStreamName"] for stream in page["logStreams"])


def _line(stream: str, message: str, *, name_host: bool) -> str:
    line = message.rstrip("\n")
    if not name_host:
        return line
    host = _HOST.fullmatch(stream)
    return f"{host['host'] if host else stream} | {line}"
