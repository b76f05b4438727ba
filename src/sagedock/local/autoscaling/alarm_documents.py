"""Alarms as documents: those that target tracking makes, and what PutMetricAlarm makes.

Sources: alarms of target tracking that Terraformer wrote down for ECS; their names for endpoints
are in the fidelity corpus (metrics). Unverified: the words of StateReason.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sagedock.api import metrics, scaling
from sagedock.local.autoscaling.alarms import AlarmRule, State, window
from sagedock.local.autoscaling.fleets import ScalableResource
from sagedock.local.resources import Key, Resource

__all__ = ["in_state", "new_alarm", "policy_of_action", "reason", "tracking_alarms"]

_COMPARED = {
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "GreaterThanThreshold": "greater than",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}
_MINUTE_S = 60


def tracking_alarms(
    resource: ScalableResource, configuration: Mapping[str, Any], policy_arn: str
) -> list[dict[str, Any]]:
    """Return the alarms of a target tracking policy as PutMetricAlarm would have them: one to scale
    out, and, unless that is disabled (unverified), one to scale in.
    """
    metric, period_s = _metric(resource, configuration)
    target = configuration["TargetValue"]
    action = f"{policy_arn}:createdBy/{uuid.uuid4()}"
    common = {
        "AlarmDescription": f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {action}.",
        "ActionsEnabled": True,
        "AlarmActions": [action],
        "TreatMissingData": "missing",
        **metric,
    }
    high = {
        "AlarmName": _name(resource, "AlarmHigh"),
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": target,
        "EvaluationPeriods": scaling.HIGH_PERIODS,
        "Period": period_s,
    }
    low = {
        "AlarmName": _name(resource, "AlarmLow"),
        "ComparisonOperator": "LessThanThreshold",
        "Threshold": target * scaling.LOW_SHARE,
        "EvaluationPeriods": scaling.LOW_PERIODS,
        "Period": _MINUTE_S,
    }
    wanted = [high] if configuration.get("DisableScaleIn") else [high, low]
    return [{**common, **each} for each in wanted]


def _metric(
    resource: ScalableResource, configuration: Mapping[str, Any]
) -> tuple[dict[str, Any], int]:
    """Return the metric that a policy tracks, as an alarm names it, and the period to scale out."""
    if predefined := configuration.get("PredefinedMetricSpecification"):
        row = scaling.PREDEFINED[predefined["PredefinedMetricType"]]
        dimensions = resource.metric_dimensions.items()
        return {
            "Namespace": metrics.ENDPOINTS,
            "MetricName": row.name,
            "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions],
            "Statistic": row.statistic,
        }, row.period_s
    custom = configuration["CustomizedMetricSpecification"]
    if queries := custom.get("Metrics"):
        stat = queries[0]["MetricStat"]
        custom = {**stat["Metric"], "Statistic": stat["Stat"], "Unit": stat.get("Unit")}
    metric = {
        "Namespace": custom["Namespace"],
        "MetricName": custom["MetricName"],
        "Dimensions": [dict(each) for each in custom.get("Dimensions") or ()],
        _statistic_member(custom["Statistic"]): custom["Statistic"],
    }
    if custom.get("Unit"):
        metric["Unit"] = custom["Unit"]
    return metric, _MINUTE_S


def _statistic_member(statistic: str) -> str:
    return "ExtendedStatistic" if statistic.startswith("p") else "Statistic"


def _name(resource: ScalableResource, kind: str) -> str:
    return f"TargetTracking-{resource.resource_id}-{kind}-{uuid.uuid4()}"


def new_alarm(key: Key, account: str, request: Mapping[str, Any], now_s: float) -> Resource:
    """Return an alarm that was put just now: it knows nothing yet."""
    moment = round(now_s, 3)
    document = {
        "ActionsEnabled": True,
        "OKActions": [],
        "AlarmActions": [],
        "InsufficientDataActions": [],
        "Dimensions": [],
        **{name: value for name, value in request.items() if name != "Tags"},
        "AlarmArn": f"arn:aws:cloudwatch:{key.region}:{account}:alarm:{key.name}",
        "AlarmConfigurationUpdatedTimestamp": moment,
        "StateValue": "INSUFFICIENT_DATA",
        "StateReason": "Unchecked: Initial alarm creation",
        "StateUpdatedTimestamp": moment,
        "StateTransitionedTimestamp": moment,
    }
    return Resource(
        key=key,
        created=moment,
        modified=moment,
        status="INSUFFICIENT_DATA",
        document=document,
        request={},
    )


def in_state(alarm: Resource, state: State, why: str, now_s: float, **more: Any) -> Resource:
    """Return an alarm that goes into a state, or stays in it for another reason."""
    moment = round(now_s, 3)
    document = {
        **alarm.document,
        "StateValue": state,
        "StateReason": why,
        "StateUpdatedTimestamp": moment,
        **more,
    }
    if alarm.status != state:
        document["StateTransitionedTimestamp"] = moment
    return replace(alarm, status=state, modified=moment, document=document)


def reason(rule: AlarmRule, datapoints: Sequence[float | None], end_s: float) -> str:
    """Return why an alarm is as it is: its last datapoints, until ``end_s`` (epoch seconds)."""
    found = window(rule, datapoints)
    if not found:
        return f"Insufficient Data: {rule.periods} datapoints were unknown."
    beyond = sum(map(rule.breaches, found))
    moment = datetime.fromtimestamp(end_s, UTC).strftime("%d/%m/%y %H:%M:%S")
    verb = "was" if len(found) == 1 else "were"
    text = ", ".join(map(str, found[::-1]))
    negated = "" if beyond >= rule.needed else "not "
    return (
        f"Threshold Crossed: {len(found)} datapoints [{text}] until {moment} {verb} {negated}"
        f"{_COMPARED[rule.comparison]} the threshold ({rule.threshold})."
    )


def policy_of_action(arn: str) -> str:
    """Return the ARN of the policy that an alarm's action names."""
    return arn.partition(":createdBy/")[0]
