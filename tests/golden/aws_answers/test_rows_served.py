"""Rows of the fidelity corpus on sagemaker-runtime ("the rest"), as they come over the wire."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from sagedock.local.faults import Refusals
from sagedock.testing import Call, Reply, serving
from tests.conftest import ACCOUNT, REGION, Local
from tests.unit.local.hosting.async_local import awaited_object, deploy_async, invoke_async
from tests.unit.local.hosting.components_local import deployed, host, whoami
from tests.unit.local.hosting.conftest import started
from tests.unit.local.hosting.hosting_local import (
    awaited,
    create_config,
    create_endpoint,
    create_model,
    deploy,
    invoke,
    settled,
    variant,
)
from tests.unit.local.hosting.many_models import ManyModels, ask, served

SEE = (
    f"See https://{REGION}.console.aws.amazon.com/cloudwatch/home?region={REGION}"
    "#logEventViewer:group=/aws/sagemaker/Endpoints/endpoint-1 in account 123456789012 for more "
    "information."
)
NO_NAME = (
    "Inference Component Name header is required for endpoints to which you plan to deploy "
    "inference components. Please include Inference Component Name header or consider using "
    "SageMaker models."
)
SIGNED = f"AWS4-HMAC-SHA256 Credential=x/20260101/{REGION}/sagemaker/aws4_request, Signature=0"


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Local]:
    """A local SageMaker whose containers have half a second for an answer."""
    with started(tmp_path / "home", invocation_s=0.5) as made:
        yield made


def refused(call: Callable[[], Any]) -> dict[str, Any]:
    """Return what a call is refused with."""
    with pytest.raises(ClientError) as raised:
        call()
    answer: dict[str, Any] = raised.value.response
    return answer


def told(call: Callable[[], Any]) -> tuple[str, int, str]:
    """Return its code, status and message."""
    answer = refused(call)
    status = answer["ResponseMetadata"]["HTTPStatusCode"]
    return answer["Error"]["Code"], status, answer["Error"]["Message"]


def posted(local: Local, what: str = "invocations", **headers: str) -> httpx.Response:
    """Invoke without a client that reads answers."""
    return httpx.post(
        f"{local.server.endpoint_url}/endpoints/endpoint-1/{what}",
        content=b"x",
        headers={"authorization": SIGNED, "content-type": "text/plain", **headers},
        timeout=30,
    )


def answering(local: Local, reply: Callable[[Call], Reply]) -> None:
    """Serve a model that answers every invocation with ``reply``."""
    local.engine.program = serving(
        lambda call: Reply() if call.path == "/ping" else reply(call),
    )
    deploy(local)


def test_rest_row_65_an_endpoint_that_is_not_there_or_was_deleted(local: Local) -> None:
    message = f"Endpoint None of account {ACCOUNT} not found."
    assert told(lambda: invoke(local, name="None")) == ("ValidationError", 400, message)
    deploy(local)
    local.client("sagemaker").delete_endpoint(EndpointName="endpoint-1")
    message = f"Endpoint endpoint-1 of account {ACCOUNT} not found."
    assert told(lambda: invoke(local)) == ("ValidationError", 400, message)


@pytest.mark.parametrize(
    ("status", "body", "begins", "error"),
    [
        pytest.param(500, b"no", "server error (500)", "INTERNAL_FAILURE_FROM_MODEL", id="rest-66"),
        pytest.param(500, b"", "server error (500)", "INTERNAL_FAILURE_FROM_MODEL", id="rest-68"),
        pytest.param(503, b"", "server error (503)", "INTERNAL_FAILURE_FROM_MODEL", id="rest-503"),
        pytest.param(400, b"no", "client error (400)", "CLIENT_ERROR_FROM_MODEL", id="rest-70"),
        pytest.param(415, b"no", "client error (415)", "CLIENT_ERROR_FROM_MODEL", id="rest-72"),
    ],
)
def test_rest_row_81_an_error_of_the_container(
    local: Local, status: int, body: bytes, begins: str, error: str
) -> None:
    answering(local, lambda _: Reply(status=status, body=body))
    message = f'Received {begins} from primary with message "{body.decode()}". {SEE}'
    answer = refused(lambda: invoke(local))
    assert told(lambda: invoke(local)) == ("ModelError", 424, message)
    assert answer["OriginalStatusCode"] == status
    assert answer["OriginalMessage"] == body.decode()
    raw = posted(local)
    assert raw.headers["x-amzn-errortype"] == "ModelError"
    assert raw.json()["ErrorCode"] == error


def test_rest_row_69_an_error_that_cannot_be_read_whole(local: Local) -> None:
    def pieces() -> Iterator[bytes | None]:
        yield b"part"
        yield None

    answering(local, lambda _: Reply(status=500, pieces=pieces))
    assert told(lambda: invoke(local)) == (
        "ModelError",
        424,
        "Received server error (500) from primary and could not load the entire response body. "
        + SEE,
    )


def test_rest_rows_73_and_74_no_answer_in_time(local: Local) -> None:
    over = threading.Event()
    answering(local, lambda _: Reply() if over.wait(20) else Reply(status=500))
    answer = told(lambda: invoke(local))
    over.set()
    assert answer == (
        "ModelError",
        424,
        'Received server error (0) from primary with message "Your invocation timed out while '
        "waiting for a response from container primary. Review the latency metrics for each "
        f'container in Amazon CloudWatch, resolve the issue, and try again.". {SEE}',
    )


@pytest.mark.parametrize(
    ("serverless", "most"),
    [
        pytest.param(True, 4 * 1024 * 1024, id="rest-78"),
        pytest.param(False, 25 * 1024 * 1024, id="rest-76-77"),
    ],
)
def test_a_body_that_is_too_large(local: Local, serverless: bool, most: int) -> None:
    """Of endpoints with instances the corpus has answers of an older gateway only, of 2018 and
    2019, whose limit is another one now: they say what serverless endpoints do.
    """
    config = {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}}
    plain = {"VariantName": "AllTraffic", "ModelName": "model-1", **config}
    deploy(local, plain if serverless else variant())
    answer = refused(lambda: invoke(local, b"x" * (most + 1)))
    request = answer["ResponseMetadata"]["RequestId"]
    assert answer["Error"] == {
        "Code": "ValidationError",
        "Message": f"Request {request} has oversize body.",
    }


@pytest.mark.parametrize(
    "what",
    [
        pytest.param("invocations", id="rest-80"),
        pytest.param("invocations-response-stream", id="rest-104"),
    ],
)
def test_no_name_of_a_component(local: Local, what: str) -> None:
    host(local)
    answer = posted(local, what)
    assert answer.status_code == 400
    assert answer.headers["x-amzn-errortype"] == "ValidationError"
    assert answer.text == (
        f'{{"ErrorCode":"INFERENCE_COMPONENT_NAME_MISSING","Message":"{NO_NAME}"}}'
    )


def test_rest_rows_108_and_110_a_component_by_its_header(local: Local) -> None:
    local.engine.program = serving(whoami)
    host(local)
    deployed(local, "first")
    answer = posted(local, **{"X-Amzn-SageMaker-Inference-Component": "first"})
    assert answer.status_code == 200
    assert answer.text in {each.spec.name for each in local.engine.all.values()}
    (listed,) = local.client("sagemaker").list_inference_components()["InferenceComponents"]
    assert list(listed)[:4] == [
        *("CreationTime", "InferenceComponentArn", "InferenceComponentName", "EndpointArn")
    ]
    assert listed["InferenceComponentArn"] == (
        f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:inference-component/first"
    )


def test_rest_row_85_a_target_model_for_a_plain_endpoint(local: Local) -> None:
    create_model(local)
    create_config(local, "config-1", variant("one"), variant("two"))
    create_endpoint(local)
    settled(local)
    assert told(lambda: invoke(local, TargetModel="m.tar.gz")) == (
        "ValidationError",
        400,
        "Endpoint endpoint-1 is not a multi-model endpoint and does not support target model "
        "header.",
    )


def test_rest_row_86_no_target_model(local: Local) -> None:
    served(local, ManyModels(), "a.tar.gz")
    answer = refused(lambda: invoke(local))
    request = answer["ResponseMetadata"]["RequestId"]
    assert answer["Error"] == {
        "Code": "ValidationError",
        "Message": f"Request {request} is missing a target model header.",
    }


def test_rest_row_88_a_model_that_is_still_loaded_when_time_is_up(local: Local) -> None:
    over = threading.Event()
    models = ManyModels(before_load=lambda _: None if over.wait(20) else Reply(status=500))
    served(local, models, "a.tar.gz")
    code, status, _ = told(lambda: ask(local, "a.tar.gz"))
    over.set()
    assert (code, status) == ("ModelNotReadyException", 429)


def test_rest_row_89_no_room_unloads_models_that_are_not_used(local: Local) -> None:
    models = ManyModels(room=1)
    served(local, models, "a.tar.gz", "b.tar.gz")
    assert ask(local, "a.tar.gz") == "a.tar.gz x"
    assert ask(local, "b.tar.gz") == "b.tar.gz x"
    assert models.did("load") == ["a.tar.gz", "b.tar.gz", "b.tar.gz"]
    assert models.did("unload") == ["a.tar.gz"]


def test_rest_row_90_models_are_asked_for_again_and_again(tmp_path: Path) -> None:
    asked: list[str] = []

    class Noting(ManyModels):
        def __call__(self, call: Call) -> Reply:
            if call.method == "GET":
                asked.append(call.path)
            return super().__call__(call)

    with started(tmp_path / "home", health_check_s=0.05) as local:
        served(local, Noting(), "a.tar.gz")
        awaited(lambda: len(asked) >= 6)
    assert asked[:6] == ["/ping", "/models"] * 3


@pytest.mark.parametrize("what", ["invocations", "invocations-response-stream"])
def test_rest_row_100_an_asynchronous_endpoint_is_not_answered_at_once(
    local: Local, what: str
) -> None:
    deploy_async(local)
    answer = posted(local, what)
    assert answer.status_code == 400
    assert answer.headers["x-amzn-errortype"] == "ValidationError"


def test_rest_row_94_an_inline_body_or_an_input_but_not_both(local: Local) -> None:
    deploy_async(local)
    accepted = posted(local, "async-invocations")
    assert accepted.status_code == 202
    assert awaited_object(local, accepted.headers["x-amzn-sagemaker-outputlocation"])
    both = posted(local, "async-invocations", **{"x-amzn-sagemaker-inputlocation": "s3://b/in"})
    assert (both.status_code, both.headers["x-amzn-errortype"]) == (400, "ValidationError")
    much = invoke_async
    code, status, _ = told(lambda: much(local, Body=b"x" * 128_001))
    assert (code, status) == ("ValidationError", 400)


def test_rest_row_102_the_head_of_a_stream(local: Local) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"one"

    answering(local, lambda _: Reply(pieces=pieces, headers={"Content-Type": "text/event-stream"}))
    answer = posted(local, "invocations-response-stream")
    answer.headers.pop("date")
    assert len(answer.headers.pop("x-amzn-requestid")) == 36
    assert dict(answer.headers) == {
        "x-amzn-invoked-production-variant": "AllTraffic",
        "x-amzn-sagemaker-content-type": "text/event-stream",
        "content-type": "application/vnd.amazon.eventstream",
        "transfer-encoding": "chunked",
        "connection": "keep-alive",
    }


def test_rest_row_105_lines_do_not_end_where_parts_do(local: Local) -> None:
    sent = [b'data:{"token"', b':{"text":"a"}}\n\ndata:', b'{"token":{"text":"b"}}\n\n']
    taken = threading.Event()

    def pieces() -> Iterator[bytes]:
        for piece in sent:
            yield piece
            taken.wait(0.05)

    answering(local, lambda _: Reply(pieces=pieces))
    answer = local.client("sagemaker-runtime").invoke_endpoint_with_response_stream(
        EndpointName="endpoint-1", Body=b"x"
    )
    parts = [event["PayloadPart"]["Bytes"] for event in answer["Body"]]
    lines = [line for line in b"".join(parts).splitlines() if line]
    texts = [json.loads(line.removeprefix(b"data:"))["token"]["text"] for line in lines]
    assert texts == ["a", "b"]
    assert any(not part.endswith(b"\n") for part in parts)


def test_throttling_has_a_null_message(local: Local) -> None:
    """The general remark at the beginning of the corpus."""
    deploy(local)
    local.server.faults.add(Refusals(error="throttling", operation="InvokeEndpoint", times=1))
    answer = posted(local)
    assert answer.status_code == 400
    assert answer.headers["x-amzn-errortype"] == "ThrottlingException"
    assert answer.json() == {"Message": None}
    assert posted(local).status_code == 200


def test_a_caller_who_may_not_invoke(local: Local) -> None:
    """philschmid/cdk-samples#2: the name is lower-cased in the ARN."""
    deploy(local)
    local.server.faults.add(Refusals(error="access-denied", operation="InvokeEndpoint"))
    code, _, message = told(lambda: invoke(local, name="Endpoint-1"))
    assert code == "AccessDeniedException"
    assert message.endswith(
        "is not authorized to perform: sagemaker:InvokeEndpoint on resource: "
        f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/endpoint-1 because no identity-based "
        "policy allows the sagemaker:InvokeEndpoint action"
    )
