"""Every value that a job's log holds, where CloudWatch has means over a second or a minute."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sagedock.client.logs import TRAINING_LOGS
from sagedock.client.series import MetricSeries

__all__ = ["exact_series"]

#: A longer log is left alone: reading it takes a call for each page, and its means will do. One
#: line may have 256 KiB.
_MOST_LINES = 50_000
_MOST_CHARACTERS = 16 * 1024 * 1024
_LINES_AT_ONCE = 2_000

#: A line's time (epoch milliseconds), and the line.
Line = tuple[int, str]


def exact_series(
    logs: Any, description: Mapping[str, Any], series: Sequence[MetricSeries]
) -> tuple[MetricSeries, ...]:
    """Return ``series`` with each value in the place of the means that metric definitions have.

    ``logs`` is boto3's client for CloudWatch Logs. They stay as they are where the log is gone or
    long, and where an expression is one of Java's that Python does not take.
    """
    defined = description["AlgorithmSpecification"].get("MetricDefinitions", ())
    expressions = {each["Name"]: each["Regex"] for each in defined}
    lines = _lines(logs, f"{description['TrainingJobName']}/") if expressions else None
    if not lines:
        return tuple(series)
    found = _found(expressions, sorted(lines, key=lambda line: line[0]))
    return tuple(each if each.host else found.get(each.name, each) for each in series)


def _found(expressions: Mapping[str, str], lines: Sequence[Line]) -> dict[str, MetricSeries]:
    """Apply the expressions in a process of their own, as the local SageMaker does."""
    from sagedock.local import Matcher, MatcherBroke

    points: dict[str, list[tuple[datetime, float]]] = {}
    try:
        with Matcher(tuple(expressions.values())) as matcher:
            for first in range(0, len(lines), _LINES_AT_ONCE):
                some = lines[first : first + _LINES_AT_ONCE]
                values = matcher.find([text for _, text in some]).values
                for name, found in zip(expressions, values, strict=True):
                    points.setdefault(name, []).extend(
                        (datetime.fromtimestamp(some[line][0] / 1000, UTC), value)
                        for line, value in found
                    )
    except MatcherBroke:
        return {}
    return {name: _series(name, found) for name, found in points.items() if found}


def _series(name: str, points: Sequence[tuple[datetime, float]]) -> MetricSeries:
    times, values = zip(*points, strict=True)
    return MetricSeries(name=name, host=None, times=times, values=values)


def _lines(logs: Any, prefix: str) -> list[Line] | None:
    """Return every line of a job's streams, or None for a log that is gone, or too long."""
    lines: list[Line] = []
    size = 0
    try:
        for line in _each_line(logs, prefix):
            lines.append(line)
            size += len(line[1])
            if len(lines) > _MOST_LINES or size > _MOST_CHARACTERS:
                return None
    except logs.exceptions.ResourceNotFoundException:
        return None
    return lines


def _each_line(logs: Any, prefix: str) -> Iterator[Line]:
    pages = logs.get_paginator("describe_log_streams").paginate(
        logGroupName=TRAINING_LOGS, logStreamNamePrefix=prefix
    )
    for page in pages:
        for stream in page["logStreams"]:
            yield from _lines_of(logs, stream["logStreamName"])


def _lines_of(logs: Any, stream: str) -> Iterator[Line]:
    where = {"logGroupName": TRAINING_LOGS, "logStreamName": stream, "startFromHead": True}
    token = None
    while True:
        page = logs.get_log_events(**where, **({"nextToken": token} if token else {}))
        for event in page["events"]:
            yield event["timestamp"], event["message"]
        if page["nextForwardToken"] == token:
            return
        token = page["nextForwardToken"]
