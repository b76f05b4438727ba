"""InvokeEndpointAsync: what is answered, what the container sees, and where results go."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock.testing import Call, Reply, serving
from tests.conftest import BUCKET, Local
from tests.unit.local.hosting.async_local import (
    FAILURES,
    OUTPUT,
    async_config,
    awaited_object,
    deploy_async,
    invoke_async,
    objects_below,
    put_input,
    read,
)
from tests.unit.local.hosting.hosting_local import (
    awaited,
    create_config,
    echo,
    invoke,
    settled,
    variant,
)


def test_an_input_is_answered_by_way_of_s3(local: Local) -> None:
    told = deploy_async(local)
    assert told["AsyncInferenceConfig"] == async_config()
    answer = invoke_async(
        local,
        put_input(local, b"hello"),
        InferenceId="mine",
        Accept="text/html",
        CustomAttributes="a=1",
    )
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert answer["InferenceId"] == "mine"
    assert answer["OutputLocation"].startswith(f"{OUTPUT}/")
    assert answer["OutputLocation"].endswith(".out")
    assert answer["FailureLocation"].startswith(FAILURES)
    found = awaited_object(local, answer["OutputLocation"])
    assert (found["Body"], found["ContentType"]) == (b"hello", "text/plain")
    assert objects_below(local, "failures/") == []


def test_what_a_container_is_told(local: Local) -> None:
    calls: list[Call] = []

    def model(call: Call) -> Reply:
        if call.path != "/ping":
            calls.append(call)
        return echo(call)

    local.engine.program = serving(model)
    deploy_async(local)
    uri = put_input(local)
    answer = invoke_async(
        local, uri, InferenceId="mine", Accept="text/html", CustomAttributes="a=1"
    )
    awaited_object(local, answer["OutputLocation"])
    (call,) = calls
    assert (call.method, call.path, call.body) == ("POST", "/invocations", b"hello")
    assert {
        "content-type": "text/plain",
        "accept": "text/html",
        "x-amzn-sagemaker-custom-attributes": "a=1",
        "x-amzn-sagemaker-inference-id": "mine",
    }.items() <= call.headers.items()


def test_an_input_has_the_type_that_s3_knows_unless_the_request_says(local: Local) -> None:
    deploy_async(local)
    local.client("s3").put_object(
        Bucket=BUCKET, Key="typed", Body=b"[]", ContentType="application/json"
    )
    uri = f"s3://{BUCKET}/typed"
    runtime = local.client("sagemaker-runtime")
    for said, seen in (({}, "application/json"), ({"ContentType": "text/csv"}, "text/csv")):
        answer = runtime.invoke_endpoint_async(EndpointName="endpoint-1", InputLocation=uri, **said)
        assert awaited_object(local, answer["OutputLocation"])["ContentType"] == seen


def test_an_input_may_be_sent_with_the_request(local: Local) -> None:
    deploy_async(local)
    answer = invoke_async(local, Body=b"inline", Filename="mine.txt", S3OutputPathExtension="x/y")
    assert answer["OutputLocation"] == f"{OUTPUT}/x/y/mine.txt"
    assert answer["FailureLocation"] == f"{FAILURES}x/y/mine.txt"
    assert awaited_object(local, answer["OutputLocation"])["Body"] == b"inline"


def test_a_large_input_passes_through(local: Local) -> None:
    deploy_async(local)
    body = b"0123456789abcdef" * 2 * 65_536 * 16  # 32 MiB: more than is invoked at once
    answer = invoke_async(local, put_input(local, body))
    assert awaited_object(local, answer["OutputLocation"])["Body"] == body


@pytest.mark.parametrize("status", [400, 500])
def test_an_error_of_the_model_is_the_failure(local: Local, status: int) -> None:
    def model(call: Call) -> Reply:
        if call.path == "/ping":
            return Reply()
        return Reply(status=status, body=b"no", headers={"Content-Type": "text/x"})

    local.engine.program = serving(model)
    deploy_async(local)
    answer = invoke_async(local, put_input(local))
    found = awaited_object(local, answer["FailureLocation"])
    assert (found["Body"], found["ContentType"]) == (b"no", "text/x")
    assert read(local, answer["OutputLocation"]) is None
    side = "client" if status == 400 else "server"
    awaited(lambda: f"[{answer['InferenceId']}] Received {side} error ({status})" in log(local))


def log(local: Local) -> str:
    logs = local.client("logs")
    group = "/aws/sagemaker/Endpoints/endpoint-1"
    names = [
        each["logStreamName"]
        for each in logs.describe_log_streams(logGroupName=group)["logStreams"]
        if each["logStreamName"].endswith("/data-log")
    ]
    events = [
        event["message"]
        for name in names
        for event in logs.get_log_events(logGroupName=group, logStreamName=name)["events"]
    ]
    return "\n".join(events)


def test_an_input_that_is_not_there_fails(local: Local) -> None:
    deploy_async(local)
    answer = invoke_async(local, f"s3://{BUCKET}/absent")
    said = awaited_object(local, answer["FailureLocation"])["Body"].decode()
    assert said.startswith(f"Could not access the input at s3://{BUCKET}/absent")
    awaited(lambda: f"[{answer['InferenceId']}] Could not access" in log(local))


def test_an_input_of_more_than_a_gigabyte_fails(local: Local, tmp_path: Path) -> None:
    deploy_async(local)
    large = tmp_path / "home" / "s3" / "buckets" / BUCKET / "large"
    with large.open("wb") as file:
        file.truncate(1024**3 + 1)  # sparse
    answer = invoke_async(local, f"s3://{BUCKET}/large")
    said = awaited_object(local, answer["FailureLocation"])["Body"].decode()
    assert "at most 1 GB can be processed" in said


def test_a_place_that_cannot_be_written_leaves_the_failure(local: Local) -> None:
    deploy_async(local)
    answer = invoke_async(local, Body=b"1", S3OutputPathExtension="../../x")
    assert "/../../x/" in answer["OutputLocation"]
    awaited(lambda: f"[{answer['InferenceId']}] Could not upload the response" in log(local))
    assert objects_below(local, "") == []


def test_an_answer_without_a_length_fails(local: Local) -> None:
    def model(call: Call) -> Reply:
        return Reply() if call.path == "/ping" else Reply(pieces=lambda: [b"a", b"b"])

    local.engine.program = serving(model)
    deploy_async(local)
    answer = invoke_async(local, put_input(local))
    said = awaited_object(local, answer["FailureLocation"])["Body"].decode()
    assert "did not specify the required Content-Length header" in said


def test_an_answer_that_breaks_off_fails(local: Local) -> None:
    def model(call: Call) -> Reply:
        return Reply() if call.path == "/ping" else Reply(pieces=lambda: [b"a", None])

    local.engine.program = serving(model)
    deploy_async(local)
    answer = invoke_async(local, put_input(local))
    said = awaited_object(local, answer["FailureLocation"])["Body"].decode()
    assert "could not load the entire response body" in said


def test_a_model_that_takes_too_long_fails(local: Local) -> None:
    gate = threading.Event()

    def model(call: Call) -> Reply:
        if call.path != "/ping":
            gate.wait(60)
        return Reply()

    local.engine.program = serving(model)
    deploy_async(local)
    answer = invoke_async(local, put_input(local), InvocationTimeoutSeconds=1)
    said = awaited_object(local, answer["FailureLocation"])["Body"].decode()
    gate.set()
    assert "Your invocation timed out while waiting for a response" in said


def test_a_request_that_waits_too_long_expires(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, taken = threading.Event(), threading.Event()

    def model(call: Call) -> Reply:
        if call.path != "/ping":
            taken.set()
            gate.wait(60)
        return echo(call)

    local.engine.program = serving(model)
    deploy_async(local, at_once=1)
    held = invoke_async(local, Body=b"1")
    assert taken.wait(60)
    late = invoke_async(local, Body=b"2", RequestTTLSeconds=60)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 61)
    said = awaited_object(local, late["FailureLocation"])["Body"].decode()
    gate.set()
    assert "expired" in said
    assert awaited_object(local, held["OutputLocation"])["Body"] == b"1"


@pytest.mark.parametrize("at_once", [1, 3])
def test_a_container_gets_as_many_at_once_as_it_may(local: Local, at_once: int) -> None:
    gate, lock = threading.Event(), threading.Lock()
    now: list[bytes] = []

    def model(call: Call) -> Reply:
        if call.path != "/ping":
            with lock:
                now.append(call.body)
            gate.wait(60)
        return echo(call)

    local.engine.program = serving(model)
    deploy_async(local, at_once=at_once)
    answers = [invoke_async(local, Body=b"%d" % number) for number in range(5)]
    awaited(lambda: len(now) == at_once)
    time.sleep(0.1)
    assert len(now) == at_once
    gate.set()
    for number, answer in enumerate(answers):
        assert awaited_object(local, answer["OutputLocation"])["Body"] == b"%d" % number
    assert len(objects_below(local, "results/")) == 5


def test_instances_share_the_backlog(local: Local) -> None:
    gate, lock = threading.Event(), threading.Lock()
    where: list[Any] = []

    def model(call: Call) -> Reply:
        if call.path != "/ping":
            with lock:
                where.append(call.container)
            gate.wait(60)
        return echo(call)

    local.engine.program = serving(model)
    deploy_async(local, at_once=1, InitialInstanceCount=2)
    answers = [invoke_async(local, Body=b"%d" % number) for number in range(4)]
    awaited(lambda: len(where) == 2)
    assert where[0] is not where[1]
    gate.set()
    for answer in answers:
        awaited_object(local, answer["OutputLocation"])


def refused(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**request)
    return str(caught.value.response["Error"]["Message"])


def test_each_kind_of_endpoint_is_invoked_its_own_way(local: Local) -> None:
    deploy_async(local)
    with pytest.raises(ClientError, match="is an asynchronous inference endpoint"):
        invoke(local)
    runtime = local.client("sagemaker-runtime")
    told = refused(
        runtime.invoke_endpoint_with_response_stream, EndpointName="endpoint-1", Body=b""
    )
    assert "is an asynchronous inference endpoint" in told
    create_config(local, "real-time", variant())
    local.client("sagemaker").create_endpoint(
        EndpointName="endpoint-2", EndpointConfigName="real-time"
    )
    settled(local, "endpoint-2")
    told = refused(runtime.invoke_endpoint_async, EndpointName="endpoint-2", Body=b"")
    assert "does not support InvokeEndpointAsync" in told


@pytest.mark.parametrize(
    ("request_", "begins"),
    [
        ({}, "Request"),
        ({"Body": b"x", "InputLocation": f"s3://{BUCKET}/x"}, "Request"),
        ({"Body": b"x" * 128_001}, "1 validation error detected"),
        ({"InputLocation": "file:///etc/passwd"}, "1 validation error detected"),
        ({"Body": b"x", "InvocationTimeoutSeconds": 3601}, "1 validation error detected"),
        ({"Body": b"x", "RequestTTLSeconds": 59}, "1 validation error detected"),
        ({"Body": b"x", "Filename": "../x"}, "1 validation error detected"),
        ({"Body": b"x", "InferenceId": "x" * 65}, "1 validation error detected"),
    ],
)
def test_what_cannot_be_is_refused(local: Local, request_: dict[str, Any], begins: str) -> None:
    deploy_async(local)
    runtime = local.client("sagemaker-runtime")
    told = refused(runtime.invoke_endpoint_async, EndpointName="endpoint-1", **request_)
    assert told.startswith(begins)


def test_an_absent_endpoint_is_refused(local: Local) -> None:
    told = refused(
        local.client("sagemaker-runtime").invoke_endpoint_async, EndpointName="e", Body=b"x"
    )
    assert told == "Endpoint e of account 123456789012 not found."
