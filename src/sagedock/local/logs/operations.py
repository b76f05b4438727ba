"""The CloudWatch Logs operations that clients follow a job with."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from sagedock.api import ServiceError, log_groups
from sagedock.local.caller import Caller
from sagedock.local.logs.patterns import matcher
from sagedock.local.logs.store import Event, LogStore, Stream
from sagedock.local.refusal import Refused

__all__ = ["GROUP_PREFIX", "OPERATIONS"]

#: The log groups that are ours; every other one is moto's.
GROUP_PREFIX = log_groups.PREFIX

#: Limits of one answer (source: API_GetLogEvents, API_FilterLogEvents, API_DescribeLogStreams).
_PAGE_BYTES = 1024 * 1024
_PAGE_EVENTS = 10_000
_DESCRIBED_PAGE = 50
_EVENT_OVERHEAD_BYTES = 26
_NUMBER = re.compile(r"[0-9]{1,15}")
_TOKEN = re.compile(r"(?P<direction>[fb])/0*(?P<position>[0-9]{1,15})/s")

Request = Mapping[str, Any]
Answer = dict[str, Any]
_Item = TypeVar("_Item")


def _describe_log_groups(store: LogStore, caller: Caller, request: Request) -> Answer:
    """Answer DescribeLogGroups, by name, in pages of 50 or fewer."""
    pattern = request.get("logGroupNamePattern", "")
    wanted = request.get("logGroupIdentifiers")
    groups = [
        (name, created)
        for name, created in store.groups(caller.region, request.get("logGroupNamePrefix", ""))
        if pattern in name and (wanted is None or name in map(_group_name, wanted))
    ]
    return _page(request, "logGroups", groups, lambda group: _described_group(caller, *group))


def _describe_log_streams(store: LogStore, caller: Caller, request: Request) -> Answer:
    """Answer DescribeLogStreams, by name or by last event, in pages of 50 or fewer."""
    group = _group(store, caller, request)
    streams = store.streams(caller.region, group, request.get("logStreamNamePrefix", ""))
    if request.get("orderBy") == "LastEventTime":
        streams.sort(key=lambda stream: store.time_span_ms(stream) or (0, 0, 0))
    if request.get("descending"):
        streams.reverse()
    return _page(request, "logStreams", streams, lambda stream: _described(store, caller, stream))


def _page(
    request: Request, member: str, found: Sequence[_Item], described: Callable[[_Item], Answer]
) -> Answer:
    """Return the page of ``found`` that is asked for, and where the next one begins."""
    start = _number(request.get("nextToken", "0"))
    end = start + min(request.get("limit", _DESCRIBED_PAGE), _DESCRIBED_PAGE)
    answer: Answer = {member: [described(item) for item in found[start:end]]}
    if end < len(found):
        answer["nextToken"] = str(end)
    return answer


def _get_log_events(store: LogStore, caller: Caller, request: Request) -> Answer:
    """Answer GetLogEvents. A drained stream answers the token it was asked with.

    Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html
    """
    group = _group(store, caller, request)
    stream = store.stream(caller.region, group, request["logStreamName"])
    if stream is None:
        raise _not_found("The specified log stream does not exist.")
    limit = min(request.get("limit", _PAGE_EVENTS), _PAGE_EVENTS)
    start, page = _asked_events(store, stream, request, limit)
    after = page[-1].number + 1 if page else start
    ends = request.get("endTime", math.inf)
    return {
        "events": [
            {"timestamp": e.time_ms, "message": e.message, "ingestionTime": e.ingested_ms}
            for e in page
            if request.get("startTime", 0) <= e.time_ms < ends
        ],
        "nextForwardToken": f"f/{after:056d}/s",
        "nextBackwardToken": f"b/{page[0].number if page else start:056d}/s",
    }


def _filter_log_events(store: LogStore, caller: Caller, request: Request) -> Answer:
    """Answer FilterLogEvents over the streams named, in order of time."""
    group = _group(store, caller, request)
    wanted = request.get("logStreamNames")
    streams = [
        stream
        for stream in store.streams(caller.region, group, request.get("logStreamNamePrefix", ""))
        if wanted is None or stream.name in wanted
    ]
    matches = matcher(request.get("filterPattern", ""))
    ends = request.get("endTime", math.inf)
    found = sorted(
        (event.time_ms, stream.name, event.number, event)
        for stream in streams
        for event in store.every_event(stream)
        if request.get("startTime", 0) <= event.time_ms <= ends and matches(event.message)
    )
    start = _number(request.get("nextToken", "0"))
    limit = min(request.get("limit", _PAGE_EVENTS), _PAGE_EVENTS)
    end = start + len(_that_fit([event for *_, event in found[start : start + limit]]))
    answer: Answer = {
        "events": [_filtered(name, event) for _, name, _, event in found[start:end]],
        "searchedLogStreams": [
            {"logStreamName": stream.name, "searchedCompletely": True} for stream in streams
        ],
    }
    if end < len(found):
        answer["nextToken"] = str(end)
    return answer


OPERATIONS: Mapping[str, Callable[[LogStore, Caller, Request], Answer]] = {
    "DescribeLogGroups": _describe_log_groups,
    "DescribeLogStreams": _describe_log_streams,
    "FilterLogEvents": _filter_log_events,
    "GetLogEvents": _get_log_events,
}


def _asked_events(
    store: LogStore, stream: Stream, request: Request, limit: int
) -> tuple[int, list[Event]]:
    """Return the position that is asked for, and the events behind it or, backwards, before it.

    Without a token that is the head or the tail.
    """
    token = request.get("nextToken")
    if token is None:
        forward = bool(request.get("startFromHead"))
        position = 0 if forward else store.count(stream)
    else:
        forward, position = _direction_and_position(token)
    if forward:
        return position, _that_fit(store.events(stream, position, limit))
    start = max(0, position - limit)
    before = store.events(stream, start, position - start)
    return position, _that_fit(before[::-1])[::-1]


def _that_fit(events: list[Event]) -> list[Event]:
    """Return the first of ``events``, as many as one answer may hold, and one at least."""
    size = 0
    for number, event in enumerate(events):
        size += len(event.message.encode()) + _EVENT_OVERHEAD_BYTES
        if size > _PAGE_BYTES and number:
            return events[:number]
    return events


def _direction_and_position(token: str) -> tuple[bool, int]:
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise _invalid_token()
    return found["direction"] == "f", int(found["position"])


def _group(store: LogStore, caller: Caller, request: Request) -> str:
    name = _group_name(request.get("logGroupName") or request["logGroupIdentifier"])
    if not any(group == name for group, _ in store.groups(caller.region, name)):
        raise _not_found("The specified log group does not exist.")
    return name


def _group_name(identifier: str) -> str:
    """Return the group's name: the identifier itself, or the end of an ARN."""
    return identifier.rpartition(":log-group:")[2].removesuffix(":*")


def _described_group(caller: Caller, name: str, created: float) -> Answer:
    return {
        "logGroupName": name,
        "creationTime": round(created * 1000),
        "metricFilterCount": 0,
        "arn": f"{_group_arn(caller, name)}:*",
        "storedBytes": 0,
    }


def _described(store: LogStore, caller: Caller, stream: Stream) -> Answer:
    span = store.time_span_ms(stream)
    times = (
        dict(
            zip(
                ("firstEventTimestamp", "lastEventTimestamp", "lastIngestionTime"),
                span,
                strict=True,
            )
        )
        if span
        else {}
    )
    return {
        "logStreamName": stream.name,
        "creationTime": round(stream.created * 1000),
        **times,
        "uploadSequenceToken": str(stream.id),
        "arn": f"{_group_arn(caller, stream.group)}:log-stream:{stream.name}",
        "storedBytes": 0,
    }


def _filtered(stream: str, event: Event) -> Answer:
    return {
        "logStreamName": stream,
        "timestamp": event.time_ms,
        "message": event.message,
        "ingestionTime": event.ingested_ms,
        "eventId": f"{event.time_ms:020d}{event.stream:016d}{event.number:020d}",
    }


def _group_arn(caller: Caller, group: str) -> str:
    return f"arn:aws:logs:{caller.region}:{caller.account}:log-group:{group}"


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise _invalid_token()
    return int(text)


def _invalid_token() -> Refused:
    return Refused(
        ServiceError(
            code="InvalidParameterException", message="The specified nextToken is invalid."
        )
    )


def _not_found(message: str) -> Refused:
    return Refused(ServiceError(code="ResourceNotFoundException", message=message))
