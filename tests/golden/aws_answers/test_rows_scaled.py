"""Rows of the fidelity corpus on Application Auto Scaling ("the rest") that need an endpoint: a
minute passes in half a second.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Local
from tests.unit.local.hosting.async_local import (
    awaited_object,
    deploy_async,
    invoke_async,
    put_input,
)
from tests.unit.local.hosting.conftest import started
from tests.unit.local.hosting.hosting_local import (
    awaited,
    create_config,
    deploy,
    settled,
    until,
    variant,
)

RESOURCE = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/endpoint-1/variant/AllTraffic",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
OF_ENDPOINT = [{"Name": "EndpointName", "Value": "endpoint-1"}]
INVOCATIONS = {
    "PredefinedMetricSpecification": {
        "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
    }
}
BACKLOG = {
    "CustomizedMetricSpecification": {
        "Namespace": "AWS/SageMaker",
        "MetricName": "ApproximateBacklogSizePerInstance",
        "Dimensions": OF_ENDPOINT,
        "Statistic": "Average",
    }
}
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Local]:
    with started(tmp_path / "home", time_scale=120.0) as made:
        yield made


def register(local: Local, low: int) -> Any:
    """Register the variant, and return the client."""
    scaling = local.client("application-autoscaling")
    scaling.register_scalable_target(**RESOURCE, MinCapacity=low, MaxCapacity=2)
    return scaling


def track(scaling: Any, name: str, target: float, metric: dict[str, Any]) -> list[str]:
    """Put a target tracking policy, and return the names of its alarms."""
    answer = scaling.put_scaling_policy(
        **RESOURCE,
        PolicyName=name,
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={"TargetValue": target, **metric},
    )
    return [each["AlarmName"] for each in answer["Alarms"]]


def desired(local: Local) -> int:
    found = local.client("sagemaker").describe_endpoint(EndpointName="endpoint-1")
    count: int = found["ProductionVariants"][0]["DesiredInstanceCount"]
    return count


def states(local: Local, names: list[str]) -> set[str]:
    """Return the states of alarms."""
    alarms = local.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
    return {each["StateValue"] for each in alarms}


def test_rest_row_112_a_burstable_variant(local: Local) -> None:
    deploy(local, variant(InstanceType="ml.t2.medium"))
    with pytest.raises(ClientError) as refused:
        register(local, 1)
    assert refused.value.response["Error"] == {
        "Code": "ValidationException",
        "Message": "You cannot register a variant with ml.t2.medium instance type as a scalable "
        "target. This is because the burstable performance of these instances can lead to "
        "unpredictable behavior with Auto Scaling.",
    }


def test_the_names_of_the_alarms_of_target_tracking(local: Local) -> None:
    """ "Metrics" in "Shapes seen in the wild"."""
    deploy(local)
    high, low = track(register(local, 1), "load", 100.0, INVOCATIONS)
    begin = r"TargetTracking-endpoint/endpoint-1/variant/AllTraffic-Alarm"
    assert re.fullmatch(f"{begin}High-{UUID}", high)
    assert re.fullmatch(f"{begin}Low-{UUID}", low)
    found = local.client("cloudwatch").describe_alarms(AlarmNames=[high])["MetricAlarms"][0]
    assert (found["Namespace"], found["MetricName"]) == ("AWS/SageMaker", "InvocationsPerInstance")


def test_rest_rows_118_and_121_what_scales_an_asynchronous_endpoint(local: Local) -> None:
    deploy_async(local)
    local.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName="endpoint-1",
        DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 0}],
    )
    until(local, lambda found: found["EndpointStatus"] == "InService")
    scaling = register(local, 0)
    tracking = [
        *track(scaling, "invocations", 1.0, INVOCATIONS),
        *track(scaling, "backlog", 1.0, BACKLOG),
    ]
    answers = [invoke_async(local, put_input(local, key=f"in/{n}")) for n in range(5)]
    alarm_of_backlog(local)
    awaited(lambda: states(local, ["waiting"]) == {"ALARM"}, 60)
    # What target tracking looks at has no value: it leaves zero as it is.
    assert states(local, tracking[:2]) == {"INSUFFICIENT_DATA"}
    assert "ALARM" not in states(local, tracking[2:])
    assert desired(local) == 0
    alarm_of_backlog(local, step_policy(scaling))
    awaited(lambda: desired(local) == 1, 60)
    for answer in answers:
        assert awaited_object(local, answer["OutputLocation"])["Body"] == b"hello"
    assert states(local, tracking[:2]) == {"INSUFFICIENT_DATA"}


def test_a_change_that_is_refused_fails_its_activity(tmp_path: Path) -> None:
    """The developer guide's endpoint-scaling-query-history."""
    quotas: Any = {"ml.m5.large for endpoint usage": 1}
    with started(tmp_path / "home", quotas=quotas) as local:
        deploy(local)
        scaling = register(local, 2)

        def failed() -> list[Any]:
            found = scaling.describe_scaling_activities(ServiceNamespace="sagemaker")
            return [e for e in found["ScalingActivities"] if e["StatusCode"] == "Failed"]

        awaited(lambda: bool(failed()))
        assert re.fullmatch(
            r"Failed to set desired instance count to 2\. Reason: The account-level service limit "
            r"'ml\.m5\.large for endpoint usage' is 1 Instances, with current utilization of 1 "
            r"Instances and a request delta of 1 Instances\. .* \(Service: AmazonSageMaker; Status "
            rf"Code: 400; Error Code: ResourceLimitExceeded; Request ID: {UUID}\)\.?",
            failed()[0]["StatusMessage"],
        )


def test_a_scalable_target_keeps_its_variant_and_instance_type(local: Local) -> None:
    """The developer guide's endpoint-scaling-update."""
    deploy(local)
    scaling, sagemaker = register(local, 1), local.client("sagemaker")
    create_config(local, "larger", variant(InstanceType="ml.m5.xlarge"))
    create_config(local, "renamed", variant("other"))
    create_config(local, "same", variant())
    for config in ("larger", "renamed"):
        with pytest.raises(ClientError) as refused:
            sagemaker.update_endpoint(EndpointName="endpoint-1", EndpointConfigName=config)
        assert refused.value.response["Error"] == {
            "Code": "ValidationException",
            "Message": 'The variant(s) "[AllTraffic]" must be deregistered as a scalable target '
            "with AWS Auto Scaling before they can be removed or have their instance type updated.",
        }
    sagemaker.update_endpoint(EndpointName="endpoint-1", EndpointConfigName="same")
    assert settled(local)["EndpointConfigName"] == "same"
    scaling.deregister_scalable_target(**RESOURCE)
    sagemaker.update_endpoint(EndpointName="endpoint-1", EndpointConfigName="larger")
    assert settled(local)["EndpointConfigName"] == "larger"


def step_policy(scaling: Any) -> str:
    """Put a policy that adds an instance, and return its ARN."""
    arn: str = scaling.put_scaling_policy(
        **RESOURCE,
        PolicyName="from-zero",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "ChangeInCapacity",
            "MetricAggregationType": "Average",
            "Cooldown": 3600,
            "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
        },
    )["PolicyARN"]
    return arn


def alarm_of_backlog(local: Local, *actions: str) -> None:
    """Put an alarm on a backlog that nobody works at."""
    local.client("cloudwatch").put_metric_alarm(
        AlarmName="waiting",
        Namespace="AWS/SageMaker",
        MetricName="HasBacklogWithoutCapacity",
        Dimensions=OF_ENDPOINT,
        Statistic="Average",
        Period=60,
        EvaluationPeriods=2,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        AlarmActions=list(actions),
    )
