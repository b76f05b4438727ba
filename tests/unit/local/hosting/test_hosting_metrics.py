"""What is published of invocations in CloudWatch."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock.local.hosting.tally import Tally
from sagedock.testing import Reply, serving
from tests.conftest import Local
from tests.unit.local.hosting.hosting_local import deploy, invoke, variant


def statistics(
    local: Local,
    metric: str,
    name: str = "AllTraffic",
    *,
    namespace: str = "AWS/SageMaker",
    container: str | None = None,
) -> Any:
    """Return a metric's statistics of the last minutes, of all of them together."""
    now = datetime.now(UTC)
    dimensions = {"EndpointName": "endpoint-1", "VariantName": name, "ContainerName": container}
    found = local.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items() if value],
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=10),
        Period=3600,
        Statistics=["SampleCount", "Sum", "Average", "Maximum"],
        ExtendedStatistics=["p50"],
    )["Datapoints"]
    return found[0] if found else None


def until_counted(local: Local, count: int, name: str = "AllTraffic") -> Any:
    ends = time.monotonic() + 60
    while not (found := statistics(local, "Invocations", name)) or found["Sum"] < count:
        assert time.monotonic() < ends
        time.sleep(0.05)
    return found


def test_invocations_errors_and_latencies(local: Local) -> None:
    def answer(call: Any) -> Reply:
        return Reply(status=int(call.body) if call.body else 200)

    local.engine.program = serving(answer)
    deploy(local, variant(InitialInstanceCount=2))
    for body in (b"200", b"200", b"404", b"500"):
        if body == b"200":
            invoke(local, body)
        else:
            with pytest.raises(ClientError):
                invoke(local, body)
    found = until_counted(local, 4)
    assert (found["Sum"], found["SampleCount"], found["Unit"]) == (4, 4, "None")
    assert statistics(local, "Invocation4XXErrors")["Average"] == 0.25
    assert statistics(local, "Invocation5XXErrors")["Sum"] == 1
    assert statistics(local, "InvocationsPerInstance")["Sum"] == 2
    latency = statistics(local, "ModelLatency")
    assert latency["Unit"] == "Microseconds"
    assert latency["SampleCount"] == 4
    assert 10 < latency["Average"] < 5_000_000
    assert statistics(local, "OverheadLatency")["Average"] < latency["Maximum"] + 1_000_000


def test_variants_have_metrics_of_their_own(local: Local) -> None:
    deploy(local, variant("a"), variant("b"))
    for _ in range(3):
        invoke(local, TargetVariant="b")
    until_counted(local, 3, "b")
    assert statistics(local, "Invocations", "a") is None
    listed = local.client("cloudwatch").list_metrics(
        Namespace="AWS/SageMaker", MetricName="Invocations"
    )["Metrics"]
    dimensions = [{each["Name"]: each["Value"] for each in m["Dimensions"]} for m in listed]
    variant_b = {"EndpointName": "endpoint-1", "VariantName": "b"}
    assert len(dimensions) == 2
    assert variant_b in dimensions
    assert {**variant_b, "EndpointConfigName": "endpoint-1-config"} in dimensions


def test_a_tally_keeps_latencies_to_one_part_in_a_hundred() -> None:
    tally = Tally(region="us-west-2", dimensions={})
    for micros in (1.0, 123.4, 123.45, 98_765.0):
        tally.add(200, micros / 1e6, 0.0, 4)
    taken = tally.take()
    assert taken is not None
    assert taken.per_instance == {0.25: 4}
    values = sorted(taken.model)
    for value, micros in zip(values, (1.0, 123.5, 98_765.0), strict=True):
        assert value == pytest.approx(micros, rel=0.01)
    assert sum(taken.model.values()) == 4
    assert tally.take() is None
