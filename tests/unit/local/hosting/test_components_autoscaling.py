"""Copies that are scaled by what a component is asked: a minute passes in a fifth of a second."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Local
from tests.unit.local.hosting.components_local import deployed, described, host, resize
from tests.unit.local.hosting.conftest import started
from tests.unit.local.hosting.hosting_local import awaited, invoke, until

SCALE = 300.0
RESOURCE: dict[str, Any] = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "inference-component/first",
    "ScalableDimension": "sagemaker:inference-component:DesiredCopyCount",
}
POLICY = {
    "TargetValue": 2.0,  # a minute's load is more than a copy may have, on any machine
    "PredefinedMetricSpecification": {
        "PredefinedMetricType": "SageMakerInferenceComponentInvocationsPerCopy"
    },
    "ScaleInCooldown": 60,
    "ScaleOutCooldown": 60,
}


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Local]:
    with started(tmp_path / "home", time_scale=SCALE) as made:
        yield made


def copies(local: Local) -> int:
    count: int = described(local)["RuntimeConfig"]["CurrentCopyCount"]
    return count


def test_load_adds_copies_and_its_end_removes_them(local: Local) -> None:
    host(local)
    deployed(local)
    scaling = local.client("application-autoscaling")
    scaling.register_scalable_target(**RESOURCE, MinCapacity=1, MaxCapacity=3)
    scaling.put_scaling_policy(
        **RESOURCE,
        PolicyName="load",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=POLICY,
    )
    over, failed = threading.Event(), []

    def load() -> None:
        while not over.wait(0.005):
            try:
                invoke(local, InferenceComponentName="first")
            except Exception as error:  # noqa: BLE001 - told by the assertion below
                failed.append(error)

    thread = threading.Thread(target=load)
    thread.start()
    try:
        awaited(lambda: copies(local) == 3, timeout_s=60)
    finally:
        over.set()
        thread.join()
    assert failed == []
    awaited(lambda: copies(local) == 1, timeout_s=120)


def test_a_target_keeps_its_least_number_of_copies(local: Local) -> None:
    host(local)
    deployed(local)
    scaling = local.client("application-autoscaling")
    scaling.register_scalable_target(**RESOURCE, MinCapacity=2, MaxCapacity=3)
    awaited(lambda: copies(local) == 2, timeout_s=60)


def test_a_call_that_finds_no_copy_brings_one(local: Local) -> None:
    host(local)
    deployed(local)
    scaling = local.client("application-autoscaling")
    scaling.register_scalable_target(**RESOURCE, MinCapacity=0, MaxCapacity=1)
    resize(local, 0)
    awaited(lambda: copies(local) == 0)
    policy = scaling.put_scaling_policy(
        **RESOURCE,
        PolicyName="from-zero",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "ChangeInCapacity",
            "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
        },
    )
    local.client("cloudwatch").put_metric_alarm(
        AlarmName="from-zero",
        AlarmActions=[policy["PolicyARN"]],
        Namespace="AWS/SageMaker",
        MetricName="NoCapacityInvocationFailures",
        Dimensions=[{"Name": "InferenceComponentName", "Value": "first"}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="missing",
    )
    awaited(lambda: answers(local), timeout_s=60)


def answers(local: Local) -> bool:
    try:
        return bool(invoke(local, InferenceComponentName="first")["Body"] == b"hello")
    except ClientError as error:
        assert "has no capacity" in str(error)
        return False


def test_the_instances_that_host_components_are_scaled_too(local: Local) -> None:
    host(local)
    deployed(local)
    variant = {
        **RESOURCE,
        "ResourceId": "endpoint/endpoint-1/variant/AllTraffic",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    scaling = local.client("application-autoscaling")
    scaling.register_scalable_target(**variant, MinCapacity=2, MaxCapacity=3)
    found = until(local, lambda found: found["ProductionVariants"][0]["CurrentInstanceCount"] == 2)
    assert found["EndpointStatus"] == "InService"
    assert invoke(local, InferenceComponentName="first")["Body"] == b"hello"


def test_a_component_that_is_not_there_is_no_target(local: Local) -> None:
    scaling = local.client("application-autoscaling")
    with pytest.raises(scaling.exceptions.ValidationException):
        scaling.register_scalable_target(**RESOURCE, MinCapacity=1, MaxCapacity=3)


def test_the_target_of_a_deleted_component_is_gone(local: Local) -> None:
    host(local)
    deployed(local)
    scaling = local.client("application-autoscaling")
    scaling.register_scalable_target(**RESOURCE, MinCapacity=1, MaxCapacity=3)
    local.client("sagemaker").delete_inference_component(InferenceComponentName="first")
    awaited(
        lambda: (
            not scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
        ),
        timeout_s=60,
    )
