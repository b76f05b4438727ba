"""Updates step by step, watched by alarms, as an endpoint carries them out."""

import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock.testing import Call, Reply, serving
from tests.conftest import Local
from tests.unit.local.hosting.hosting_local import awaited, deploy, invoke, until, variant
from tests.unit.local.hosting.test_hosting_updates import (
    mode,
    next_config,
    traffic,
    update,
    updated,
)

#: Longer than any test: what ends it is an alarm.
LONG_S = 3600
ONE = {"Type": "INSTANCE_COUNT", "Value": 1}
HALF = {"Type": "CAPACITY_PERCENT", "Value": 50}


def watched(*names: str) -> dict[str, Any]:
    return {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in names]}}


def shifting(kind: str, wait_s: int = LONG_S, last_s: int = 0, **more: Any) -> dict[str, Any]:
    routing = {"Type": kind, "WaitIntervalInSeconds": wait_s, **more}
    policy = {"TrafficRoutingConfiguration": routing, "TerminationWaitInSeconds": last_s}
    return {"BlueGreenUpdatePolicy": policy}


def rolling(wait_s: int = LONG_S, size: Any = ONE) -> dict[str, Any]:
    return {"RollingUpdatePolicy": {"MaximumBatchSize": size, "WaitIntervalInSeconds": wait_s}}


def put_alarm(local: Local, name: str, namespace: str = "AWS/SageMaker") -> None:
    """Create an alarm that no data sets off."""
    local.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace=namespace,
        MetricName="Invocation5XXErrors",
        Statistic="Sum",
        Dimensions=[{"Name": "EndpointName", "Value": "endpoint-1"}],
        Period=3600,
        EvaluationPeriods=1,
        Threshold=1e9,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )


def set_off(local: Local, name: str) -> None:
    local.client("cloudwatch").set_alarm_state(
        AlarmName=name, StateValue="ALARM", StateReason="a test"
    )


def pending(found: Any) -> Any:
    (told,) = found.get("PendingDeploymentSummary", {"ProductionVariants": [{}]})[
        "ProductionVariants"
    ]
    return told


def bakes(found: Any) -> bool:
    return any(each["Status"] == "Baking" for each in pending(found).get("VariantStatus", ()))


def start(local: Local, count: int = 4, old: int = 4) -> str:
    """Deploy an old model, and return the configuration of a new one."""
    local.engine.program = serving(mode)
    deploy(local, variant(InitialInstanceCount=old))
    return next_config(local, "new", variant(ModelName="new", InitialInstanceCount=count))


@pytest.mark.parametrize("namespace", ["AWS/SageMaker", "Shop"])
def test_a_canary_that_an_alarm_ends(local: Local, namespace: str) -> None:
    config = start(local)
    put_alarm(local, "errors", namespace)
    with traffic(local) as answers:
        update(
            local,
            config,
            DeploymentConfig={**shifting("CANARY", CanarySize=ONE), **watched("errors")},
        )
        found = until(local, bakes)
        told = pending(found)
        assert (told["CurrentInstanceCount"], told["DesiredInstanceCount"]) == (1, 4)
        assert told["VariantStatus"][0]["StatusMessage"] == (
            "Baking for 3600 seconds (TerminationWaitInSeconds) with traffic enabled on canary "
            "capacity of 1 instance(s)."
        )
        assert (found["EndpointStatus"], found["EndpointConfigName"]) == (
            "Updating",
            "endpoint-1-config",
        )
        first = len(answers)
        awaited(lambda: len(answers) > first + 300)
        part = answers[first:]
        assert 0.1 < part.count(b"new") / len(part) < 0.45  # a quarter, give or take six sigma
        set_off(local, "errors")
        found = until(local, lambda now: now["EndpointStatus"] == "InService")
    assert found["EndpointConfigName"] == "endpoint-1-config"
    assert "PendingDeploymentSummary" not in found
    assert found["FailureReason"].endswith("the CloudWatch alarm(s) went off: errors.")
    assert {invoke(local)["Body"] for _ in range(20)} == {b"old"}
    awaited(lambda: len(local.engine.all) == 4)


@pytest.mark.parametrize(
    "deployment",
    [
        pytest.param(shifting("CANARY", 1, 1, CanarySize=HALF), id="canary"),
        pytest.param(shifting("LINEAR", 1, LinearStepSize=HALF), id="linear"),
        pytest.param(shifting("ALL_AT_ONCE", 0, 1), id="at-once"),
        pytest.param(rolling(1), id="rolling"),
    ],
)
def test_an_update_that_no_alarm_ends_loses_no_request(
    local: Local, deployment: dict[str, Any]
) -> None:
    config = start(local, count=2, old=2)
    put_alarm(local, "errors")
    old = set(local.engine.all)
    with traffic(local) as answers:
        update(local, config, DeploymentConfig={**deployment, **watched("errors")})
        found = updated(local, config)
        last = len(answers)
        awaited(lambda: len(answers) > last + 10)
    assert set(answers[last + 2 :]) == {b"new"}
    assert found["LastDeploymentConfig"] == {**deployment, **watched("errors")}
    assert found["ProductionVariants"][0]["CurrentInstanceCount"] == 2
    awaited(lambda: len(local.engine.all) == 2 and not old & set(local.engine.all))


def test_all_at_once_bakes_before_the_old_fleet_ends(local: Local) -> None:
    config = start(local, count=1, old=1)
    put_alarm(local, "errors")
    put_alarm(local, "latency")
    deployment = {**shifting("ALL_AT_ONCE", 0, LONG_S), **watched("errors", "latency")}
    update(local, config, DeploymentConfig=deployment)
    found = until(local, bakes)
    assert pending(found)["VariantStatus"][0]["StatusMessage"] == (
        "Baking for 3600 seconds (TerminationWaitInSeconds) with traffic enabled on full capacity "
        "of 1 instance(s)."
    )
    assert {invoke(local)["Body"] for _ in range(10)} == {b"new"}
    assert len(local.engine.all) == 2
    set_off(local, "latency")
    until(local, lambda now: now["EndpointStatus"] == "InService")
    assert {invoke(local)["Body"] for _ in range(10)} == {b"old"}


def test_a_rolling_update_that_an_alarm_ends_brings_the_old_instances_back(local: Local) -> None:
    config = start(local, count=2, old=3)
    put_alarm(local, "errors")
    with traffic(local) as answers:
        update(local, config, DeploymentConfig={**rolling(), **watched("errors")})
        told = pending(until(local, bakes))
        assert told["CurrentInstanceCount"] == 1
        assert len(local.engine.all) == 4
        set_off(local, "errors")
        until(local, lambda now: now["EndpointStatus"] == "InService")
        last = len(answers)
        awaited(lambda: len(answers) > last + 10)
    assert set(answers[last + 2 :]) == {b"old"}
    awaited(lambda: len(local.engine.all) == 3)


def test_a_rolling_update_has_one_batch_more_than_the_endpoint(local: Local) -> None:
    """Once the first batch has served, as many old instances go as it stands for."""
    config = start(local, count=2, old=4)
    put_alarm(local, "errors")
    most = 0
    seen: set[tuple[int, int]] = set()
    update(local, config, DeploymentConfig={**rolling(1), **watched("errors")})

    def is_over() -> bool:
        nonlocal most
        found = local.client("sagemaker").describe_endpoint(EndpointName="endpoint-1")
        most = max(most, len(local.engine.all))
        seen.add((len(local.engine.all), pending(found).get("CurrentInstanceCount", 0)))
        return found["EndpointConfigName"] == config

    awaited(is_over)
    assert most <= 5
    awaited(lambda: len(local.engine.all) == 2)


def test_a_deployment_that_takes_too_long_is_taken_back(local: Local) -> None:
    object.__setattr__(local.server.settings, "time_scale", 6000.0)
    config = start(local, count=1, old=1)
    ready = threading.Event()

    def answer(call: Call) -> Reply:
        reply = mode(call)
        return Reply(status=503) if reply.body == b"new" and not ready.is_set() else reply

    local.engine.program = serving(answer)
    deployment = shifting("CANARY", 1, CanarySize=HALF)
    deployment["BlueGreenUpdatePolicy"]["MaximumExecutionTimeoutInSeconds"] = 600
    update(local, config, DeploymentConfig=deployment)
    ready.wait(0.2)  # longer than its 600 seconds are here
    ready.set()
    found = until(local, lambda now: now["EndpointStatus"] == "InService")
    assert found["EndpointConfigName"] == "endpoint-1-config"
    assert "exceeded MaximumExecutionTimeoutInSeconds (600)" in found["FailureReason"]


def test_the_last_deployment_can_be_retained(local: Local) -> None:
    config = start(local, count=1, old=1)
    put_alarm(local, "errors")
    deployment = {**shifting("ALL_AT_ONCE", 0, 1), **watched("errors")}
    update(local, config, DeploymentConfig=deployment)
    updated(local, config)
    set_off(local, "errors")
    update(local, "endpoint-1-config")  # without it, no alarm is asked
    updated(local, "endpoint-1-config")
    set_off(local, "errors")
    update(local, config, RetainDeploymentConfig=True)
    found = until(local, lambda now: now["EndpointStatus"] == "InService")
    assert found["EndpointConfigName"] == "endpoint-1-config"
    assert "went off: errors" in found["FailureReason"]


@pytest.mark.parametrize(
    ("deployment", "words"),
    [
        pytest.param(
            {**shifting("CANARY", CanarySize=ONE), **rolling()},
            "Only one of BlueGreenUpdatePolicy and RollingUpdatePolicy",
            id="two-policies",
        ),
        pytest.param(shifting("LINEAR"), "LinearStepSize must be specified", id="no-size"),
        pytest.param(
            shifting("CANARY", CanarySize={"Type": "CAPACITY_PERCENT", "Value": 51}),
            "CanarySize must be between 1 and 50 percent",
            id="percent",
        ),
        pytest.param(
            shifting("CANARY", CanarySize={"Type": "INSTANCE_COUNT", "Value": 3}),
            r"CanarySize of 3 instance\(s\) must be between 0 and 50 percent",
            id="instances",
        ),
        pytest.param(
            {**shifting("ALL_AT_ONCE"), **watched("none")},
            "Could not find the CloudWatch alarm.* none",
            id="alarm",
        ),
        pytest.param(
            {
                "BlueGreenUpdatePolicy": {
                    **shifting("CANARY", 600, CanarySize=ONE)["BlueGreenUpdatePolicy"],
                    "MaximumExecutionTimeoutInSeconds": 600,
                }
            },
            r"MaximumExecutionTimeoutInSeconds \(600\) must be larger",
            id="time",
        ),
    ],
)
def test_a_deployment_that_cannot_be(local: Local, deployment: dict[str, Any], words: str) -> None:
    config = start(local)
    with pytest.raises(ClientError, match=words) as raised:
        update(local, config, DeploymentConfig=deployment)
    assert raised.value.response["Error"]["Code"] == "ValidationException"
    found = local.client("sagemaker").describe_endpoint(EndpointName="endpoint-1")
    assert found["EndpointStatus"] == "InService"


def test_variants_of_other_names_cannot_be_shifted_to(local: Local) -> None:
    start(local)
    config = next_config(local, "newer", variant("Other", ModelName="new", InitialInstanceCount=2))
    with pytest.raises(ClientError, match="must have the same variants"):
        update(local, config, DeploymentConfig=shifting("CANARY", CanarySize=ONE))


def test_metrics_tell_the_deployments_apart(local: Local) -> None:
    config = start(local, count=1, old=1)
    invoke(local)
    update(local, config)
    updated(local, config)
    invoke(local)

    def configs() -> set[str]:
        listed = local.client("cloudwatch").list_metrics(
            Namespace="AWS/SageMaker", MetricName="Invocations"
        )
        return {
            each["Value"]
            for metric in listed["Metrics"]
            for each in metric["Dimensions"]
            if each["Name"] == "EndpointConfigName"
        }

    awaited(lambda: configs() == {"endpoint-1-config", config})
