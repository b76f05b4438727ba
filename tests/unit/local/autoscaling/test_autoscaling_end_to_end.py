"""A fifteen-minute story in seconds: load comes, copies come; it goes, they go."""

import time
from pathlib import Path
from typing import Any

from sagedock.testing import FakeEngine
from tests.conftest import Local, succeed
from tests.unit.local.autoscaling.conftest import Scaled, serve
from tests.unit.local.autoscaling.scaling_world import (
    DIMENSIONS,
    TARGET,
    FakeFleets,
    alarm,
    stepping,
    tracking,
)

DATUM = {"Dimensions": [{"Name": name, "Value": value} for name, value in DIMENSIONS.items()]}


def test_a_policy_scales_out_and_in_on_what_cloudwatch_holds(tmp_path: Path) -> None:
    fleets = FakeFleets()
    with serve(tmp_path / "home", fleets, time_scale=300) as server:
        scaled = Scaled(Local(server=server, engine=FakeEngine(succeed)), fleets)
        scaled.register(high=4)
        scaled.autoscaling.put_scaling_policy(**tracking(ScaleInCooldown=60))
        until(lambda: put(scaled, 100.0), lambda: fleets.asked != [])
        assert fleets.asked[0] > 1
        until(lambda: None, lambda: fleets.current == 1 and len(fleets.asked) > 1)
        assert max(fleets.asked) <= 4
        causes = [
            each["Cause"].partition(" in state ")[0].rpartition("-Alarm")[2][:4]
            for each in scaled.autoscaling.describe_scaling_activities(
                ServiceNamespace="sagemaker"
            )["ScalingActivities"]
        ]
        assert (causes[-1], causes[0]) == ("High", "Low-")


def put(scaled: Scaled, value: float) -> None:
    """Publish a value, as an endpoint would while it is invoked."""
    datum = {**DATUM, "MetricName": "InvocationsPerInstance", "Value": value}
    scaled.cloudwatch.put_metric_data(Namespace="AWS/SageMaker", MetricData=[datum])


def until(do: Any, true: Any, timeout_s: float = 60) -> None:
    """Do something again and again until it is so."""
    ends = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < ends
        do()
        time.sleep(0.05)


def test_a_custom_metric_of_any_namespace_scales(tmp_path: Path) -> None:
    fleets = FakeFleets()
    with serve(tmp_path / "home", fleets, time_scale=600) as server:
        scaled = Scaled(Local(server=server, engine=FakeEngine(succeed)), fleets)
        scaled.register(high=4)
        policy = stepping({"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1})
        arn = scaled.autoscaling.put_scaling_policy(**policy)["PolicyARN"]
        queue = {"Namespace": "Orders", "MetricName": "Queue", "Dimensions": []}
        scaled.cloudwatch.put_metric_alarm(**alarm(arn, **queue, Statistic="Maximum"))

        def publish() -> None:
            datum = {"MetricName": "Queue", "Value": 70.0}
            scaled.cloudwatch.put_metric_data(Namespace="Orders", MetricData=[datum])

        until(publish, lambda: fleets.asked != [])
        assert fleets.asked[0] == 2
        # It is in CloudWatch as before: moto has it, and tells it once for each value.
        listed = scaled.cloudwatch.list_metrics(Namespace="Orders")["Metrics"]
        assert {each["MetricName"] for each in listed} == {"Queue"}


def test_a_fleet_that_is_gone_is_deregistered(tmp_path: Path) -> None:
    fleets = FakeFleets()
    with serve(tmp_path / "home", fleets) as server:
        scaled = Scaled(Local(server=server, engine=FakeEngine(succeed)), fleets)
        scaled.register()
        fleets.exists = False
        client = scaled.autoscaling

        def is_gone() -> bool:
            found = client.describe_scalable_targets(ServiceNamespace=TARGET["ServiceNamespace"])
            return found["ScalableTargets"] == []

        until(lambda: None, is_gone)
