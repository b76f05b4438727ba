"""When scheduled actions run: at, rate and cron expressions, as pure functions.

Source: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScheduledAction.html
"""

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sagedock.local.autoscaling.cron import Cron

__all__ = ["Schedule", "Span", "next_run", "read"]

_FORM = re.compile(r"(?P<kind>at|rate|cron)\((?P<text>.*)\)", re.DOTALL)
_AT = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})T(\d{1,2}):(\d{1,2}):(\d{1,2})")
_RATE = re.compile(r"(?P<value>[1-9][0-9]{0,8}) +(?P<unit>minute|hour|day)s?")
_UNITS_S = {"minute": 60, "hour": 3600, "day": 86_400}


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """One of the three: a moment (epoch seconds), an interval (seconds), or an expression."""

    at_s: float | None = None
    every_s: int | None = None
    cron: Cron | None = None
    zone: tzinfo = UTC


@dataclass(frozen=True, kw_only=True)
class Span:
    """When an action was made, and when it is to begin and to end, in epoch seconds."""

    made_s: float
    start_s: float | None = None
    end_s: float | None = None


def read(expression: str, timezone: str | None = None) -> Schedule:
    """Read the expression of a scheduled action. Raises ValueError, which says what is wrong.

    That the zone means nothing to ``rate`` is the service's own rule.
    """
    form = _FORM.fullmatch(expression.strip())
    if form is None:
        raise ValueError(
            f"{expression!r} is no schedule: use at(yyyy-mm-ddThh:mm:ss), rate(5 minutes) or "
            "cron(0 10 * * ? *)"
        )
    zone, text = _zone(timezone), form["text"].strip()
    match form["kind"]:
        case "at":
            return Schedule(at_s=_moment(text, zone), zone=zone)
        case "rate":
            return Schedule(every_s=_interval(text))
        case _:
            return Schedule(cron=Cron.read(text), zone=zone)


def next_run(schedule: Schedule, span: Span, after_s: float, *, scale: float = 1.0) -> float | None:
    """Return when an action runs next after ``after_s``, in epoch seconds, or None for never.

    A recurring one runs at its start, then as it says, until its end. ``scale`` makes an interval
    pass that much faster; moments and cron expressions are those of the clock on the wall. That an
    interval is counted from the creation, where there is no start, is unverified.
    """
    found = _next(schedule, span, after_s, scale)
    return None if found is None or (span.end_s is not None and found > span.end_s) else found


def _next(schedule: Schedule, span: Span, after_s: float, scale: float) -> float | None:
    if schedule.at_s is not None:
        return schedule.at_s if schedule.at_s > after_s else None
    if span.start_s is not None and span.start_s > after_s:
        return span.start_s
    if schedule.every_s is not None:
        anchor_s = span.made_s if span.start_s is None else span.start_s
        every_s = schedule.every_s / scale
        count = max(1, math.floor((after_s - anchor_s) / every_s) + 1)
        return anchor_s + count * every_s
    if schedule.cron is None:
        raise ValueError("a schedule without an expression")
    found = schedule.cron.after(datetime.fromtimestamp(after_s, UTC), schedule.zone)
    return None if found is None else found.timestamp()


def _zone(name: str | None) -> tzinfo:
    if name is None:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone: use a name such as Europe/Paris") from error


def _moment(text: str, zone: tzinfo) -> float:
    parts = _AT.fullmatch(text)
    if parts is None:
        raise ValueError(f"at({text}) is no moment: use at(yyyy-mm-ddThh:mm:ss)")
    year, month, day, hour, minute, second = map(int, parts.groups())
    return datetime(year, month, day, hour, minute, second, tzinfo=zone).timestamp()


def _interval(text: str) -> int:
    rate = _RATE.fullmatch(text)
    if rate is None:
        raise ValueError(f"rate({text}) is no interval: use minutes, hours or days")
    return int(rate["value"]) * _UNITS_S[rate["unit"]]
