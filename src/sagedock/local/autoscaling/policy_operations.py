"""Scaling policies and scheduled actions: put, delete, describe."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sagedock.api import ServiceError, scaling, scaling_messages
from sagedock.local.autoscaling import schedules
from sagedock.local.autoscaling.alarm_documents import (
    new_alarm,
    policy_of_action,
    tracking_alarms,
)
from sagedock.local.autoscaling.book import ACTION, ALARM, POLICY, Book, owner
from sagedock.local.autoscaling.clock import Clock
from sagedock.local.autoscaling.fleets import ScalableResource
from sagedock.local.autoscaling.operations import refuse_too_many, resource_of
from sagedock.local.autoscaling.pages import page
from sagedock.local.caller import Caller
from sagedock.local.metrics.statistics import statistic
from sagedock.local.refusal import Refused
from sagedock.local.resources import Resource

__all__ = ["PolicyOperations"]

Request = Mapping[str, Any]
Answer = dict[str, Any]

_CONFIGURATIONS = {
    "StepScaling": "StepScalingPolicyConfiguration",
    "TargetTrackingScaling": "TargetTrackingScalingPolicyConfiguration",
}
_TRACKING = _CONFIGURATIONS["TargetTrackingScaling"]
_SPECIFICATIONS = ("PredefinedMetricSpecification", "CustomizedMetricSpecification")


@dataclass(frozen=True, kw_only=True)
class PolicyOperations:
    """The operations on what belongs to targets. Requests arrive checked, about SageMaker."""

    book: Book
    clock: Clock

    def table(self) -> Mapping[str, Any]:
        """Return each operation's name with what carries it out."""
        return {
            "DeleteScalingPolicy": self.delete_policy,
            "DeleteScheduledAction": self.delete_action,
            "DescribeScalingPolicies": self.policies,
            "DescribeScheduledActions": self.actions,
            "GetPredictiveScalingForecast": self.forecast,
            "PutScalingPolicy": self.put_policy,
            "PutScheduledAction": self.put_action,
        }

    def put_policy(self, caller: Caller, request: Request) -> Answer:
        """Make a policy, or replace it; target tracking gets new alarms each time."""
        resource, name = resource_of(caller, request), request["PolicyName"]
        with self.book.changing():
            target = self._registered(resource)
            old = self.book.get(POLICY, resource, name)
            if old is None:
                self._refuse_more(POLICY, resource, scaling.MOST_POLICIES, "scaling policies")
            kind, configuration = _policy_type(request, old)
            made_s = old.created if old else round(self.clock.now_s(), 3)
            arn = _arn("scalingPolicy", caller, target, f"policyName/{name}")
            document: Answer = {
                "PolicyARN": arn,
                "PolicyName": name,
                **_names(resource),
                "PolicyType": kind,
                _CONFIGURATIONS[kind]: configuration,
                "Alarms": [],
                "CreationTime": made_s,
            }
            if kind == "TargetTrackingScaling":
                self._refuse_metric(resource, name, configuration)
            if old is not None:
                self.book.delete(old)
            if kind == "TargetTrackingScaling":
                document["Alarms"] = self._alarms(caller, resource, configuration, arn)
            self.book.put(POLICY, resource, name, _made(target, made_s, made_s, document))
        return {"PolicyARN": arn, "Alarms": document["Alarms"]}

    def delete_policy(self, caller: Caller, request: Request) -> Answer:
        """Delete a policy; the alarms of target tracking go with it."""
        return self._delete(
            POLICY, caller, request, request["PolicyName"], scaling_messages.policy_not_found
        )

    def policies(self, caller: Caller, request: Request) -> Answer:
        """Answer a page of policies."""
        found = self._described(POLICY, caller, request, "PolicyNames", "PolicyName")
        policies, token = page(found, request, scaling.PAGE_OF_POLICIES)
        return {"ScalingPolicies": [self._with_alarms(each) for each in policies], **token}

    def put_action(self, caller: Caller, request: Request) -> Answer:
        """Make a scheduled action, or change it; without new times it has none any more."""
        resource, name = resource_of(caller, request), request["ScheduledActionName"]
        with self.book.changing():
            target = self._registered(resource)
            old = self.book.get(ACTION, resource, name)
            if old is None:
                self._refuse_more(ACTION, resource, scaling.MOST_ACTIONS, "scheduled actions")
            before = old.document if old else {}
            members = ("Schedule", "Timezone", "ScalableTargetAction")
            kept = {each: before[each] for each in members if each in before}
            given = {each: request[each] for each in members if each in request}
            times = {
                each: request[each].timestamp()
                for each in ("StartTime", "EndTime")
                if each in request
            }
            now_s = round(self.clock.now_s(), 3)
            document = {
                "ScheduledActionName": name,
                "ScheduledActionARN": _arn(
                    "scheduledAction", caller, target, f"scheduledActionName/{name}"
                ),
                **_names(resource),
                **kept,
                **given,
                **times,
                "CreationTime": before.get("CreationTime", now_s),
            }
            _refuse_schedule(document)
            refuse_too_many(document["ScalableTargetAction"])
            made = _made(target, document["CreationTime"], now_s, document)
            self.book.put(ACTION, resource, name, made)
        return {}

    def delete_action(self, caller: Caller, request: Request) -> Answer:
        """Delete a scheduled action."""
        name = request["ScheduledActionName"]
        return self._delete(ACTION, caller, request, name, scaling_messages.action_not_found)

    def actions(self, caller: Caller, request: Request) -> Answer:
        """Answer a page of scheduled actions."""
        name = "ScheduledActionName"
        found = self._described(ACTION, caller, request, "ScheduledActionNames", name)
        actions, token = page(found, request, scaling.PAGE_SIZE)
        return {"ScheduledActions": [dict(each.document) for each in actions], **token}

    def forecast(self, caller: Caller, request: Request) -> Answer:
        """Refuse: only ECS is scaled by forecasts."""
        resource_of(caller, request)
        raise Refused(scaling_messages.predictive_elsewhere())

    def _delete(
        self,
        kind: str,
        caller: Caller,
        request: Request,
        name: str,
        absent: Callable[[str, str, str], ServiceError],
    ) -> Answer:
        resource = resource_of(caller, request)
        with self.book.changing():
            found = self.book.get(kind, resource, name)
            if found is None:
                raise Refused(absent(resource.resource_id, resource.dimension, name))
            self.book.delete(found)
        return {}

    def _described(
        self, kind: str, caller: Caller, request: Request, names: str, name: str
    ) -> list[Resource]:
        wanted, only = request.get("ResourceId"), request.get(names)
        dimension = request.get("ScalableDimension")
        return [
            each
            for each in self.book.listed(kind, caller.region)
            if wanted in (None, each.document["ResourceId"])
            and dimension in (None, each.document["ScalableDimension"])
            and (not only or each.document[name] in only)
        ]

    def _with_alarms(self, policy: Resource) -> Answer:
        """Return a policy with the alarms whose action it is: of step scaling, others put them."""
        document = dict(policy.document)
        if document["PolicyType"] == "StepScaling":
            document["Alarms"] = [
                {"AlarmName": each.key.name, "AlarmARN": each.document["AlarmArn"]}
                for each in self.book.listed(ALARM, policy.key.region)
                if document["PolicyARN"] in map(policy_of_action, each.document["AlarmActions"])
            ]
        return document

    def _alarms(
        self, caller: Caller, resource: ScalableResource, configuration: Request, arn: str
    ) -> list[dict[str, str]]:
        named = []
        for request in tracking_alarms(resource, configuration, arn):
            key = self.book.alarm_key(caller.region, request["AlarmName"])
            alarm = new_alarm(key, caller.account, request, self.clock.now_s())
            self.book.store(alarm)
            named.append({"AlarmName": key.name, "AlarmARN": alarm.document["AlarmArn"]})
        return named

    def _registered(self, resource: ScalableResource) -> Resource:
        target = self.book.target(resource)
        if target is None:
            named = (resource.resource_id, resource.dimension)
            raise Refused(scaling_messages.target_not_registered(*named))
        return target

    def _refuse_more(self, kind: str, resource: ScalableResource, most: int, what: str) -> None:
        if len(self.book.of(kind, resource)) >= most:
            raise Refused(scaling_messages.too_many(f"{what} of a scalable target", str(most)))

    def _refuse_metric(self, resource: ScalableResource, name: str, configuration: Request) -> None:
        """Refuse a metric that another policy tracks, or that cannot be computed here."""
        if refusal := _unsupported_metric(configuration):
            raise Refused(refusal)
        for each in self.book.of(POLICY, resource):
            other = each.document.get(_TRACKING, {}) if each.document["PolicyName"] != name else {}
            if other and _specification(other) == _specification(configuration):
                raise Refused(scaling_messages.same_metric_twice())


def _policy_type(request: Request, old: Resource | None) -> tuple[str, Request]:
    """Return the type of a policy and its configuration: those given, else those it had."""
    if request.get("PolicyType") == "PredictiveScaling":
        raise Refused(scaling_messages.predictive_elsewhere())
    if "PredictiveScalingPolicyConfiguration" in request:
        raise Refused(scaling_messages.predictive_elsewhere())
    for kind, member in _CONFIGURATIONS.items():
        if member in request and (old is not None or "PolicyType" in request):
            return kind, request[member]
    if old is None or request.get("PolicyType", old.document["PolicyType"]) not in (
        old.document["PolicyType"],
    ):
        raise Refused(scaling_messages.type_missing())
    kind = old.document["PolicyType"]
    return kind, old.document[_CONFIGURATIONS[kind]]


def _specification(configuration: Request) -> Any:
    return next(configuration[name] for name in _SPECIFICATIONS if name in configuration)


def _unsupported_metric(configuration: Request) -> ServiceError | None:
    """Return the refusal of metric math, and of statistics that are not computed here."""
    custom = configuration.get("CustomizedMetricSpecification", {})
    queries = custom.get("Metrics")
    if queries is None:
        return None
    if len(queries) != 1 or "MetricStat" not in queries[0]:
        text = "CustomizedMetricSpecification.Metrics with expressions: name one MetricStat"
        return scaling_messages.not_carried_out(text)
    stat = queries[0]["MetricStat"]
    if statistic(stat["Stat"]) is None:
        return scaling_messages.not_carried_out(f"the statistic {stat['Stat']}")
    if not {"Namespace", "MetricName"} <= set(stat["Metric"]):
        return scaling_messages.not_carried_out("a metric without Namespace and MetricName")
    return None


def _refuse_schedule(document: Request) -> None:
    if "Schedule" not in document or "ScalableTargetAction" not in document:
        raise Refused(scaling_messages.schedule_missing())
    try:
        schedules.read(document["Schedule"], document.get("Timezone"))
    except ValueError as error:
        raise Refused(scaling_messages.invalid_schedule(str(error))) from error


def _names(resource: ScalableResource) -> dict[str, str]:
    return {
        "ServiceNamespace": scaling.NAMESPACE,
        "ResourceId": resource.resource_id,
        "ScalableDimension": resource.dimension,
    }


def _arn(kind: str, caller: Caller, target: Resource, end: str) -> str:
    """Return the ARN of what belongs to a target. Source: DescribeScalingPolicies of an endpoint,
    published; DescribeScheduledActions in the guide.
    """
    resource = owner(target).resource_id
    return (
        f"arn:aws:autoscaling:{caller.region}:{caller.account}:{kind}:{target.request['id']}:"
        f"resource/{scaling.NAMESPACE}/{resource}:{end}"
    )


def _made(target: Resource, created: float, modified: float, document: Request) -> Resource:
    return Resource(
        key=target.key,  # replaced by its own when it is put
        created=created,
        modified=modified,
        status="",
        document=document,
        request={},
    )
