"""Serverless endpoints: containers that calls start, and that go when nobody calls."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock.engine import Usage
from sagedock.testing import Call, Container, Reply, serving
from tests.conftest import Local
from tests.unit.local.hosting.conftest import started
from tests.unit.local.hosting.hosting_local import (
    MODEL_URI,
    answers,
    awaited,
    create_config,
    create_endpoint,
    create_model,
    deploy,
    echo,
    invoke,
    put_model,
    settled,
)
from tests.unit.local.hosting.test_async_restarts import started as restarted
from tests.unit.local.hosting.test_hosting_metrics import statistics

CONFIG = {"MemorySizeInMB": 2048, "MaxConcurrency": 2}


def serverless(name: str = "AllTraffic", **changes: Any) -> dict[str, Any]:
    """Return a serverless variant."""
    return {
        "VariantName": name,
        "ModelName": "model-1",
        "ServerlessConfig": {**CONFIG, **changes},
    }


class Held:
    """A model that answers once ``gate`` is set."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.calls: list[tuple[Container, bytes]] = []

    def __call__(self, call: Call) -> Reply:
        if call.path == "/ping":
            return Reply()
        self.calls.append((call.container, call.body))
        self.gate.wait(60)
        return echo(call)


@pytest.fixture
def hasty(tmp_path: Path) -> Iterator[Local]:
    """A local SageMaker whose serverless containers go after a fifth of a second."""
    with started(tmp_path / "home", serverless_idle_s=0.2) as made:
        yield made


def test_the_first_call_starts_a_container_and_the_next_one_finds_it_warm(local: Local) -> None:
    put_model(local)
    create_model(local, ModelDataUrl=MODEL_URI)
    create_config(local, "config-1", serverless())
    create_endpoint(local)
    told = settled(local)
    assert told["EndpointStatus"] == "InService"
    (only,) = told["ProductionVariants"]
    assert only["CurrentServerlessConfig"] == only["DesiredServerlessConfig"] == CONFIG
    assert only["CurrentInstanceCount"] == 0
    assert local.engine.all == {}
    for number in range(3):
        assert invoke(local, b"%d" % number)["Body"] == b"%d" % number
        (container,) = local.engine.all.values()
    spec = container.spec
    assert spec.memory_mib == 2048
    assert [each.target for each in spec.binds] == ["/opt/ml/model"]


def test_an_idle_container_goes_and_another_call_starts_one(hasty: Local) -> None:
    deploy(hasty, serverless())
    for _ in range(2):
        assert invoke(hasty)["Body"] == b"hello"
        awaited(lambda: hasty.engine.all == {})
    assert settled(hasty)["EndpointStatus"] == "InService"


def test_each_container_has_one_call_at_a_time_and_more_are_throttled(local: Local) -> None:
    model = Held()
    local.engine.program = serving(model)
    deploy(local, serverless())
    with ThreadPoolExecutor(2) as pool:
        under_way = [pool.submit(invoke, local, body) for body in (b"1", b"2")]
        awaited(lambda: len(model.calls) == 2)
        assert model.calls[0][0] is not model.calls[1][0]
        with pytest.raises(ClientError) as caught:
            invoke(local, b"3")
        assert caught.value.response["Error"]["Code"] == "ThrottlingException"
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        assert caught.value.response["Error"].get("Message") is None
        model.gate.set()
        assert [each.result()["Body"] for each in under_way] == [b"1", b"2"]
    assert invoke(local, b"3")["Body"] == b"3"
    assert len(local.engine.all) == 2


def test_calls_that_come_together_start_no_more_than_may_be(local: Local) -> None:
    model, pinged = Held(), threading.Event()

    def slow(call: Call) -> Reply:
        if call.path == "/ping" and not pinged.is_set():
            return Reply(status=500)
        return model(call)

    local.engine.program = serving(slow)
    deploy(local, serverless())
    with ThreadPoolExecutor(8) as pool:
        under_way = [pool.submit(invoke, local) for _ in range(8)]
        awaited(lambda: sum(each.done() for each in under_way) == 6)
        assert len(local.engine.all) <= 2
        pinged.set()
        awaited(lambda: len(model.calls) == 2)
        model.gate.set()
    failed = [each.exception() for each in under_way if each.exception()]
    assert len(failed) == 6
    assert {each.response["Error"]["Code"] for each in failed} == {"ThrottlingException"}


def test_a_container_that_does_not_serve_fails_the_call_and_not_the_endpoint(
    impatient: Local,
) -> None:
    impatient.engine.program = serving(lambda _: Reply(status=500))
    deploy(impatient, serverless())
    with pytest.raises(ClientError) as caught:
        invoke(impatient)
    assert caught.value.response["Error"]["Code"] == "ModelError"
    assert "did not pass the ping health check" in str(caught.value)
    assert impatient.engine.all == {}
    impatient.engine.program = serving(echo)
    assert invoke(impatient)["Body"] == b"hello"


def test_a_container_that_dies_is_not_replaced_before_the_next_call(local: Local) -> None:
    deploy(local, serverless())
    invoke(local)
    (container,) = local.engine.all
    local.engine.kill(container)
    awaited(lambda: local.engine.all == {})
    assert invoke(local)["Body"] == b"hello"


def test_what_is_provisioned_is_warm_and_stays(hasty: Local) -> None:
    model = Held()
    hasty.engine.program = serving(model)
    deploy(hasty, serverless(MaxConcurrency=3, ProvisionedConcurrency=2))
    warm = set(hasty.engine.all)
    assert len(warm) == 2
    with ThreadPoolExecutor(3) as pool:
        under_way = [pool.submit(invoke, hasty, b"%d" % number) for number in range(3)]
        awaited(lambda: len(model.calls) == 3)
        assert len(hasty.engine.all) == 3
        model.gate.set()
        for each in under_way:
            each.result()
    awaited(lambda: set(hasty.engine.all) == warm)
    (first, _) = warm
    hasty.engine.kill(first)  # it is replaced
    awaited(lambda: first not in hasty.engine.all and len(hasty.engine.all) == 2)


def test_payloads_have_four_megabytes(local: Local) -> None:
    most = 4 * 1024 * 1024

    def model(call: Call) -> Reply:
        body = b"x" * (most + 1) if call.body == b"large" else b"x" * len(call.body)
        return Reply(body=body)

    local.engine.program = serving(model)
    deploy(local, serverless())
    assert len(invoke(local, b"x" * most)["Body"]) == most
    with pytest.raises(ClientError, match="has oversize body"):
        invoke(local, b"x" * (most + 1))
    with pytest.raises(ClientError, match="could not load the entire response body"):
        invoke(local, b"large")
    with pytest.raises(ClientError, match="does not support response streaming"):
        local.client("sagemaker-runtime").invoke_endpoint_with_response_stream(
            EndpointName="endpoint-1", Body=b"x"
        )


def test_a_deleted_endpoint_leaves_nothing(local: Local, tmp_path: Path) -> None:
    model = Held()
    local.engine.program = serving(model)
    deploy(local, serverless(ProvisionedConcurrency=1))
    with ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(invoke, local)
        awaited(lambda: len(model.calls) == 1)
        local.client("sagemaker").delete_endpoint(EndpointName="endpoint-1")
        model.gate.set()
        awaited(lambda: local.engine.all == {})
        under_way.exception(60)
    awaited(lambda: not list((tmp_path / "home" / "endpoints").glob("*/*")))
    with pytest.raises(ClientError, match="not found"):
        invoke(local)


def test_a_call_that_starts_a_container_survives_an_update(local: Local) -> None:
    model, pinged = Held(), threading.Event()

    def slow(call: Call) -> Reply:
        if call.path == "/ping" and not pinged.is_set():
            return Reply(status=500)
        return model(call)

    model.gate.set()
    local.engine.program = serving(slow)
    deploy(local, serverless())
    with ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(invoke, local, b"old")
        awaited(lambda: len(local.engine.all) == 1)
        local.client("sagemaker").update_endpoint(
            EndpointName="endpoint-1", EndpointConfigName="endpoint-1-config"
        )
        pinged.set()
        assert under_way.result(60)["Body"] == b"old"
    assert settled(local)["EndpointStatus"] == "InService"
    awaited(lambda: local.engine.all == {})
    assert invoke(local, b"new")["Body"] == b"new"


def test_an_update_tells_of_the_configuration_that_comes(local: Local) -> None:
    pinged = threading.Event()
    pinged.set()

    def slow(call: Call) -> Reply:
        return echo(call) if pinged.is_set() else Reply(status=500)

    local.engine.program = serving(slow)
    deploy(local, serverless())
    create_config(local, "more", serverless(ProvisionedConcurrency=1))
    pinged.clear()
    sagemaker = local.client("sagemaker")
    sagemaker.update_endpoint(EndpointName="endpoint-1", EndpointConfigName="more")
    awaited(lambda: len(local.engine.all) == 1)
    told = sagemaker.describe_endpoint(EndpointName="endpoint-1")
    (coming,) = told["PendingDeploymentSummary"]["ProductionVariants"]
    assert coming["DesiredServerlessConfig"] == {**CONFIG, "ProvisionedConcurrency": 1}
    pinged.set()
    (only,) = settled(local)["ProductionVariants"]
    assert only["CurrentServerlessConfig"] == {**CONFIG, "ProvisionedConcurrency": 1}


def test_metrics_of_calls(local: Local) -> None:
    deploy(local, serverless(MaxConcurrency=4, ProvisionedConcurrency=1))
    for _ in range(2):
        invoke(local)
    awaited(lambda: (statistics(local, "Invocations") or {}).get("Sum") == 2)
    assert statistics(local, "ServerlessConcurrentExecutionsUtilization")["Maximum"] == 0.25
    assert statistics(local, "ServerlessProvisionedConcurrencyUtilization")["Maximum"] == 1
    assert statistics(local, "ServerlessProvisionedConcurrencyInvocations")["Sum"] == 2
    assert statistics(local, "ServerlessProvisionedConcurrencySpilloverInvocations") is None
    assert statistics(local, "OverheadLatency")["SampleCount"] == 2
    assert statistics(local, "ModelSetupTime") is None
    assert statistics(local, "InvocationsPerInstance") is None


def test_a_cold_start_is_measured(hasty: Local) -> None:
    def program(container: Container) -> int:
        container.usage = Usage(
            at_s=1, started_at_s=0, cpu_s=1, cpus=1, memory_bytes=25, memory_limit_bytes=100
        )
        return serving(echo)(container)

    hasty.engine.program = program
    deploy(hasty, serverless())
    invoke(hasty)
    awaited(lambda: statistics(hasty, "ModelSetupTime") is not None)
    setup = statistics(hasty, "ModelSetupTime")
    assert (setup["SampleCount"], setup["Unit"]) == (1, "Microseconds")
    assert statistics(hasty, "OverheadLatency")["Maximum"] >= 0.9 * setup["Maximum"]
    awaited(lambda: memory(hasty) == 25)


def memory(local: Local) -> float | None:
    now = datetime.now(UTC)
    found = local.client("cloudwatch").get_metric_statistics(
        Namespace="/aws/sagemaker/Endpoints",
        MetricName="MemoryUtilization",
        Dimensions=[
            {"Name": "EndpointName", "Value": "endpoint-1"},
            {"Name": "VariantName", "Value": "AllTraffic"},
        ],
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=10),
        Period=3600,
        Statistics=["Maximum"],
    )["Datapoints"]
    return found[0]["Maximum"] if found else None


def test_the_next_server_starts_cold(tmp_path: Path) -> None:
    with started(tmp_path / "home") as local:
        deploy(local, serverless())
        invoke(local)
        specs = [each.spec for each in local.engine.all.values()]
        engine = local.engine
    assert engine.all == {}
    left = engine.create(specs[0])  # as a server that was killed leaves it
    engine.start(left)
    local = restarted(tmp_path / "home", engine)
    try:
        assert settled(local)["EndpointStatus"] == "InService"
        awaited(lambda: engine.all == {})
        awaited(lambda: answers(local) == "hello")  # once it is taken up
    finally:
        local.server.stop()
    assert (engine.all, engine.all_networks) == ({}, {})
