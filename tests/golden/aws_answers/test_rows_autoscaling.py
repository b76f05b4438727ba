"""Rows of the answers that AWS really gave: Application Auto Scaling for SageMaker."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from sagedock import LocalSageMaker
from sagedock.local.autoscaling import Fleet, ScalableResource
from sagedock.testing import FakeEngine
from tests.conftest import REGION, Local, succeed

RESOURCE, DIMENSION = "endpoint/e/variant/AllTraffic", "sagemaker:variant:DesiredInstanceCount"
TARGET = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": RESOURCE,
    "ScalableDimension": DIMENSION,
}


class Endpoints:
    """One variant; its instances come when they are let."""

    desired, current, instance_type = 1, 1, "ml.m5.large"

    def find(self, _: ScalableResource) -> Fleet:
        """Return the variant."""
        return Fleet(
            desired=self.desired,
            current=self.current,
            busy=self.desired != self.current,
            instance_type=self.instance_type,
        )

    def set_desired(self, _: ScalableResource, count: int) -> None:
        """Take the number."""
        self.desired = count


@pytest.fixture
def endpoints() -> Endpoints:
    return Endpoints()


@pytest.fixture
def client(tmp_path: Path, endpoints: Endpoints) -> Iterator[Any]:
    engine = FakeEngine(succeed)
    with LocalSageMaker(
        home=tmp_path / "home", engine=engine, fleets=endpoints, check_answers=True
    ) as server:
        yield Local(server=server, engine=engine).client("application-autoscaling")


def refusal(call: Any, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**request)
    answer: Any = refused.value.response
    return answer["Error"]["Code"], answer["Error"]["Message"]


def test_row_112_a_burstable_variant_cannot_be_registered(
    client: Any, endpoints: Endpoints
) -> None:
    endpoints.instance_type = "ml.t2.medium"
    found = refusal(client.register_scalable_target, **TARGET, MinCapacity=1, MaxCapacity=2)
    assert found == (
        "ValidationException",
        "You cannot register a variant with ml.t2.medium instance type as a scalable target. This "
        "is because the burstable performance of these instances can lead to unpredictable "
        "behavior with Auto Scaling.",
    )


def test_row_113_what_is_not_registered_has_no_policy_and_no_schedule(client: Any) -> None:
    expected = (
        "ObjectNotFoundException",
        f"No scalable target registered for service namespace: sagemaker, resource ID: {RESOURCE}, "
        f"scalable dimension: {DIMENSION}",
    )
    tracking = {
        "TargetValue": 70.0,
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
        },
    }
    assert expected == refusal(
        client.put_scaling_policy,
        **TARGET,
        PolicyName="p",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=tracking,
    )
    assert expected == refusal(
        client.put_scheduled_action,
        **TARGET,
        ScheduledActionName="a",
        Schedule="rate(1 day)",
        ScalableTargetAction={"MinCapacity": 1},
    )


def test_row_114_a_scheduled_action_needs_a_bound(client: Any) -> None:
    client.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=2)
    found = refusal(
        client.put_scheduled_action,
        **TARGET,
        ScheduledActionName="a",
        Schedule="rate(1 day)",
        ScalableTargetAction={},
    )
    assert found == (
        "ValidationException",
        "At least one of minimum capacity and maximum capacity should be provided",
    )


def test_row_116_an_activity_under_way_and_fulfilled(client: Any, endpoints: Endpoints) -> None:
    client.register_scalable_target(**TARGET, MinCapacity=4, MaxCapacity=8)
    under_way = activity(client, "InProgress")
    assert under_way["StatusMessage"] == (
        "Successfully set desired instance count to 4. Waiting for change to be fulfilled by "
        "sagemaker."
    )
    assert "EndTime" not in under_way
    endpoints.current = 4
    fulfilled = activity(client, "Successful")
    assert fulfilled["Description"] == "Setting desired instance count to 4."
    assert fulfilled["StatusMessage"] == (
        "Successfully set desired instance count to 4. Change successfully fulfilled by sagemaker."
    )
    assert fulfilled["EndTime"] > fulfilled["StartTime"]


def activity(client: Any, status: str) -> Any:
    """Wait until the only activity has a status."""
    ends = time.monotonic() + 60
    while True:
        found = client.describe_scaling_activities(ServiceNamespace="sagemaker")
        for each in found["ScalingActivities"]:
            if each["StatusCode"] == status:
                return each
        assert time.monotonic() < ends
        time.sleep(0.02)


def test_row_117_the_wire(client: Any) -> None:
    credential = f"Credential=x/20260101/{REGION}/application-autoscaling/aws4_request"
    answer = httpx.post(
        client.meta.endpoint_url,
        headers={
            "x-amz-target": "AnyScaleFrontendService.RegisterScalableTarget",
            "content-type": "application/x-amz-json-1.1",
            "authorization": f"AWS4-HMAC-SHA256 {credential}, Signature=0",
        },
        json={**TARGET, "MinCapacity": 1, "MaxCapacity": 2},
    )
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"
    assert list(answer.json()) == ["ScalableTargetARN"]


def test_row_120_concurrent_requests_are_a_predefined_metric(client: Any) -> None:
    client.register_scalable_target(**TARGET, MinCapacity=1, MaxCapacity=2)
    metric = "SageMakerVariantConcurrentRequestsPerModelHighResolution"
    answer = client.put_scaling_policy(
        **TARGET,
        PolicyName="p",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 5.0,
            "PredefinedMetricSpecification": {"PredefinedMetricType": metric},
        },
    )
    assert len(answer["Alarms"]) == 2
