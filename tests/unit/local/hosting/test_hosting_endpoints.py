"""Endpoints: brought to service, failed, deleted, listed; and what is left of them."""

import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock.local.faults import NoCapacity
from sagedock.testing import Call, Container, Reply, serving
from tests.conftest import BUCKET, IMAGE, Local
from tests.unit.local.hosting.hosting_local import (
    MODEL_URI,
    awaited,
    create_config,
    create_endpoint,
    create_model,
    deploy,
    echo,
    invoke,
    put_model,
    settled,
    until,
    variant,
)


def test_an_endpoint_comes_to_service(local: Local) -> None:
    put_model(local)
    create_model(local, ModelDataUrl=MODEL_URI, Environment={"MODE": "fast"})
    create_config(local, "config-1", variant(InitialInstanceCount=2))
    ready = threading.Event()

    def answer(call: Call) -> Reply:
        return echo(call) if ready.is_set() else Reply(status=503)

    local.engine.program = serving(answer)
    create_endpoint(local, "Endpoint-1")
    creating = local.client("sagemaker").describe_endpoint(EndpointName="Endpoint-1")
    assert creating["EndpointStatus"] == "Creating"
    assert creating["LastModifiedTime"] == creating["CreationTime"]
    (shown,) = creating["ProductionVariants"]
    assert (shown["CurrentInstanceCount"], shown["DesiredInstanceCount"]) == (0, 2)
    assert shown["VariantStatus"][0]["StatusMessage"] == "Launching 2 instance(s)."
    ready.set()
    served = settled(local, "Endpoint-1")
    assert served["EndpointStatus"] == "InService"
    assert served["EndpointArn"].endswith(":endpoint/endpoint-1")
    (shown,) = served["ProductionVariants"]
    assert (shown["CurrentInstanceCount"], shown["CurrentWeight"]) == (2, 1.0)
    assert shown["DeployedImages"][0]["SpecifiedImage"] == IMAGE
    assert "VariantStatus" not in shown
    assert len(local.engine.all) == 2


def test_a_container_is_what_the_contract_says(local: Local) -> None:
    put_model(local, {"weights.bin": b"1234", "code/inference.py": b"x = 1"})
    create_model(local, ModelDataUrl=MODEL_URI, Environment={"MODE": "fast"})
    create_config(local)
    create_endpoint(local)
    settled(local)
    (container,) = local.engine.all.values()
    spec = container.spec
    assert spec.entrypoint is None
    assert spec.command == ("serve",)
    assert container.files["/opt/ml/model/weights.bin"] == b"1234"
    assert container.files["/opt/ml/model/code/inference.py"] == b"x = 1"
    assert [bind.read_only for bind in spec.binds] == [True]
    assert spec.environment["MODE"] == "fast"
    assert spec.environment["AWS_REGION"] == "us-west-2"
    assert spec.environment["AWS_ENDPOINT_URL"].startswith("http://")
    assert spec.ports == (8080,)


def test_an_isolated_model_has_a_network_of_its_own(local: Local) -> None:
    local.client("sagemaker").create_model(
        ModelName="model-1", PrimaryContainer={"Image": IMAGE}, EnableNetworkIsolation=True
    )
    create_config(local)
    create_endpoint(local)
    settled(local)
    (container,) = local.engine.all.values()
    assert local.engine.all_networks[container.spec.network]["isolated"] == "True"
    assert "AWS_ENDPOINT_URL" not in container.spec.environment
    local.client("sagemaker").delete_endpoint(EndpointName="endpoint-1")
    awaited(lambda: container.spec.network not in local.engine.all_networks)


def test_instance_types_limit_what_containers_get(local: Local) -> None:
    deploy(local, variant(InstanceType="ml.c7i.large"))
    (container,) = local.engine.all.values()
    assert container.spec.memory_mib == 4096


def test_logs_are_below_the_endpoint_by_variant_and_instance(local: Local) -> None:
    def program(container: Container) -> int:
        container.print("loading weights")
        return serving(echo)(container)

    local.engine.program = program
    deploy(local)
    logs, group = local.client("logs"), "/aws/sagemaker/Endpoints/endpoint-1"
    awaited(lambda: bool(logs.filter_log_events(logGroupName=group)["events"]))
    (event,) = logs.filter_log_events(logGroupName=group)["events"]
    assert event["message"] == "loading weights"
    variant_name, _, instance = event["logStreamName"].partition("/")
    assert variant_name == "AllTraffic"
    assert len(instance) == len("i-") + 17


def failed(local: Local) -> Any:
    create_config(local)
    create_endpoint(local)
    found = settled(local)
    assert found["EndpointStatus"] == "Failed"
    assert local.engine.all == {}
    return found["FailureReason"]


def test_a_container_that_never_answers_ping_fails_the_endpoint(impatient: Local) -> None:
    local = impatient
    create_model(local)
    local.engine.program = serving(lambda _: Reply(status=400))
    assert failed(local).startswith("The primary container for production variant AllTraffic did")


def test_a_container_that_ends_at_once_fails_the_endpoint(local: Local) -> None:
    create_model(local)

    def program(container: Container) -> int:
        container.print("no model_fn", "stderr")
        return 1

    local.engine.program = program
    assert failed(local).startswith("The primary container for production variant AllTraffic did")
    group = "/aws/sagemaker/Endpoints/endpoint-1"
    events = local.client("logs").filter_log_events(logGroupName=group)["events"]
    assert "no model_fn" in [event["message"] for event in events]


def test_a_container_that_cannot_start_fails_the_endpoint(local: Local) -> None:
    create_model(local)
    local.engine.program = None
    assert failed(local).startswith("CannotStartContainerError. Please ensure the model container")


def test_an_archive_that_is_none_fails_the_endpoint(local: Local) -> None:
    put_model(local)
    create_model(local, ModelDataUrl=MODEL_URI)
    local.client("s3").put_object(Bucket=BUCKET, Key="models/model.tar.gz", Body=b"no archive")
    reason = failed(local)
    assert reason.startswith('Failed to extract model data archive for container "container_1"')
    assert MODEL_URI in reason


def test_data_that_went_fails_the_endpoint(local: Local) -> None:
    put_model(local)
    create_model(local, ModelDataUrl=MODEL_URI)
    local.client("s3").delete_object(Bucket=BUCKET, Key="models/model.tar.gz")
    assert failed(local).startswith(f"Could not access model data at {MODEL_URI}. ")


def test_no_capacity_on_request(local: Local) -> None:
    create_model(local)
    local.server.faults.add(NoCapacity(wait_s=0.01, fails=True))
    assert failed(local).endswith("due to InsufficientInstanceCapacity error.")


def test_one_instance_that_fails_fails_all(local: Local) -> None:
    bad: list[str] = []

    def program(container: Container) -> int:
        instance = container.spec.name
        bad.extend(() if bad else (instance,))
        return 1 if instance in bad else serving(echo)(container)

    local.engine.program = program
    create_model(local)
    create_config(local, "config-1", variant(InitialInstanceCount=3))
    create_endpoint(local)
    assert settled(local)["EndpointStatus"] == "Failed"
    assert local.engine.all == {}


def test_a_deleted_endpoint_leaves_nothing_but_its_logs(local: Local) -> None:
    put_model(local)
    create_model(local, ModelDataUrl=MODEL_URI)
    create_config(local)
    create_endpoint(local)
    arn = settled(local)["EndpointArn"]
    sagemaker = local.client("sagemaker")
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "b"}])
    sagemaker.delete_endpoint(EndpointName="endpoint-1")
    awaited(lambda: not sagemaker.list_endpoints()["Endpoints"])
    assert local.engine.all == {}
    assert list((local.server.settings.home / "endpoints").rglob("*.bin")) == []
    with pytest.raises(ClientError, match="Could not find endpoint"):
        sagemaker.describe_endpoint(EndpointName="endpoint-1")
    create_endpoint(local)
    assert settled(local)["EndpointStatus"] == "InService"
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == []


def test_an_endpoint_in_progress_is_neither_deleted_nor_updated(local: Local) -> None:
    ready = threading.Event()
    local.engine.program = serving(lambda call: Reply(status=200 if ready.is_set() else 503))
    create_model(local)
    create_config(local)
    create_endpoint(local)
    sagemaker = local.client("sagemaker")
    desires = [{"VariantName": "AllTraffic", "DesiredWeight": 1.0}]
    for call in (
        lambda: sagemaker.delete_endpoint(EndpointName="endpoint-1"),
        lambda: sagemaker.update_endpoint(EndpointName="endpoint-1", EndpointConfigName="config-1"),
        lambda: sagemaker.update_endpoint_weights_and_capacities(
            EndpointName="endpoint-1", DesiredWeightsAndCapacities=desires
        ),
    ):
        with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
            call()
    ready.set()
    settled(local)


def test_a_failed_endpoint_can_be_deleted_and_not_updated(local: Local) -> None:
    create_model(local)
    local.engine.program = None
    failed(local)
    sagemaker = local.client("sagemaker")
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
        sagemaker.update_endpoint(EndpointName="endpoint-1", EndpointConfigName="config-1")
    sagemaker.delete_endpoint(EndpointName="endpoint-1")
    awaited(lambda: not sagemaker.list_endpoints()["Endpoints"])


def test_endpoints_are_listed_newest_first_and_by_status(local: Local) -> None:
    deploy(local)
    local.engine.program = None
    create_endpoint(local, "endpoint-2", "endpoint-1-config")
    settled(local, "endpoint-2")
    sagemaker = local.client("sagemaker")
    listed = sagemaker.list_endpoints()["Endpoints"]
    assert [each["EndpointName"] for each in listed] == ["endpoint-2", "endpoint-1"]
    served = sagemaker.list_endpoints(StatusEquals="InService")["Endpoints"]
    assert [each["EndpointName"] for each in served] == ["endpoint-1"]
    assert served[0].keys() == {
        *("EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus"),
    }


def test_a_container_that_dies_is_replaced_while_others_serve(local: Local) -> None:
    deploy(local, variant(InitialInstanceCount=2))
    first, second = list(local.engine.all.values())
    local.engine.kill(first.id)
    for _ in range(20):
        assert invoke(local)["Body"] == b"hello"
    awaited(lambda: first.id not in local.engine.all and len(local.engine.all) == 2)
    awaited(lambda: all(each.state == "running" for each in local.engine.all.values()))
    assert second.id in local.engine.all
    assert until(local, lambda found: True)["EndpointStatus"] == "InService"


def test_the_log_of_a_replaced_container_goes_on_in_its_stream(local: Local) -> None:
    def program(container: Container) -> int:
        container.print("starting")
        return serving(echo)(container)

    local.engine.program = program
    deploy(local)
    logs, group = local.client("logs"), "/aws/sagemaker/Endpoints/endpoint-1"

    def lines() -> list[str]:
        events = logs.filter_log_events(logGroupName=group)["events"]
        return [event["message"] for event in events]

    awaited(lambda: lines() == ["starting"])
    local.engine.kill(next(iter(local.engine.all)))
    replaced = "sagedock: the container ended with code 137 while it served: it is replaced"
    awaited(lambda: lines() == ["starting", replaced, "starting"])
    assert len(logs.describe_log_streams(logGroupName=group)["logStreams"]) == 1


def test_a_quota_of_instances(local: Local) -> None:
    object.__setattr__(local.server.settings, "quotas", {"ml.m5.large for endpoint usage": 1})
    deploy(local)
    with pytest.raises(ClientError) as raised:
        create_endpoint(local, "endpoint-2", "endpoint-1-config")
    assert raised.value.response["Error"]["Code"] == "ResourceLimitExceeded"
    assert "'ml.m5.large for endpoint usage' is 1 Instances" in str(raised.value)


def test_an_absent_configuration_is_refused(local: Local) -> None:
    with pytest.raises(ClientError, match="Could not find endpoint configuration"):
        create_endpoint(local)
