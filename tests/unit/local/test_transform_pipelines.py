"""Transform jobs of models of several containers: payloads go through them in order."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock.contract import labels
from sagedock.local.transform import model_client
from sagedock.testing import Call, Container, Reply, serving
from tests.conftest import BUCKET, IMAGE, ROLE, Local
from tests.unit.local.hosting.hosting_local import create_model, put_model
from tests.unit.local.test_transform_hosted import (
    awaited,
    create,
    ended,
    is_clean,
    opened,
    output,
)

GROUP = "/aws/sagemaker/TransformJobs"
SOURCE = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/in/"}}
TWO = {"InstanceType": "ml.m5.large", "InstanceCount": 2}


def named(call: Call) -> str:
    """Return what a container calls itself."""
    return call.container.spec.environment["NAME"]


def relay(call: Call) -> Reply:
    """A container that adds to every line its name, the type it came with, and what is accepted."""
    environment = call.container.spec.environment
    if call.path == "/execution-parameters":
        told = environment.get("PARAMETERS", "")
        return Reply(status=200 if told else 404, body=told.encode())
    if call.path == "/ping":
        return Reply(status=int(environment.get("PING", "200")))
    accept = call.headers.get("accept", "-")
    told = f">{named(call)}({call.headers.get('content-type', '-')},{accept})"
    lines = [f"{line}{told}\n" for line in call.body.decode().splitlines()]
    return Reply(body="".join(lines).encode(), headers={"Content-Type": f"text/{named(call)}"})


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Local]:
    with opened(tmp_path / "home") as made:
        made.engine.program = serving(relay)
        yield made


def container(name: str, environment: dict[str, str] | None = None, **changes: Any) -> Any:
    return {"Image": IMAGE, "Environment": {"NAME": name, **(environment or {})}, **changes}


def create_pipeline(local: Local, *containers: Any, **more: Any) -> None:
    local.engine.labels = dict.fromkeys((labels.ACCEPTS_PORT, labels.SERVES_MANY), labels.SAYS_YES)
    local.client("sagemaker").create_model(
        ModelName="model-1", Containers=list(containers), ExecutionRoleArn=ROLE, **more
    )


def put(local: Local, objects: dict[str, bytes]) -> None:
    """Have these objects to transform, instead of what there was."""
    s3 = local.client("s3")
    s3.delete_object(Bucket=BUCKET, Key="in/a.txt")
    for key, data in objects.items():
        s3.put_object(Bucket=BUCKET, Key=f"in/{key}", Body=data)


def outputs(local: Local) -> list[str]:
    found = local.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="out/")
    return [each["Key"] for each in found.get("Contents", ())]


def events(local: Local) -> list[tuple[str, str]]:
    """Return what the job's streams are called, after the instance, with each line in them."""
    found = local.client("logs").filter_log_events(logGroupName=GROUP)["events"]
    return [("/".join(each["logStreamName"].split("/")[2:]), each["message"]) for each in found]


def data_log(local: Local) -> list[str]:
    return [
        message.partition(":[sagemaker logs]: ")[2]
        for stream, message in events(local)
        if stream == "data-log"
    ]


def test_the_answer_of_one_is_the_request_of_the_next(local: Local) -> None:
    create_pipeline(local, container("a"), container("b"), container("c"))
    create(
        local,
        TransformInput={"DataSource": SOURCE, "SplitType": "Line", "ContentType": "text/csv"},
        TransformOutput={"S3OutputPath": f"s3://{BUCKET}/out", "Accept": "text/last"},
    )
    assert ended(local)["TransformJobStatus"] == "Completed"
    way = b">a(text/csv,-)>b(text/a,-)>c(text/b,text/last)\n"
    assert output(local) == b"one" + way + b"two" + way
    awaited(lambda: is_clean(local))


def test_an_answer_without_a_type_has_none_for_the_next(local: Local) -> None:
    def answer(call: Call) -> Reply:
        made = relay(call)
        return Reply(body=made.body, headers={}) if named(call) == "a" else made

    local.engine.program = serving(answer)
    create_pipeline(local, container("a"), container("b"))
    create(local, TransformInput={"DataSource": SOURCE, "ContentType": "text/csv"})
    assert ended(local)["TransformJobStatus"] == "Completed"
    assert output(local).splitlines()[0] == b"one>a(text/csv,-)>b(-,-)"


def test_each_has_the_jobs_variables_its_port_its_name_and_its_model(local: Local) -> None:
    seen: dict[str, Container] = {}

    def program(made: Container) -> int:
        seen[made.spec.environment["NAME"]] = made
        return serving(relay)(made)

    local.engine.program = program
    data = put_model(local, {"w.bin": b"42"})
    create_pipeline(
        local,
        container("a", {"BOTH": "model"}, ContainerHostname="first", ModelDataUrl=data),
        container("b", {"BOTH": "model"}, ContainerHostname="second"),
    )
    create(local, MaxPayloadInMB=2, Environment={"BOTH": "job"})
    assert ended(local)["TransformJobStatus"] == "Completed"
    for name, host, port in (("a", "first", "8080"), ("b", "second", "8081")):
        spec = seen[name].spec
        wanted = {
            "BOTH": "job",
            "SAGEMAKER_BATCH": "true",
            "SAGEMAKER_MAX_PAYLOAD_IN_MB": "2",
            "SAGEMAKER_BIND_TO_PORT": port,
        }
        assert wanted.items() <= dict(spec.environment).items()
        assert (spec.hostname, spec.command) == (host, ("serve",))
    assert seen["a"].files["/opt/ml/model/w.bin"] == b"42"
    assert "/opt/ml/model/w.bin" not in seen["b"].files


def test_parameters_are_the_first_containers(local: Local) -> None:
    first = '{"MaxConcurrentTransforms": 2, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 3}'
    create_pipeline(
        local,
        container("a", {"PARAMETERS": first}),
        container("b", {"PARAMETERS": first.replace("3", "9")}),
    )
    create(local)
    assert ended(local)["TransformJobStatus"] == "Completed"
    told = "MaxConcurrentTransforms=2, MaxPayloadInMB=3, BatchStrategy=SINGLE_RECORD"
    assert data_log(local) == [told]


def test_records_are_joined_to_what_the_last_one_answers(local: Local) -> None:
    def answer(call: Call) -> Reply:
        made = relay(call)
        of_type = Reply(body=call.body.strip() + named(call).encode() + b"\n")
        return of_type if call.path == "/invocations" else made

    local.engine.program = serving(answer)
    put(local, {"a.csv": b"1,x\n2,y\n"})
    create_pipeline(local, container("a"), container("b"))
    create(
        local,
        BatchStrategy="SingleRecord",
        TransformInput={"DataSource": SOURCE, "SplitType": "Line", "ContentType": "text/csv"},
        TransformOutput={
            "S3OutputPath": f"s3://{BUCKET}/out",
            "Accept": "text/csv",
            "AssembleWith": "Line",
        },
        DataProcessing={"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"},
    )
    assert ended(local)["TransformJobStatus"] == "Completed", events(local)
    assert output(local, "out/a.csv.out") == b"1,xab\n2,yab\n"


@pytest.mark.parametrize("guilty", ["a", "b", "c"])
@pytest.mark.parametrize(("status", "blame"), [(418, "ClientError"), (500, "AlgorithmError")])
def test_the_first_error_fails_the_object_and_names_the_container(
    local: Local, guilty: str, status: int, blame: str
) -> None:
    asked: list[str] = []

    def answer(call: Call) -> Reply:
        if call.path == "/invocations":
            if b"bad" in call.body:
                asked.append(named(call))
                if named(call) == guilty:
                    return Reply(status=status, body=b"no such column")
            return relay(call)
        return relay(call)

    local.engine.program = serving(answer)
    put(local, {"1": b"bad\n", "2": b"good\n"})
    create_pipeline(local, container("a"), container("b"), container("c"))
    create(local, ModelClientConfig={"InvocationsMaxRetries": 0})
    assert ended(local)["FailureReason"] == f"{blame}: See job logs for more information"
    assert outputs(local) == ["out/2.out"]
    number = "abc".index(guilty) + 1
    assert asked == list("abc"[:number])
    line = "ClientError: 418" if status == 418 else "Bad HTTP status received from algorithm: 500"
    where = f"{BUCKET}/in/1: "
    assert data_log(local)[1:] == [
        f"{where}{line}",
        where,
        f"{where}Message:",
        f"{where}no such column",
        f"{where}sagedock: this was container container-{number}",
    ]


def test_what_is_tried_again_goes_the_whole_way(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_client, "_PAUSE_S", 0.001)
    asked: list[str] = []

    def answer(call: Call) -> Reply:
        if call.path == "/invocations":
            asked.append(named(call))
            if len(asked) == 2:
                return Reply(status=503)
        return relay(call)

    local.engine.program = serving(answer)
    create_pipeline(local, container("a"), container("b"))
    create(local, ModelClientConfig={"InvocationsMaxRetries": 1})
    assert ended(local)["TransformJobStatus"] == "Completed"
    assert asked == ["a", "b", "a", "b"]


def test_they_have_one_timeout_together(local: Local) -> None:
    """The first takes most of the second that both have, and the other one may not have another."""
    over = threading.Event()
    begun: list[float] = []

    def answer(call: Call) -> Reply:
        if call.path == "/invocations":
            begun.append(time.monotonic())
            over.wait(0.7 if named(call) == "a" else 20)
        return relay(call)

    local.engine.program = serving(answer)
    create_pipeline(local, container("a"), container("b"))
    create(local, ModelClientConfig={"InvocationsMaxRetries": 0, "InvocationsTimeoutInSeconds": 1})
    job = ended(local)
    over.set()
    assert job["FailureReason"] == "AlgorithmError: See job logs for more information"
    assert len(begun) == 2
    where = f"{BUCKET}/in/a.txt: "
    assert data_log(local)[1:] == [
        f"{where}Unable to get response from algorithm",
        f"{where}sagedock: this was container container-2",
    ]


def test_each_has_a_log_stream(local: Local) -> None:
    def program(made: Container) -> int:
        made.print(f"I am {made.spec.hostname}")
        return serving(relay)(made)

    local.engine.program = program
    create_pipeline(
        local,
        container("a", ContainerHostname="clean"),
        container("b", ContainerHostname="predict"),
    )
    create(local, TransformResources=TWO)
    assert ended(local)["TransformJobStatus"] == "Completed"
    awaited(lambda: is_clean(local))
    assert sorted(each for each in events(local) if each[0] != "data-log") == [
        *[("clean", "I am clean")] * 2,
        *[("predict", "I am predict")] * 2,
    ]


def test_all_of_them_must_answer_ping(tmp_path: Path) -> None:
    with opened(tmp_path / "home", endpoint_startup_s=0.5) as local:
        local.engine.program = serving(relay)
        create_pipeline(local, container("a"), container("b", {"PING": "500"}))
        create(local)
        job = ended(local)
        assert job["FailureReason"] == "AlgorithmError: See job logs for more information"
        why = "The container container-2 did not answer /ping with 200 in time"
        assert data_log(local) == [why]
        awaited(lambda: is_clean(local))


@pytest.mark.parametrize("dying", ["a", "b"])
def test_one_that_ends_fails_what_is_in_work_and_what_is_left(local: Local, dying: str) -> None:
    begun, over = threading.Event(), threading.Event()

    def answer(call: Call) -> Reply:
        if call.path == "/invocations" and named(call) == dying:
            begun.set()
            over.wait(20)  # what has ended answers nothing
        return relay(call)

    local.engine.program = serving(answer)
    put(local, {"1": b"x\n", "2": b"y\n"})
    create_pipeline(local, container("a"), container("b"))
    create(local)
    assert begun.wait(20)
    for each in list(local.engine.all.values()):
        if each.spec.environment["NAME"] == dying:
            local.engine.stop(each.id, 0)
    job = ended(local)
    over.set()
    assert job["FailureReason"] == "AlgorithmError: See job logs for more information"
    assert outputs(local) == []
    said = data_log(local)[1:]
    assert said[0] == f"{BUCKET}/in/1: Unable to get response from algorithm"
    assert said[1].endswith(f"this was container container-{'ab'.index(dying) + 1}")
    awaited(lambda: is_clean(local))


def test_isolated_instances_share_objects_and_each_has_all_containers(local: Local) -> None:
    seen: list[tuple[str, str]] = []

    def program(made: Container) -> int:
        seen.append((made.spec.labels["sagedock.instance"], made.spec.environment["NAME"]))
        assert "-transform-job-1" in made.spec.network
        return serving(relay)(made)

    local.engine.program = program
    put(local, {str(number): b"x\n" for number in range(4)})
    create_pipeline(local, container("a"), container("b"), EnableNetworkIsolation=True)
    create(local, TransformResources=TWO)
    assert ended(local)["TransformJobStatus"] == "Completed"
    assert outputs(local) == [f"out/{number}.out" for number in range(4)]
    names: dict[str, list[str]] = {}
    for instance, name in seen:
        names.setdefault(instance, []).append(name)
    assert [sorted(each) for each in names.values()] == [["a", "b"]] * 2
    awaited(lambda: is_clean(local))


def test_a_job_is_stopped_while_the_second_one_has_a_payload(local: Local) -> None:
    begun, over = threading.Event(), threading.Event()

    def answer(call: Call) -> Reply:
        if call.path == "/invocations" and named(call) == "b":
            begun.set()
            over.wait(20)
        return relay(call)

    local.engine.program = serving(answer)
    create_pipeline(local, container("a"), container("b"))
    create(local)
    assert begun.wait(20)
    local.client("sagemaker").stop_transform_job(TransformJobName="job-1")
    job = ended(local)
    over.set()
    assert job["TransformJobStatus"] == "Stopped"
    assert outputs(local) == []
    awaited(lambda: is_clean(local))


def test_models_without_one_way_are_refused_by_name(local: Local) -> None:
    create_pipeline(
        local,
        *(container(each, ContainerHostname=each) for each in "ab"),
        InferenceExecutionConfig={"Mode": "Direct"},
    )
    with pytest.raises(ClientError) as raised:
        create(local)
    told = str(raised.value)
    assert "cannot carry out: model model-1 of InferenceExecutionConfig.Mode Direct. Name a" in told
    many = f"s3://{BUCKET}/models/"
    create_model(local, "model-2", Mode="MultiModel", ModelDataUrl=many)
    with pytest.raises(ClientError, match="model model-2 of Mode MultiModel"):
        create(local, ModelName="model-2")
    assert local.client("sagemaker").list_transform_jobs()["TransformJobSummaries"] == []
