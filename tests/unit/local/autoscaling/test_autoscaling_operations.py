"""The service over boto3: targets and policies."""

import re
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import pytest

from tests.conftest import ACCOUNT, REGION
from tests.unit.local.autoscaling.conftest import Scaled
from tests.unit.local.autoscaling.scaling_calls import (
    NAMED,
    NAMESPACE,
    STEP,
    UUID,
    refused,
)
from tests.unit.local.autoscaling.scaling_world import (
    DIMENSION,
    RESOURCE,
    TARGET,
    alarm,
    stepping,
    tracking,
)


def test_a_target_is_described_as_it_was_registered(scaled: Scaled) -> None:
    arn = scaled.register(Tags={"team": "a"})["ScalableTargetARN"]
    prefix = f"arn:aws:application-autoscaling:{REGION}:{ACCOUNT}:scalable-target/"
    assert re.fullmatch(re.escape(prefix) + "[0-9a-f]{32}", arn)
    (target,) = scaled.autoscaling.describe_scalable_targets(**NAMESPACE)["ScalableTargets"]
    created = target.pop("CreationTime")
    assert abs((datetime.now(UTC) - created).total_seconds()) < 60
    assert target == {
        **TARGET,
        "MinCapacity": 1,
        "MaxCapacity": 5,
        "RoleARN": f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/"
        "sagemaker.application-autoscaling.amazonaws.com/"
        "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
        "SuspendedState": {
            "DynamicScalingInSuspended": False,
            "DynamicScalingOutSuspended": False,
            "ScheduledScalingSuspended": False,
        },
        "ScalableTargetARN": arn,
    }
    assert scaled.autoscaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"team": "a"}


def test_an_update_changes_what_it_names(scaled: Scaled) -> None:
    first = scaled.register()
    suspended = {"DynamicScalingInSuspended": True}
    again = scaled.autoscaling.register_scalable_target(
        **TARGET, MaxCapacity=9, SuspendedState=suspended
    )
    assert again["ScalableTargetARN"] == first["ScalableTargetARN"]
    (target,) = scaled.autoscaling.describe_scalable_targets(**NAMESPACE)["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 9)
    assert target["SuspendedState"] == {
        "DynamicScalingInSuspended": True,
        "DynamicScalingOutSuspended": False,
        "ScheduledScalingSuspended": False,
    }


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"ResourceId": "endpoint/churn"}, "Unsupported service namespace, resource type or"),
        ({"ResourceId": "inference-component/a"}, "Unsupported service namespace, resource type"),
        ({"ScalableDimension": "ecs:service:DesiredCount"}, "Unsupported service namespace"),
        (
            {"ScalableDimension": "sagemaker:variant:DesiredProvisionedConcurrency"},
            "The local SageMaker cannot carry out: the scalable dimension",
        ),
        ({"MinCapacity": 6}, "Maximum capacity cannot be less than minimum capacity"),
        (
            {"MaxCapacity": 101},
            "The local SageMaker cannot carry out: MaxCapacity 101 (at most 100). Ask for fewer",
        ),
        ({"MinCapacity": -1}, "Minimum and maximum capacity must be 0 or more"),
        (
            {"ScalableDimension": "none"},
            "1 validation error detected: Value 'none' at 'scalableDimension' failed to satisfy",
        ),
    ],
)
def test_a_wrong_target_is_refused_and_leaves_nothing(
    scaled: Scaled, changes: dict[str, Any], says: str
) -> None:
    code, message = refused(scaled.register, **changes)
    assert (code, message[: len(says)]) == ("ValidationException", says)
    assert scaled.autoscaling.describe_scalable_targets(**NAMESPACE)["ScalableTargets"] == []


def test_a_first_registration_needs_both_bounds_and_a_resource(scaled: Scaled) -> None:
    register = scaled.autoscaling.register_scalable_target
    code, message = refused(register, **TARGET, MinCapacity=1)
    assert code == "ValidationException"
    assert "are required" in message
    scaled.fleets.exists = False
    code, message = refused(scaled.register)
    assert (code, message) == (
        "ValidationException",
        f"SageMaker resource doesn't exist: {RESOURCE}",
    )


def test_an_update_may_not_turn_the_bounds_round(scaled: Scaled) -> None:
    scaled.register()
    _code, message = refused(scaled.autoscaling.register_scalable_target, **TARGET, MinCapacity=6)
    assert message == "Maximum capacity cannot be less than minimum capacity"


def test_deregistering_takes_everything_along(scaled: Scaled) -> None:
    client = scaled.autoscaling
    arn = scaled.register(Tags={"a": "b"})["ScalableTargetARN"]
    client.put_scaling_policy(**tracking())
    client.put_scheduled_action(
        **TARGET,
        ScheduledActionName="night",
        Schedule="cron(0 22 * * ? *)",
        ScalableTargetAction={"MaxCapacity": 2},
    )
    client.deregister_scalable_target(**TARGET)
    assert client.describe_scaling_policies(**NAMESPACE)["ScalingPolicies"] == []
    assert client.describe_scheduled_actions(**NAMESPACE)["ScheduledActions"] == []
    assert scaled.cloudwatch.describe_alarms()["MetricAlarms"] == []
    assert refused(client.deregister_scalable_target, **TARGET) == (
        "ObjectNotFoundException",
        f"No scalable target found for {NAMED}",
    )
    code, _ = refused(client.list_tags_for_resource, ResourceARN=arn)
    assert code == "ResourceNotFoundException"


def test_a_policy_is_described_with_its_alarms(scaled: Scaled) -> None:
    scaled.register()
    put = scaled.autoscaling.put_scaling_policy(**tracking(ScaleInCooldown=600))
    (policy,) = scaled.autoscaling.describe_scaling_policies(**NAMESPACE)["ScalingPolicies"]
    assert re.fullmatch(
        f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:scalingPolicy:{UUID}:resource/sagemaker/"
        f"{RESOURCE}:policyName/track",
        put["PolicyARN"],
    )
    high, low = put["Alarms"]
    assert re.fullmatch(f"TargetTracking-{RESOURCE}-AlarmHigh-{UUID}", high["AlarmName"])
    assert re.fullmatch(f"TargetTracking-{RESOURCE}-AlarmLow-{UUID}", low["AlarmName"])
    assert high["AlarmARN"] == f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{high['AlarmName']}"
    policy.pop("CreationTime")
    assert policy == {
        **tracking(ScaleInCooldown=600),
        "PolicyARN": put["PolicyARN"],
        "Alarms": put["Alarms"],
    }


def test_the_alarms_of_target_tracking_are_the_services(scaled: Scaled) -> None:
    scaled.register()
    put = scaled.autoscaling.put_scaling_policy(**tracking(70.0))
    high, low = scaled.cloudwatch.describe_alarms(
        AlarmNames=[each["AlarmName"] for each in put["Alarms"]]
    )["MetricAlarms"]
    (action,) = high["AlarmActions"]
    assert re.fullmatch(f"{re.escape(put['PolicyARN'])}:createdBy/{UUID}", action)
    assert high["AlarmDescription"] == (
        f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {action}."
    )
    expected = {
        "ActionsEnabled": True,
        "StateValue": "INSUFFICIENT_DATA",
        "MetricName": "InvocationsPerInstance",
        "Namespace": "AWS/SageMaker",
        "Statistic": "Sum",
        "Dimensions": [
            {"Name": "EndpointName", "Value": "churn"},
            {"Name": "VariantName", "Value": "AllTraffic"},
        ],
        "Period": 60,
        "TreatMissingData": "missing",
    }
    assert (
        high.items()
        >= {
            **expected,
            "EvaluationPeriods": 3,
            "Threshold": 70.0,
            "ComparisonOperator": "GreaterThanThreshold",
        }.items()
    )
    assert (
        low.items()
        >= {
            **expected,
            "EvaluationPeriods": 15,
            "Threshold": 63.0,
            "ComparisonOperator": "LessThanThreshold",
        }.items()
    )


def test_a_policy_that_is_put_again_has_new_alarms_and_its_old_arn(scaled: Scaled) -> None:
    scaled.register()
    first = scaled.autoscaling.put_scaling_policy(**tracking())
    again = scaled.autoscaling.put_scaling_policy(**tracking(50.0))
    assert again["PolicyARN"] == first["PolicyARN"]
    names = {each["AlarmName"] for each in again["Alarms"]}
    assert not names & {each["AlarmName"] for each in first["Alarms"]}
    listed = scaled.cloudwatch.describe_alarms()["MetricAlarms"]
    assert {each["AlarmName"] for each in listed} == names


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (
            stepping({**STEP, "MetricIntervalUpperBound": 2.0}),
            "There must be a StepAdjustment with an unspecified upper bound (i.e., upper bound is "
            "null) when one StepAdjustment has a positive upper bound",
        ),
        (
            stepping({"ScalingAdjustment": 1}),
            "Both lower and upper bounds of a step adjustment cannot be left unspecified",
        ),
        (
            stepping(
                {**STEP, "MetricIntervalUpperBound": 2.0},
                {**STEP, "MetricIntervalLowerBound": 3.0},
            ),
            "StepAdjustment intervals can't have gaps between them",
        ),
        (
            stepping(
                {**STEP, "MetricIntervalUpperBound": 4.0},
                {**STEP, "MetricIntervalLowerBound": 3.0},
            ),
            "StepAdjustment intervals can't overlap",
        ),
        (
            stepping(*({**STEP, "MetricIntervalLowerBound": float(n)} for n in range(21))),
            "There can be at most 20 step adjustments per scaling policy",
        ),
        (stepping(), "At least one StepAdjustment is required"),
        (stepping(STEP, AdjustmentType=None), "AdjustmentType is required"),
        (
            stepping({**STEP, "ScalingAdjustment": -1}, AdjustmentType="ExactCapacity"),
            "ScalingAdjustment must not be negative with ExactCapacity",
        ),
        (stepping(STEP, Cooldown=-1), "A cooldown must be 0 seconds or more"),
        (tracking(0.0), "TargetValue must be above 0, and between 2^-360 and 2^360"),
        (
            tracking(PredefinedMetricSpecification=None),
            "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must",
        ),
        (
            tracking(
                PredefinedMetricSpecification={
                    "PredefinedMetricType": "ECSServiceAverageCPUUtilization"
                }
            ),
            "The predefined metric type ECSServiceAverageCPUUtilization is not supported",
        ),
        (
            {**tracking(), "PolicyType": "PredictiveScaling"},
            "PredictiveScaling is not supported for the sagemaker service namespace",
        ),
        ({**TARGET, "PolicyName": "bare"}, "A new scaling policy needs PolicyType and"),
    ],
)
def test_a_wrong_policy_is_refused_and_leaves_nothing(
    scaled: Scaled, request_: dict[str, Any], says: str
) -> None:
    scaled.register()
    code, message = refused(scaled.autoscaling.put_scaling_policy, **request_)
    assert code == "ValidationException"
    assert message.startswith(says)
    assert scaled.autoscaling.describe_scaling_policies(**NAMESPACE)["ScalingPolicies"] == []
    assert scaled.cloudwatch.describe_alarms()["MetricAlarms"] == []


def test_a_metric_is_tracked_by_one_policy_only(scaled: Scaled) -> None:
    scaled.register()
    put = scaled.autoscaling.put_scaling_policy
    put(**tracking())
    assert refused(put, **{**tracking(), "PolicyName": "other"}) == (
        "ValidationException",
        "Only one TargetTrackingScaling policy for a given metric specification is allowed.",
    )


def test_metric_math_is_refused_and_one_metric_is_not(scaled: Scaled) -> None:
    scaled.register()
    metric = {"Namespace": "Shop", "MetricName": "Queue"}
    stat = {"Id": "a", "MetricStat": {"Metric": metric, "Stat": "p90"}}
    math = {"Id": "b", "Expression": "a / 2"}

    def request(*queries: Any) -> dict[str, Any]:
        custom = {"Metrics": list(queries)}
        return tracking(PredefinedMetricSpecification=None, CustomizedMetricSpecification=custom)

    _, message = refused(scaled.autoscaling.put_scaling_policy, **request(stat, math))
    assert message.startswith("The local SageMaker cannot carry out: CustomizedMetricSpec")
    put = scaled.autoscaling.put_scaling_policy(**request(stat))
    name = put["Alarms"][0]["AlarmName"]
    (made,) = scaled.cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert (made["ExtendedStatistic"], made["Namespace"]) == ("p90", "Shop")


def test_fifty_policies_are_the_most(scaled: Scaled) -> None:
    scaled.register()
    put = scaled.autoscaling.put_scaling_policy
    for number in range(50):
        put(**{**stepping(STEP), "PolicyName": f"step-{number:02}"})
    code, message = refused(put, **{**stepping(STEP), "PolicyName": "one-more"})
    assert code == "LimitExceededException"
    assert message.endswith("is 50")
    pages = scaled.autoscaling.get_paginator("describe_scaling_policies").paginate(**NAMESPACE)
    names = [[each["PolicyName"] for each in page["ScalingPolicies"]] for page in pages]
    assert [len(each) for each in names] == [10] * 5
    assert [*chain(*names)] == sorted(chain(*names))
    code, _ = refused(
        scaled.autoscaling.describe_scaling_policies, **NAMESPACE, NextToken="of nobody"
    )
    assert code == "InvalidNextTokenException"
    code, message = refused(
        scaled.autoscaling.describe_scaling_policies, **NAMESPACE, MaxResults=11
    )
    assert message == "MaxResults must be between 1 and 10"


def test_policies_are_found_by_name_and_resource(scaled: Scaled) -> None:
    scaled.register()
    client = scaled.autoscaling
    client.put_scaling_policy(**stepping(STEP))
    client.put_scaling_policy(**tracking())

    def names(**wanted: Any) -> list[str]:
        found = client.describe_scaling_policies(**NAMESPACE, **wanted)["ScalingPolicies"]
        return [each["PolicyName"] for each in found]

    assert names() == ["step", "track"]
    assert names(PolicyNames=["track", "other"]) == ["track"]
    assert names(ResourceId=RESOURCE, ScalableDimension=DIMENSION) == ["step", "track"]
    assert names(ResourceId="endpoint/other/variant/v") == []
    _code, message = refused(
        client.describe_scaling_policies, **NAMESPACE, ScalableDimension=DIMENSION
    )
    assert message == "A resource ID must be specified with a scalable dimension"


def test_a_deleted_step_policy_leaves_its_alarm(scaled: Scaled) -> None:
    scaled.register()
    client = scaled.autoscaling
    arn = client.put_scaling_policy(**stepping(STEP))["PolicyARN"]
    scaled.cloudwatch.put_metric_alarm(**alarm(arn))
    named = {**TARGET, "PolicyName": "step"}
    client.delete_scaling_policy(**named)
    assert len(scaled.cloudwatch.describe_alarms()["MetricAlarms"]) == 1
    assert refused(client.delete_scaling_policy, **named) == (
        "ObjectNotFoundException",
        f"No scaling policy found for {NAMED}, policy name: step",
    )
