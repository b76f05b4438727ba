"""Copies of inference components: how many, where, and in whose place."""

import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock.api.component_metrics import NO_CAPACITY
from sagedock.engine import Usage
from sagedock.testing import Call, Container, FakeEngine, Reply, serving
from tests.conftest import IMAGE, Local
from tests.unit.local.hosting.components_local import (
    NEEDS,
    at_rest,
    create_component,
    deployed,
    described,
    host,
    hosting_config,
    resize,
    whoami,
)
from tests.unit.local.hosting.conftest import started
from tests.unit.local.hosting.hosting_local import awaited, create_model, echo, invoke, settled

MIB = 1024 * 1024


def counts(local: Local, name: str = "first") -> tuple[int, int]:
    """Return how many copies are wanted, and how many there are."""
    runtime = described(local, name)["RuntimeConfig"]
    return runtime["DesiredCopyCount"], runtime["CurrentCopyCount"]


def refused(call: Any, *arguments: Any, **named: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(*arguments, **named)
    return str(caught.value.response["Error"]["Message"])


def answering(local: Local, asks: int = 60) -> set[bytes]:
    return {invoke(local, InferenceComponentName="first")["Body"] for _ in range(asks)}


def test_every_copy_answers(local: Local) -> None:
    local.engine.program = serving(whoami)
    host(local)
    assert deployed(local, copies=2)["RuntimeConfig"]["CurrentCopyCount"] == 2
    assert len(answering(local)) == 2


def test_the_least_busy_copy_answers_where_the_variant_says_so(local: Local) -> None:
    held = threading.Event()

    def answer(call: Call) -> Reply:
        if call.body == b"slow":
            held.wait(60)
        return whoami(call)

    local.engine.program = serving(answer)
    host(local, RoutingConfig={"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"})
    deployed(local, copies=2)
    slow: list[bytes] = []

    def ask() -> None:
        slow.append(invoke(local, b"slow", InferenceComponentName="first")["Body"])

    thread = threading.Thread(target=ask)
    thread.start()
    awaited(lambda: len(answering(local, 20)) == 1)
    (other,) = answering(local, 20)
    held.set()
    thread.join()
    assert slow != [other]


def test_copies_are_added_and_removed_without_a_lost_request(local: Local) -> None:
    local.engine.program = serving(whoami)
    host(local)
    deployed(local)
    over, failed = threading.Event(), []

    def load() -> None:
        while not over.wait(0.002):
            try:
                invoke(local, InferenceComponentName="first")
            except Exception as error:  # noqa: BLE001 - told by the assertion below
                failed.append(error)

    thread = threading.Thread(target=load)
    thread.start()
    try:
        resize(local, 3)
        assert counts(local)[0] == 3
        at_rest(local)
        assert counts(local) == (3, 3)
        assert len(local.engine.all) == 3
        resize(local, 1)
        at_rest(local)
        assert counts(local) == (1, 1)
        awaited(lambda: len(local.engine.all) == 1)
    finally:
        over.set()
        thread.join()
    assert failed == []


def test_without_a_copy_a_call_is_told_of_no_capacity_and_so_is_cloudwatch(local: Local) -> None:
    host(local)
    deployed(local)
    resize(local, 0)
    found = at_rest(local)
    assert found["RuntimeConfig"] == {"DesiredCopyCount": 0, "CurrentCopyCount": 0}
    awaited(lambda: local.engine.all == {})
    said = refused(invoke, local, InferenceComponentName="first")
    assert said.startswith("Inference Component has no capacity to process this request.")
    awaited(lambda: total(local, NO_CAPACITY.name) == 1)
    resize(local, 1)
    at_rest(local)
    assert invoke(local, InferenceComponentName="first")["Body"] == b"hello"


def test_what_copies_use_is_published_in_percent_of_what_is_reserved(tmp_path: Path) -> None:
    def program(container: Container) -> int:
        begun = time.time()

        def uses() -> Usage:
            at_s = time.time()
            return Usage(
                at_s=at_s,
                started_at_s=begun,
                cpu_s=(at_s - begun) / 4,
                cpus=2,
                memory_bytes=512 * MIB,
                memory_limit_bytes=2048 * MIB,
            )

        def refresh() -> None:
            while not container.ended.wait(0.01):
                container.usage = uses()

        container.usage = uses()
        threading.Thread(target=refresh, daemon=True).start()
        return serving(echo)(container)

    engine = FakeEngine(program, images=[IMAGE])
    with started(tmp_path / "home", engine=engine, metrics_period_s=0.1) as local:
        host(local)
        deployed(local)  # a gigabyte and half a processor
        namespace = "/aws/sagemaker/InferenceComponents"
        awaited(lambda: bool(points(local, "CPUUtilizationNormalized", namespace)))
        memory = points(local, "MemoryUtilizationNormalized", namespace)[-1]
        assert (memory["Average"], memory["Unit"]) == (50, "Percent")
        cpu = points(local, "CPUUtilizationNormalized", namespace)[-1]
        assert cpu["Average"] == pytest.approx(50)


def points(local: Local, metric: str, namespace: str = "AWS/SageMaker") -> list[Any]:
    """Return the statistics of a metric of the component, of the last hour."""
    now = datetime.now(UTC)
    return list(
        local.client("cloudwatch").get_metric_statistics(
            Namespace=namespace,
            MetricName=metric,
            Dimensions=[{"Name": "InferenceComponentName", "Value": "first"}],
            StartTime=now - timedelta(minutes=10),
            EndTime=now + timedelta(minutes=10),
            Period=3600,
            Statistics=["Sum", "Average"],
        )["Datapoints"]
    )


def total(local: Local, metric: str) -> float:
    """Return the sum of a metric of the component."""
    return float(sum(each["Sum"] for each in points(local, metric)))


def test_invocations_are_counted_by_component_and_copy(local: Local) -> None:
    host(local)
    deployed(local, copies=2)
    for _ in range(4):
        invoke(local, InferenceComponentName="first")
    awaited(lambda: total(local, "Invocations") == 4)
    assert total(local, "InvocationsPerCopy") == 2
    assert total(local, "ModelLatency") > 0


def test_another_specification_takes_the_place_of_the_first(local: Local) -> None:
    host(local)
    create_model(local, "model-2", Environment={"MODE": "new"})
    deployed(local, copies=2)
    old = set(local.engine.all)
    needs = {**NEEDS, "MinMemoryRequiredInMb": 2048}
    local.client("sagemaker").update_inference_component(
        InferenceComponentName="first",
        Specification={"ModelName": "model-2", "ComputeResourceRequirements": needs},
        RuntimeConfig={"CopyCount": 1},
    )
    found = at_rest(local)
    assert found["Specification"]["ModelName"] == "model-2"
    assert found["Specification"]["ComputeResourceRequirements"] == needs
    assert found["RuntimeConfig"] == {"DesiredCopyCount": 1, "CurrentCopyCount": 1}
    (now,) = local.engine.all.values()
    assert now.id not in old
    assert now.spec.environment["MODE"] == "new"
    assert invoke(local, InferenceComponentName="first")["Body"] == b"hello"


def test_an_update_that_does_not_serve_is_taken_back(impatient: Local) -> None:
    local = impatient
    host(local)
    deployed(local)
    before = set(local.engine.all)
    local.engine.program = serving(lambda _: Reply(status=503))
    local.client("sagemaker").update_inference_component(
        InferenceComponentName="first",
        Specification={"ModelName": "model-1", "ComputeResourceRequirements": NEEDS},
    )
    found = at_rest(local)
    assert found["InferenceComponentStatus"] == "InService"
    assert "did not pass the ping health check" in found["FailureReason"]
    awaited(lambda: set(local.engine.all) == before)
    resize(local, 2)
    found = at_rest(local)
    assert found["RuntimeConfig"] == {"DesiredCopyCount": 1, "CurrentCopyCount": 1}
    assert set(local.engine.all) == before
    assert invoke(local, InferenceComponentName="first")["Body"] == b"hello"


def test_one_change_at_a_time(local: Local) -> None:
    ready = threading.Event()
    host(local)
    local.engine.program = serving(lambda call: echo(call) if ready.is_set() else Reply(status=503))
    create_component(local)
    begins = 'Cannot update in-progress inference component "arn:aws:sagemaker:'
    assert refused(resize, local, 2).startswith(begins)
    delete = local.client("sagemaker").delete_inference_component
    assert refused(delete, InferenceComponentName="first").startswith(begins)
    said = refused(invoke, local, InferenceComponentName="first")
    assert said.startswith("Inference Component has no capacity to process this request.")
    ready.set()
    assert at_rest(local)["InferenceComponentStatus"] == "InService"


def test_an_endpoint_is_updated_while_components_serve(local: Local) -> None:
    host(local)
    deployed(local)
    hosting_config(local, "config-2", InitialInstanceCount=2)
    hosting_config(local, "config-3", InstanceType="ml.m5.xlarge")
    sagemaker = local.client("sagemaker")
    sagemaker.update_endpoint(EndpointName="endpoint-1", EndpointConfigName="config-2")
    awaited(
        lambda: (
            sagemaker.describe_endpoint(EndpointName="endpoint-1")["EndpointStatus"] == "InService"
        )
    )
    assert settled(local)["EndpointConfigName"] == "config-2"
    assert invoke(local, InferenceComponentName="first")["Body"] == b"hello"
    said = refused(
        sagemaker.update_endpoint, EndpointName="endpoint-1", EndpointConfigName="config-3"
    )
    assert said.startswith("Cannot update endpoint endpoint-1: copies of inference component first")


def test_a_deletion_does_not_wait_for_what_is_in_flight(local: Local) -> None:
    held, begun = threading.Event(), threading.Event()

    def answer(call: Call) -> Reply:
        if call.path != "/ping":
            begun.set()
            held.wait(60)
        return Reply()

    local.engine.program = serving(answer)
    host(local)
    deployed(local)

    def ask() -> None:
        with suppress(ClientError):  # its container is stopped meanwhile
            invoke(local, InferenceComponentName="first")

    asking = threading.Thread(target=ask)
    asking.start()
    assert begun.wait(60)
    local.client("sagemaker").delete_inference_component(InferenceComponentName="first")
    try:
        awaited(lambda: local.engine.all == {})
    finally:
        held.set()
        asking.join()
    awaited(
        lambda: not local.client("sagemaker").list_inference_components()["InferenceComponents"]
    )
