"""Updates, and other weights and counts: what serves changes, and no request is lost."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from sagedock.testing import Call, Reply, serving
from tests.conftest import Local
from tests.unit.local.hosting.hosting_local import (
    awaited,
    create_config,
    create_model,
    deploy,
    echo,
    invoke,
    settled,
    until,
    variant,
)


def mode(call: Call) -> Reply:
    """A model that answers which one it is."""
    told = call.container.spec.environment.get("MODE", "old")
    if told == "broken":
        return Reply(status=500)
    return Reply(body=told.encode())


def next_config(local: Local, told: str, *variants: dict[str, Any]) -> str:
    """Create a model that is ``told``, and a configuration with it; return its name."""
    create_model(local, told, Environment={"MODE": told})
    return create_config(local, f"{told}-config", *(variants or (variant(ModelName=told),)))


def update(local: Local, config: str, **more: Any) -> None:
    local.client("sagemaker").update_endpoint(
        EndpointName="endpoint-1", EndpointConfigName=config, **more
    )


def updated(local: Local, config: str) -> Any:
    """Wait until ``config`` serves."""
    return until(
        local,
        lambda found: (
            found["EndpointConfigName"] == config and found["EndpointStatus"] == "InService"
        ),
    )


@contextmanager
def traffic(local: Local) -> Iterator[list[bytes]]:
    """Invoke all the time, from two threads; give the answers so far. Every failure is raised."""
    answers: list[bytes] = []
    failures: list[Exception] = []
    over = threading.Event()

    def run() -> None:
        while not over.is_set():
            try:
                answers.append(invoke(local)["Body"])
            except (ClientError, BotoCoreError) as error:
                failures.append(error)
                return

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    awaited(lambda: len(answers) > 5 or bool(failures))
    try:
        yield answers
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert failures == []


def test_the_old_fleet_serves_until_the_new_one_does(local: Local) -> None:
    ready = threading.Event()

    def answer(call: Call) -> Reply:
        reply = mode(call)
        return Reply(status=503) if reply.body == b"new" and not ready.is_set() else reply

    local.engine.program = serving(answer)
    deploy(local)
    config = next_config(local, "new")
    (old,) = local.engine.all
    with traffic(local) as answers:
        update(local, config)
        pending = until(local, lambda found: "PendingDeploymentSummary" in found)
        assert pending["EndpointStatus"] == "Updating"
        assert pending["EndpointConfigName"] == "endpoint-1-config"
        summary = pending["PendingDeploymentSummary"]
        assert summary["EndpointConfigName"] == config
        assert summary["ProductionVariants"][0]["InstanceType"] == "ml.m5.large"
        awaited(lambda: len(local.engine.all) == 2)
        count = len(answers)
        awaited(lambda: len(answers) > count + 5)
        assert set(answers) == {b"old"}
        ready.set()
        found = updated(local, config)
        awaited(lambda: b"new" in answers)
    assert "PendingDeploymentSummary" not in found
    assert "FailureReason" not in found
    assert set(answers) == {b"old", b"new"}
    awaited(lambda: old not in local.engine.all)
    assert invoke(local)["Body"] == b"new"


def test_a_request_in_flight_is_answered_by_the_old_fleet(local: Local) -> None:
    inside, over = threading.Event(), threading.Event()

    def answer(call: Call) -> Reply:
        if call.body == b"slow":
            inside.set()
            over.wait(60)
        return mode(call)

    local.engine.program = serving(answer)
    deploy(local)
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(invoke(local, b"slow")["Body"]))
    thread.start()
    assert inside.wait(60)
    config = next_config(local, "new")
    update(local, config)
    updated(local, config)
    assert invoke(local)["Body"] == b"new"
    over.set()
    thread.join()
    assert answers == [b"old"]
    awaited(lambda: len(local.engine.all) == 1)


def test_a_stream_in_flight_ends_whole_after_an_update(local: Local) -> None:
    over = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield b"one "
        over.wait(60)
        yield b"two"

    def answer(call: Call) -> Reply:
        return Reply(pieces=pieces) if call.body == b"stream" else mode(call)

    local.engine.program = serving(answer)
    deploy(local)
    stream = local.client("sagemaker-runtime").invoke_endpoint_with_response_stream(
        EndpointName="endpoint-1", Body=b"stream"
    )
    events = iter(stream["Body"])
    text = next(events)["PayloadPart"]["Bytes"]
    config = next_config(local, "new")
    update(local, config)
    updated(local, config)
    over.set()
    text += b"".join(event["PayloadPart"]["Bytes"] for event in events)
    assert text == b"one two"
    awaited(lambda: len(local.engine.all) == 1)


def test_a_deletion_does_not_wait_for_what_is_in_flight(local: Local) -> None:
    inside, over = threading.Event(), threading.Event()

    def answer(call: Call) -> Reply:
        if call.body == b"slow":
            inside.set()
            over.wait(60)
        return mode(call)

    local.engine.program = serving(answer)
    deploy(local)
    refused: list[str] = []

    def ask() -> None:
        try:
            invoke(local, b"slow")
        except ClientError as error:
            refused.append(error.response["Error"]["Code"])

    thread = threading.Thread(target=ask)
    thread.start()
    assert inside.wait(60)
    local.client("sagemaker").delete_endpoint(EndpointName="endpoint-1")
    awaited(lambda: local.engine.all == {}, timeout_s=60)
    over.set()
    thread.join()
    awaited(lambda: not local.client("sagemaker").list_endpoints()["Endpoints"])


def test_an_update_that_fails_is_taken_back(impatient: Local) -> None:
    local = impatient
    local.engine.program = serving(mode)
    deploy(local)
    config = next_config(local, "broken")
    with traffic(local) as answers:
        update(local, config)
        found = until(local, lambda found: "FailureReason" in found, timeout_s=30)
        found = until(local, lambda found: found["EndpointStatus"] == "InService")
    assert found["EndpointConfigName"] == "endpoint-1-config"
    assert "did not pass the ping health check" in found["FailureReason"]
    assert "PendingDeploymentSummary" not in found
    assert set(answers) == {b"old"}
    assert len(local.engine.all) == 1
    update(local, next_config(local, "new"))
    assert "FailureReason" not in updated(local, "new-config")


def test_an_update_to_an_absent_configuration_is_refused(local: Local) -> None:
    deploy(local)
    with pytest.raises(ClientError, match=r'endpoint configuration ".*endpoint-config/other"'):
        update(local, "other")
    local.client("sagemaker").delete_endpoint_config(EndpointConfigName="endpoint-1-config")
    config = create_config(local, "config-2")
    with pytest.raises(ClientError, match=r'configuration ".*endpoint-config/endpoint-1-config"'):
        update(local, config)
    with pytest.raises(ClientError, match='Could not find endpoint "'):
        local.client("sagemaker").update_endpoint(EndpointName="other", EndpointConfigName=config)


def reweigh(local: Local, **desires: dict[str, Any]) -> None:
    local.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName="endpoint-1",
        DesiredWeightsAndCapacities=[
            {"VariantName": name, **each} for name, each in desires.items()
        ],
    )


def test_scaling_up_and_down_loses_no_request(local: Local) -> None:
    local.engine.program = serving(echo)
    deploy(local, variant("a"), variant("b"))
    with traffic(local):
        reweigh(local, a={"DesiredInstanceCount": 3}, b={"DesiredWeight": 0.0})
        found = settled(local)
        assert len(local.engine.all) == 4
        counts = {
            each["VariantName"]: (each["CurrentInstanceCount"], each["CurrentWeight"])
            for each in found["ProductionVariants"]
        }
        assert counts == {"a": (3, 1.0), "b": (1, 0.0)}
        reweigh(local, a={"DesiredInstanceCount": 1})
        settled(local)
        assert len(local.engine.all) == 2
    assert {invoke(local)["InvokedProductionVariant"] for _ in range(10)} == {"a"}


def test_scaling_up_that_fails_is_taken_back(local: Local) -> None:
    deploy(local)
    local.engine.program = None
    reweigh(local, AllTraffic={"DesiredInstanceCount": 2})
    found = until(local, lambda found: "FailureReason" in found)
    found = until(local, lambda found: found["EndpointStatus"] == "InService")
    assert found["FailureReason"].startswith("CannotStartContainerError")
    assert found["ProductionVariants"][0]["DesiredInstanceCount"] == 1
    assert len(local.engine.all) == 1
    assert invoke(local)["Body"] == b"hello"


@pytest.mark.parametrize(
    ("desire", "told"),
    [
        ({"other": {"DesiredWeight": 1.0}}, r'The variant name\(s\) "other" is/are not present'),
        ({"AllTraffic": {"DesiredInstanceCount": 0}}, "must be at least 1"),
    ],
)
def test_desires_that_cannot_be_are_refused(
    local: Local, desire: dict[str, Any], told: str
) -> None:
    deploy(local)
    with pytest.raises(ClientError, match=told):
        reweigh(local, **desire)
    assert settled(local)["ProductionVariants"][0]["DesiredInstanceCount"] == 1


def test_variants_keep_what_they_were_scaled_to(local: Local) -> None:
    local.engine.program = serving(mode)
    deploy(local)
    reweigh(local, AllTraffic={"DesiredInstanceCount": 2, "DesiredWeight": 5.0})
    settled(local)
    config = next_config(local, "new")
    excluded = [{"VariantPropertyType": "DesiredWeight"}]
    update(
        local,
        config,
        RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=excluded,
    )
    (shown,) = updated(local, config)["ProductionVariants"]
    assert (shown["CurrentInstanceCount"], shown["CurrentWeight"]) == (2, 1.0)
    awaited(lambda: len(local.engine.all) == 2)
