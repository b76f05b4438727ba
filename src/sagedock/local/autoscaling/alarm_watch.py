"""Looks at every alarm when it is due, keeps its state, and tells which ones are in ALARM."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, cast

from sagedock.local.autoscaling.alarm_documents import in_state, reason
from sagedock.local.autoscaling.alarms import AlarmRule, State, evaluate, window
from sagedock.local.autoscaling.book import Book
from sagedock.local.autoscaling.clock import Clock
from sagedock.local.metrics import MetricStore
from sagedock.local.metrics.statistics import buckets, statistic
from sagedock.local.resources import Key, Resource

__all__ = ["AlarmWatch", "Fired"]

#: Alarms of less than a minute are evaluated every 10 seconds, all others every minute.
#: Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
_MINUTE_S, _OFTEN_S = 60, 10


@dataclass(frozen=True, kw_only=True)
class Fired:
    """An alarm that is in ALARM, and acts now: its document, its rule, what it looked at."""

    alarm: Resource
    rule: AlarmRule
    values: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """When an alarm was evaluated (the number of its interval), what came of it, and when its state
    was stored last.
    """

    interval: int
    state: State
    stored_s: float


class AlarmWatch:
    """Evaluates alarms on the metrics of the store. One thread uses it."""

    def __init__(self, book: Book, metrics: MetricStore, clock: Clock) -> None:
        self._book = book
        self._metrics = metrics
        self._clock = clock
        self._seen: dict[Key, _Seen] = {}

    def state(self, key: Key) -> State:
        """Return the state that an alarm was found in last."""
        seen = self._seen.get(key)
        return seen.state if seen else "INSUFFICIENT_DATA"

    def look(self, alarms: Iterable[Resource], now_s: float) -> list[Fired]:
        """Return the alarms that act now: those in ALARM, once in each interval, and at once those
        that somebody else has put there (SetAlarmState).
        """
        alarms = list(alarms)
        known = {each.key for each in alarms}
        self._seen = {key: seen for key, seen in self._seen.items() if key in known}
        looked = (self._looked_at(each, now_s) for each in alarms)
        return [each for each in looked if each and each.alarm.document["ActionsEnabled"]]

    def _looked_at(self, alarm: Resource, now_s: float) -> Fired | None:
        rule = AlarmRule.of(alarm.document)
        every_s = _MINUTE_S if rule.period_s >= _MINUTE_S else _OFTEN_S
        interval = math.floor(self._clock.scaled(now_s) / every_s)
        seen = self._seen.get(alarm.key)
        stored = self._book.alarm(alarm.key.region, alarm.key.name)
        if stored is None:
            return None
        is_set = seen is not None and seen.stored_s != _stored_s(stored)
        if seen is not None and seen.interval == interval and not is_set:
            return None
        datapoints = self._datapoints(stored, rule, now_s)
        if not is_set:  # what somebody set holds until the next evaluation
            stored = self._evaluated(stored, rule, datapoints, now_s)
        state = cast(State, stored.status)
        self._seen[alarm.key] = _Seen(interval=interval, state=state, stored_s=_stored_s(stored))
        if state != "ALARM":
            return None
        return Fired(alarm=stored, rule=rule, values=tuple(window(rule, datapoints)))

    def _evaluated(
        self, alarm: Resource, rule: AlarmRule, datapoints: list[float | None], now_s: float
    ) -> Resource:
        """Return the alarm in the state that its datapoints make of it."""
        state = evaluate(rule, datapoints, cast(State, alarm.status))
        if state == alarm.status:
            return alarm
        why = reason(rule, datapoints, now_s)
        return self._book.change(alarm.key, lambda one: in_state(one, state, why, now_s)) or alarm

    def _datapoints(self, alarm: Resource, rule: AlarmRule, now_s: float) -> list[float | None]:
        """Return the last complete periods' values, oldest first."""
        document, clock = alarm.document, self._clock
        compute = statistic(document.get("Statistic") or document["ExtendedStatistic"])
        if compute is None:
            raise ValueError(f"{alarm.key.name}: an unknown statistic")
        end = math.floor(clock.scaled(now_s) / rule.period_s)
        begin = end - rule.looked_at
        points = self._metrics.points(
            alarm.key.region,
            document["Namespace"],
            document["MetricName"],
            _dimensions(document),
            unit=document.get("Unit"),
            start_ms=math.floor(clock.real(begin * rule.period_s) * 1000),
            end_ms=math.ceil(clock.real(end * rule.period_s) * 1000),
        )
        scaled = [replace(each, time_ms=math.floor(clock.scaled(each.time_ms))) for each in points]
        found = {
            each.start_s // rule.period_s: float(compute(each.values))
            for each in buckets(scaled, rule.period_s)
        }
        return [found.get(number) for number in range(begin, end)]


def _stored_s(alarm: Resource) -> float:
    return float(alarm.document["StateUpdatedTimestamp"])


def _dimensions(document: Any) -> dict[str, str]:
    return {each["Name"]: each["Value"] for each in document["Dimensions"]}
