"""Several containers in one instance: one after the other, or the one that a request names."""

import threading
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock.contract import labels
from sagedock.testing import Call, Container, Reply, serving
from tests.conftest import BUCKET, IMAGE, ROLE, Local
from tests.unit.local.hosting.conftest import started
from tests.unit.local.hosting.hosting_local import (
    awaited,
    create_config,
    create_endpoint,
    invoke,
    put_model,
    settled,
    variant,
)
from tests.unit.local.hosting.many_models import PREFIX, ManyModels, put
from tests.unit.local.hosting.test_hosting_metrics import statistics
from tests.unit.local.hosting.test_hosting_models import refused

OWN = "com.amazonaws.sagemaker.capabilities"


def relay(call: Call) -> Reply:
    """A container that adds its name to what it gets, and the type it came with."""
    if call.path == "/ping":
        return Reply(status=int(call.container.spec.environment.get("PING", "200")))
    name = call.container.spec.environment["NAME"]
    if name in call.body.decode().split():
        return Reply(status=418, body=f"{name} cannot".encode())
    told = f"{call.body.decode()}>{name}({call.headers['content-type']}"
    accept = call.headers.get("accept")
    return Reply(
        body=f"{told}{f';{accept}' if accept else ''})".encode(),
        headers={"Content-Type": f"text/{name}"},
    )


def container(name: str, **changes: Any) -> dict[str, Any]:
    environment = {"NAME": name, **changes.pop("Environment", {})}
    return {"Image": IMAGE, "Environment": environment, **changes}


def create_pipeline(local: Local, *containers: dict[str, Any], mode: str | None = None) -> None:
    local.engine.labels = dict.fromkeys((labels.ACCEPTS_PORT, labels.SERVES_MANY), labels.SAYS_YES)
    execution = {"InferenceExecutionConfig": {"Mode": mode}} if mode else {}
    local.client("sagemaker").create_model(
        ModelName="model-1", Containers=list(containers), ExecutionRoleArn=ROLE, **execution
    )


def deploy_pipeline(
    local: Local, *containers: dict[str, Any], mode: str | None = None, **changes: Any
) -> Any:
    local.engine.program = serving(relay)
    create_pipeline(local, *containers, mode=mode)
    create_config(local, "config-1", variant(**changes))
    create_endpoint(local)
    return settled(local)


def own(local: Local) -> list[Container]:
    """Return the containers, in their order."""
    return sorted(local.engine.all.values(), key=lambda each: each.spec.labels["sagedock.place"])


def told(local: Local, **more: Any) -> tuple[str, dict[str, Any]]:
    """Return the code and the whole of a refused invocation."""
    with pytest.raises(ClientError) as raised:
        invoke(local, **more)
    return raised.value.response["Error"]["Code"], raised.value.response


def test_the_answer_of_one_is_the_request_of_the_next(local: Local) -> None:
    found = deploy_pipeline(local, container("a"), container("b"), container("c"))
    assert found["EndpointStatus"] == "InService"
    assert len(found["ProductionVariants"][0]["DeployedImages"]) == 3
    answer = invoke(local, b"x", Accept="text/wanted")
    assert answer["Body"] == b"x>a(text/plain)>b(text/a)>c(text/b;text/wanted)"
    assert answer["ContentType"] == "text/c"
    described = local.client("sagemaker").describe_model(ModelName="model-1")
    assert described["InferenceExecutionConfig"] == {"Mode": "Serial"}


def test_each_has_its_name_its_port_and_its_model(local: Local) -> None:
    uri = put_model(local, {"w": b"1"})
    deploy_pipeline(
        local,
        container("a", ContainerHostname="first", ModelDataUrl=uri),
        container("b", ContainerHostname="second"),
    )
    one, two = own(local)
    assert (one.spec.hostname, two.spec.hostname) == ("first", "second")
    ports = [each.spec.environment["SAGEMAKER_BIND_TO_PORT"] for each in (one, two)]
    assert ports == ["8080", "8081"]
    safe = [each.spec.environment["SAGEMAKER_SAFE_PORT_RANGE"] for each in (one, two)]
    assert safe == ["17000-17999", "18000-18999"]
    assert one.files == {"/opt/ml/model/w": b"1"}
    assert two.files == {}


def test_the_name_of_one_without_a_name_is_its_number(local: Local) -> None:
    deploy_pipeline(local, container("a"), container("b"))
    assert [each.spec.hostname for each in own(local)] == ["container-1", "container-2"]


def test_an_error_ends_it_and_names_the_container(local: Local) -> None:
    deploy_pipeline(local, container("a"), container("b"), container("c"))
    code, found = told(local, body=b"b x")
    assert code == "ModelError"
    assert (found["OriginalStatusCode"], found["OriginalMessage"]) == (418, "b cannot")
    assert found["Error"]["Message"].startswith(
        'Received client error (418) from container-2 with message "b cannot". See https://'
    )


def test_one_that_is_too_slow_or_breaks_off_is_named(impatient: Local) -> None:
    deploy_pipeline(impatient, container("a"), container("b"))
    gate = threading.Event()

    def answer(call: Call) -> Reply:
        if call.path != "/ping" and call.container.spec.environment["NAME"] == "b":
            if b"break" in call.body:
                return Reply(pieces=lambda: [b"part", None])
            gate.wait(60)
        return relay(call)

    impatient.engine.program = serving(answer)
    sagemaker = impatient.client("sagemaker")
    sagemaker.update_endpoint(EndpointName="endpoint-1", EndpointConfigName="config-1")
    settled(impatient)
    message = told(impatient)[1]["Error"]["Message"]
    gate.set()
    assert message.startswith("Received server error (0) from container-2 with message")
    assert "a response from container container-2." in message
    message = told(impatient, body=b"break")[1]["Error"]["Message"]
    assert message.startswith("Received server error (500) from container-2 and could not load")


def test_a_stream_is_that_of_the_last(local: Local) -> None:
    deploy_pipeline(local, container("a"), container("b"))
    runtime = local.client("sagemaker-runtime")
    stream = runtime.invoke_endpoint_with_response_stream(
        EndpointName="endpoint-1", Body=b"x", ContentType="text/plain"
    )["Body"]
    body = b"".join(each["PayloadPart"]["Bytes"] for each in stream)
    assert body == b"x>a(text/plain)>b(text/a)"
    with pytest.raises(ClientError, match="from container-1 with message"):
        runtime.invoke_endpoint_with_response_stream(EndpointName="endpoint-1", Body=b"a")


def test_all_of_them_must_answer_ping(impatient: Local) -> None:
    found = deploy_pipeline(impatient, container("a"), container("b", Environment={"PING": "500"}))
    assert found["EndpointStatus"] == "Failed"
    assert found["FailureReason"] == (
        "The container-2 for production variant AllTraffic did not pass the ping health check. "
        "Please check CloudWatch logs for this endpoint. (GET /ping was answered with 500.)"
    )
    assert impatient.engine.all == {}


def test_one_that_ends_is_replaced_and_no_request_comes_meanwhile(local: Local) -> None:
    deploy_pipeline(local, container("a"), container("b"))
    one, two = own(local)
    two.end(1)
    awaited(lambda: two.id not in local.engine.all and len(local.engine.all) == 2)
    awaited(lambda: _answers(local))
    assert one.id in local.engine.all


def _answers(local: Local) -> bool:
    try:
        return bool(invoke(local, b"x")["Body"] == b"x>a(text/plain)>b(text/a)")
    except ClientError:
        return False


def test_each_has_a_log_stream(local: Local) -> None:
    def program(made: Container) -> int:
        made.print(f"I am {made.spec.hostname}")
        return serving(relay)(made)

    names = ("one", "two")
    deploy_pipeline(local, *(container(name, ContainerHostname=name) for name in names))
    local.engine.program = program
    local.client("sagemaker").update_endpoint(
        EndpointName="endpoint-1", EndpointConfigName="config-1"
    )
    settled(local)
    group = "/aws/sagemaker/Endpoints/endpoint-1"

    def said() -> dict[str, str]:
        found = local.client("logs").filter_log_events(logGroupName=group)["events"]
        return {each["message"]: each["logStreamName"] for each in found}

    awaited(lambda: {"I am one", "I am two"} <= said().keys())
    for name in names:
        variant_name, instance, own_name = said()[f"I am {name}"].split("/")
        assert (variant_name, own_name) == ("AllTraffic", name)
        assert instance.startswith("i-")


def test_latencies_of_each_and_of_all(local: Local) -> None:
    deploy_pipeline(local, container("a"), container("b"))
    invoke(local)
    awaited(lambda: statistics(local, "ContainerLatency", container="container-2") is not None)
    parts = [
        statistics(local, "ContainerLatency", container=f"container-{n}")["Sum"] for n in (1, 2)
    ]
    assert sum(parts) < statistics(local, "ModelLatency")["Sum"] * 1.05


def test_several_instances_each_with_all_containers(local: Local) -> None:
    deploy_pipeline(local, container("a"), container("b"), InitialInstanceCount=2)
    assert len(local.engine.all) == 4
    sagemaker = local.client("sagemaker")
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="endpoint-1",
        DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 1}],
    )
    settled(local)
    assert len(local.engine.all) == 2
    assert _answers(local)
    sagemaker.delete_endpoint(EndpointName="endpoint-1")
    awaited(lambda: local.engine.all == {})


def test_instances_are_taken_up_whole(tmp_path: Path) -> None:
    with started(tmp_path / "home") as local:
        deploy_pipeline(local, container("a"), container("b"), InitialInstanceCount=2)
        engine, specs = local.engine, [each.spec for each in local.engine.all.values()]
    by_instance = sorted(specs, key=lambda each: each.labels["sagedock.instance"])
    left = [engine.create(each) for each in by_instance[:3]]  # of the last one, one is gone
    for each in left:
        engine.start(each)
    with started(tmp_path / "home", engine=engine, bucket=False) as local:
        awaited(lambda: _answers(local))
        assert set(left[:2]) < set(engine.all)
        assert left[2] not in engine.all
        assert len(engine.all) == 4


def test_one_of_them_may_serve_many_models(local: Local) -> None:
    models = ManyModels()

    def both(call: Call) -> Reply:
        return relay(call) if "NAME" in call.container.spec.environment else models(call)

    put(local, "m.tar.gz")
    create_pipeline(
        local, container("a"), {"Image": IMAGE, "Mode": "MultiModel", "ModelDataUrl": PREFIX}
    )
    local.engine.program = serving(both)
    create_config(local)
    create_endpoint(local)
    settled(local)
    assert invoke(local, b"x", TargetModel="m.tar.gz")["Body"] == b"m.tar.gz x>a(text/plain)"
    assert "is missing a target model header" in told(local)[1]["Error"]["Message"]


# --- direct invocation -----------------------------------------------------------------------


def deploy_direct(local: Local) -> None:
    deploy_pipeline(
        local,
        container("a", ContainerHostname="first"),
        container("b", ContainerHostname="second"),
        mode="Direct",
    )


def test_a_request_goes_to_the_container_that_it_names(local: Local) -> None:
    deploy_direct(local)
    for name, answer in (("first", b"x>a(text/plain)"), ("second", b"x>b(text/plain)")):
        assert invoke(local, b"x", TargetContainerHostname=name)["Body"] == answer
    code, found = told(local, body=b"b", TargetContainerHostname="second")
    assert (code, found["OriginalStatusCode"]) == ("ModelError", 418)
    assert "from second with message" in found["Error"]["Message"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({}, "is missing a target container hostname header."),
        ({"TargetContainerHostname": "no"}, "Container no not found for endpoint endpoint-1."),
        (
            {"TargetModel": "m.tar.gz", "TargetContainerHostname": "first"},
            "Endpoint endpoint-1 is not a multi-model endpoint and does not support target model "
            "header.",
        ),
    ],
)  # fmt: skip
def test_a_request_must_name_one_of_them(local: Local, more: dict[str, str], message: str) -> None:
    deploy_direct(local)
    code, found = told(local, **more)
    assert (code, found["ResponseMetadata"]["HTTPStatusCode"]) == ("ValidationError", 400)
    assert found["Error"]["Message"].endswith(message)


def test_a_container_cannot_be_named_elsewhere(local: Local) -> None:
    deploy_pipeline(local, container("a"), container("b"))
    message = told(local, TargetContainerHostname="container-1")[1]["Error"]["Message"]
    assert message.startswith("Endpoint endpoint-1 is not a multi-container endpoint with direct")


def test_metrics_of_each_container_that_is_invoked_directly(local: Local) -> None:
    deploy_direct(local)
    invoke(local, b"x", TargetContainerHostname="first")
    told(local, body=b"b", TargetContainerHostname="second")
    awaited(lambda: statistics(local, "Invocation4XXErrors", container="second") is not None)
    assert statistics(local, "Invocation4XXErrors", container="second")["Sum"] == 1
    assert statistics(local, "Invocations", container="first")["Sum"] == 1
    assert statistics(local, "Invocation4XXErrors", container="first")["Sum"] == 0


# --- what cannot be ---------------------------------------------------------------------------


def test_models_that_cannot_be(local: Local) -> None:
    create = local.client("sagemaker").create_model

    def message(*containers: dict[str, Any], **more: Any) -> str:
        return refused(create, ModelName="m", Containers=list(containers), **more)

    one = {"Image": IMAGE}
    assert message(one, one) == (
        f"Your Ecr Image {IMAGE} does not contain required {OWN}.accept-bind-to-port=true Docker "
        "label(s)."
    )
    many = {**one, "Mode": "MultiModel", "ModelDataUrl": PREFIX}
    assert message(many, many) == (
        "More than one container in MultiModel mode is not supported with inference pipeline."
    )
    named = {**one, "ContainerHostname": "a"}
    assert message(named, one) == (
        "ContainerHostname must be specified for every container, or for none."
    )
    assert message(named, named) == "ContainerHostname must be unique within a model: a"
    direct = {"InferenceExecutionConfig": {"Mode": "Direct"}}
    assert message(one, one, **direct).startswith("ContainerHostname must be specified for every")
    assert message(named, {**many, "ContainerHostname": "b"}, **direct).startswith(
        "The local SageMaker cannot carry out: InferenceExecutionConfig.Mode Direct with"
    )
    local.engine.labels = {labels.ACCEPTS_PORT: labels.SAYS_YES}
    create(ModelName="alone", Containers=[one], **direct)  # one is what it is


def test_a_backlog_for_several_is_refused_by_name(local: Local) -> None:
    create_pipeline(local, container("a"), container("b"))
    with pytest.raises(ClientError, match="AsyncInferenceConfig with model-1, which has several"):
        local.client("sagemaker").create_endpoint_config(
            EndpointConfigName="later",
            ProductionVariants=[variant()],
            AsyncInferenceConfig={"OutputConfig": {"S3OutputPath": f"s3://{BUCKET}/out"}},
        )
