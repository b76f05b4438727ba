"""CloudWatch's operations on alarms that are ours: of our metrics, or with a policy as action.

Sources: API_PutMetricAlarm, API_DescribeAlarms, API_SetAlarmState. Unverified: the words of
refusals. Actions other than scaling policies (SNS topics, ...) are kept, and not carried out.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sagedock.api import ServiceError, scaling
from sagedock.local.autoscaling.alarm_documents import in_state, new_alarm
from sagedock.local.autoscaling.alarms import COMPARISONS
from sagedock.local.autoscaling.book import ALARM, Book
from sagedock.local.autoscaling.clock import Clock
from sagedock.local.caller import Caller
from sagedock.local.cloudwatch.operations import is_ours
from sagedock.local.metrics.statistics import statistic
from sagedock.local.refusal import Refused
from sagedock.local.resources import Resource

__all__ = ["AlarmOperations"]

Request = Mapping[str, Any]
Answer = dict[str, Any]

_POLICY_ARN = re.compile(
    rf"arn:[^:]*:autoscaling:.*:scalingPolicy:.*:resource/{scaling.NAMESPACE}/"
)
_NEEDED = (
    *("MetricName", "Namespace", "Period", "EvaluationPeriods", "Threshold", "ComparisonOperator"),
)
_MISSING = ("breaching", "notBreaching", "ignore", "missing")
_SHORT_PERIODS_S = (10, 20, 30)
_MINUTE_S, _DAY_S = 60, 86_400
_PAGE = 50
_TOKEN = re.compile(r"sagedock-(?P<start>[0-9]{1,12})")


@dataclass(frozen=True, kw_only=True)
class AlarmOperations:
    """The operations, and what tells our alarms from others. Requests arrive checked."""

    book: Book
    clock: Clock

    def table(self) -> Mapping[str, Any]:
        """Return each operation's name with what carries it out."""
        return {
            "DeleteAlarms": self.delete,
            "DescribeAlarms": self.describe,
            "DisableAlarmActions": self.disable,
            "EnableAlarmActions": self.enable,
            "PutMetricAlarm": self.put,
            "SetAlarmState": self.set_state,
        }

    def has(self, region: str, name: str) -> bool:
        """Say whether an alarm of that name is ours."""
        return self.book.alarm(region, name) is not None

    def has_any(self, region: str) -> bool:
        """Say whether any alarm of a region is ours."""
        return any(each.key.region == region for each in self.book.world().alarms)

    def takes(self, region: str, request: Request) -> bool:
        """Say whether an alarm that is put is ours: by its metric, its actions, or its name."""
        return (
            is_ours(request.get("Namespace"))
            or any(_POLICY_ARN.match(each) for each in request.get("AlarmActions", ()))
            or self.has(region, request["AlarmName"])
        )

    def watches(self, region: str, namespace: str) -> bool:
        """Say whether one of our alarms needs the metrics of a namespace that is not ours."""
        return any(
            each.key.region == region and each.document["Namespace"] == namespace
            for each in self.book.world().alarms
        )

    def put(self, caller: Caller, request: Request) -> Answer:
        """Make an alarm, or replace one; one that is replaced keeps its state."""
        if problem := _problem(request):
            raise Refused(ServiceError(code="ValidationError", message=problem))
        key, now_s = self.book.alarm_key(caller.region, request["AlarmName"]), self.clock.now_s()
        with self.book.changing():
            old = self.book.alarm(key.region, key.name)
            alarm = new_alarm(key, caller.account, request, now_s)
            self.book.store(alarm if old is None else _with_state_of(alarm, old))
        return {}

    def describe(self, caller: Caller, request: Request) -> Answer:
        """Answer a page of alarms."""
        found = [
            dict(each.document)
            for each in self.book.listed(ALARM, caller.region)
            if _is_wanted(each, request)
        ]
        begin = _begin(request.get("NextToken"))
        end = begin + request.get("MaxRecords", _PAGE)
        answer: Answer = {"MetricAlarms": found[begin:end], "CompositeAlarms": []}
        return answer | ({"NextToken": f"sagedock-{end}"} if end < len(found) else {})

    def delete(self, caller: Caller, request: Request) -> Answer:
        """Delete alarms; those that are not there are no error."""
        with self.book.changing():
            for name in request["AlarmNames"]:
                if alarm := self.book.alarm(caller.region, name):
                    self.book.delete(alarm)
        return {}

    def enable(self, caller: Caller, request: Request) -> Answer:
        """Let alarms act."""
        return self._let_act(caller, request, act=True)

    def disable(self, caller: Caller, request: Request) -> Answer:
        """Keep alarms from acting."""
        return self._let_act(caller, request, act=False)

    def set_state(self, caller: Caller, request: Request) -> Answer:
        """Put an alarm in a state until it is evaluated next; its actions are carried out."""
        now_s = self.clock.now_s()
        why = (request["StateValue"], request["StateReason"], now_s)
        data = {name: request[name] for name in ("StateReasonData",) if name in request}
        key = self.book.alarm_key(caller.region, request["AlarmName"])
        with self.book.changing():
            if self.book.change(key, lambda alarm: in_state(alarm, *why, **data)) is None:
                raise Refused(ServiceError(code="ResourceNotFound", message="", http_status=404))
        return {}

    def _let_act(self, caller: Caller, request: Request, *, act: bool) -> Answer:
        with self.book.changing():
            for name in request["AlarmNames"]:
                key = self.book.alarm_key(caller.region, name)
                self.book.change(key, lambda alarm: _acting(alarm, act=act))
        return {}


def _acting(alarm: Resource, *, act: bool) -> Resource:
    return replace(alarm, document={**alarm.document, "ActionsEnabled": act})


def _with_state_of(alarm: Resource, old: Resource) -> Resource:
    names = (*("StateValue", "StateReason", "StateUpdatedTimestamp", "StateTransitionedTimestamp"),)
    state = {name: old.document[name] for name in names}
    return replace(alarm, status=old.status, document={**alarm.document, **state})


def _problem(request: Request) -> str | None:
    """Return what is wrong with an alarm that the model allows."""
    if "Metrics" in request:
        return (
            "The local SageMaker computes no expressions over its own metrics: name one metric "
            "with MetricName, Namespace and Statistic"
        )
    if missing := [name for name in _NEEDED if name not in request]:
        return f"The parameters {', '.join(missing)} are required."
    statistics = [request[name] for name in ("Statistic", "ExtendedStatistic") if name in request]
    if len(statistics) != 1:
        return "Exactly one of Statistic and ExtendedStatistic must be specified."
    if statistic(statistics[0]) is None:
        return f"The statistic {statistics[0]} is not supported by the local SageMaker."
    if request["ComparisonOperator"] not in COMPARISONS:
        return "The local SageMaker detects no anomalies: use a static threshold."
    period_s, periods = request["Period"], request["EvaluationPeriods"]
    if period_s % _MINUTE_S and period_s not in _SHORT_PERIODS_S:
        return "Period must be 10, 20, 30, or a multiple of 60."
    if period_s * periods > _DAY_S:
        return "Metrics cannot be checked across more than a day (EvaluationPeriods * Period)."
    if request.get("DatapointsToAlarm", 1) > periods:
        return "DatapointsToAlarm must not exceed EvaluationPeriods."
    if request.get("TreatMissingData", "missing") not in _MISSING:
        return f"TreatMissingData must be one of {', '.join(_MISSING)}."
    return None


def _is_wanted(alarm: Resource, request: Request) -> bool:
    document, names = alarm.document, request.get("AlarmNames")
    prefix = request.get("ActionPrefix", "")
    kinds = request.get("AlarmTypes") or ["MetricAlarm"]
    return (
        (not names or alarm.key.name in names)
        and alarm.key.name.startswith(request.get("AlarmNamePrefix", ""))
        and request.get("StateValue", alarm.status) == alarm.status
        and (not prefix or any(each.startswith(prefix) for each in document["AlarmActions"]))
        and "MetricAlarm" in kinds
    )


def _begin(token: str | None) -> int:
    found = _TOKEN.fullmatch(token or "sagedock-0")
    if found is None:
        raise Refused(ServiceError(code="InvalidNextToken", message="Invalid NextToken."))
    return int(found["start"])
