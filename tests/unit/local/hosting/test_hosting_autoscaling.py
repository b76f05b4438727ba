"""An endpoint that is scaled by what it is asked: a minute passes in a fifth of a second."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Local
from tests.unit.local.hosting.conftest import started
from tests.unit.local.hosting.hosting_local import awaited, deploy, invoke

SCALE = 300.0
RESOURCE: dict[str, Any] = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/endpoint-1/variant/AllTraffic",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
POLICY = {
    "TargetValue": 2.0,  # a minute's load is more than a copy may have, on any machine
    "PredefinedMetricSpecification": {
        "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
    },
    "ScaleInCooldown": 60,
    "ScaleOutCooldown": 60,
}


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Local]:
    with started(tmp_path / "home", time_scale=SCALE) as made:
        yield made


def instances(local: Local) -> int:
    found = local.client("sagemaker").describe_endpoint(EndpointName="endpoint-1")
    count: int = found["ProductionVariants"][0]["CurrentInstanceCount"]
    return count


def test_load_scales_out_and_its_end_scales_in_without_a_lost_request(local: Local) -> None:
    deploy(local)
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
                invoke(local)
            except Exception as error:  # noqa: BLE001 - told by the assertion below
                failed.append(error)

    thread = threading.Thread(target=load)
    thread.start()
    try:
        awaited(lambda: instances(local) == 3, timeout_s=60)
    finally:
        over.set()
        thread.join()
    assert failed == []
    awaited(lambda: instances(local) == 1, timeout_s=120)

    def activities() -> list[Any]:
        answer = scaling.describe_scaling_activities(ServiceNamespace="sagemaker")
        return list(answer["ScalingActivities"])

    awaited(lambda: {each["StatusCode"] for each in activities()} == {"Successful"})
    said = [each["Description"] for each in activities()]
    assert any("to 3" in each for each in said)
    assert any("to 1" in each for each in said)


def test_an_endpoint_that_is_not_there_is_no_target(local: Local) -> None:
    scaling = local.client("application-autoscaling")
    with pytest.raises(scaling.exceptions.ValidationException):
        scaling.register_scalable_target(**RESOURCE, MinCapacity=1, MaxCapacity=3)
