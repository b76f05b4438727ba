"""Updates step by step, in real containers."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.docker.conftest import RealLocal
from tests.docker.hosting_real import (
    ask,
    awaited,
    config,
    deployed,
    images,
    model,
    settled,
)

pytestmark = pytest.mark.usefixtures("images")
__all__ = ["images"]

CANARY = {"Type": "CAPACITY_PERCENT", "Value": 50}


@contextmanager
def traffic(local: RealLocal) -> Iterator[list[str]]:
    """Invoke all the time, from three threads; give the answers so far. No failure is allowed."""
    answers: list[str] = []
    failures: list[Exception] = []
    over = threading.Event()

    def run() -> None:
        while not over.is_set():
            try:
                answers.append(ask(local, "which"))
            except (ClientError, BotoCoreError) as error:
                failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert failures == []


def statuses(local: RealLocal) -> list[str]:
    found = local.client("sagemaker").describe_endpoint(EndpointName="endpoint-1")
    pending = found.get("PendingDeploymentSummary", {}).get("ProductionVariants", [{}])
    return [each["Status"] for each in pending[0].get("VariantStatus", ())]


def update(local: RealLocal, wait_s: int) -> dict[str, Any]:
    routing = {"Type": "CANARY", "CanarySize": CANARY, "WaitIntervalInSeconds": wait_s}
    deployment = {
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing},
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}]},
    }
    local.client("sagemaker").update_endpoint(
        EndpointName="endpoint-1", EndpointConfigName="config-2", DeploymentConfig=deployment
    )
    return deployment


@pytest.mark.parametrize(
    "real", [{"time_scale": 60.0, "endpoint_stop_grace_s": 0.0}], indirect=True, ids=["fast"]
)
def test_a_canary_is_taken_back_by_the_errors_that_it_makes_and_goes_on_without(
    real: RealLocal,
) -> None:
    """The alarm is on what the new deployment's containers answer, and on nothing else."""
    model(real, Environment={"WHICH": "first"})
    deployed(real, InitialInstanceCount=2)
    model(real, "model-2", Environment={"WHICH": "second"})
    config(real, "config-2", "model-2", InitialInstanceCount=2)
    real.client("cloudwatch").put_metric_alarm(
        AlarmName="errors",
        Namespace="AWS/SageMaker",
        MetricName="Invocations",
        Statistic="Sum",
        Dimensions=[
            {"Name": "EndpointName", "Value": "endpoint-1"},
            {"Name": "VariantName", "Value": "AllTraffic"},
            {"Name": "EndpointConfigName", "Value": "config-2"},
        ],
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    with traffic(real) as answers:
        deployment = update(real, 3600)
        seen: list[str] = []

        def is_over() -> bool:
            now = statuses(real)
            seen.extend(now)
            return bool(seen) and not now

        awaited(is_over)
        assert "Baking" in seen
        assert "first" in answers[answers.index("second") :]
        found = settled(real)
        assert found["EndpointConfigName"] == "config-1"
        assert found["FailureReason"].endswith("went off: errors.")
        assert found["LastDeploymentConfig"] == deployment
        real.client("cloudwatch").put_metric_alarm(
            AlarmName="errors",
            Namespace="AWS/SageMaker",
            MetricName="Invocation5XXErrors",
            Statistic="Sum",
            Dimensions=[{"Name": "EndpointName", "Value": "endpoint-1"}],
            Period=60,
            EvaluationPeriods=1,
            Threshold=1e9,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="notBreaching",
        )
        real.client("cloudwatch").set_alarm_state(
            AlarmName="errors", StateValue="OK", StateReason="a new rule"
        )
        update(real, 60)
        awaited(lambda: settled(real)["EndpointConfigName"] == "config-2")
        last = len(answers)
        awaited(lambda: len(answers) > last + 10)
    assert set(answers[last + 3 :]) == {"second"}
