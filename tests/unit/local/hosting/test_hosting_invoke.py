"""InvokeEndpoint: what reaches a container, what comes back, and what goes wrong."""

import http.client
import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from sagedock.testing import Call, Reply, serving
from tests.conftest import BUCKET, Local
from tests.unit.local.hosting.hosting_local import (
    create_config,
    create_endpoint,
    create_model,
    deploy,
    echo,
    invoke,
    variant,
)

MIB = 1024 * 1024


def answers(local: Local, reply: Reply) -> None:
    """Deploy a model that answers all invocations alike."""
    local.engine.program = serving(lambda call: Reply() if call.path == "/ping" else reply)
    deploy(local)


def refused(local: Local, **more: Any) -> Any:
    """Return what an invocation is refused with."""
    with pytest.raises(ClientError) as raised:
        invoke(local, **more)
    return raised.value.response


def test_what_is_sent_comes_to_the_container_and_its_answer_back(local: Local) -> None:
    seen: list[Call] = []

    def answer(call: Call) -> Reply:
        seen.append(call)
        return echo(call)

    local.engine.program = serving(answer)
    deploy(local)
    seen.clear()
    answer_ = invoke(
        local,
        b"1,2,3",
        Accept="text/csv",
        CustomAttributes="trace=1",
        InferenceId="id-1",
        TargetVariant="AllTraffic",
    )
    (call,) = seen
    assert (call.method, call.path, call.body) == ("POST", "/invocations", b"1,2,3")
    assert call.headers["content-type"] == "text/plain"
    assert call.headers["accept"] == "text/csv"
    assert {name for name in call.headers if name.startswith("x-")} == {
        "x-amzn-sagemaker-custom-attributes",
        "x-amzn-sagemaker-inference-id",
        "x-amzn-sagemaker-target-variant",
    }
    assert "authorization" not in call.headers
    assert answer_["Body"] == b"1,2,3"
    assert answer_["ContentType"] == "text/plain"
    assert answer_["InvokedProductionVariant"] == "AllTraffic"
    assert json.loads(answer_["CustomAttributes"])["x-amzn-sagemaker-inference-id"] == "id-1"


def test_connections_are_kept(local: Local) -> None:
    places: set[Any] = set()

    def answer(call: Call) -> Reply:
        if call.path == "/invocations":
            places.add(threading.get_ident())  # a thread for each connection
        return echo(call)

    local.engine.program = serving(answer)
    deploy(local)
    for number in range(20):
        assert invoke(local, str(number).encode())["Body"] == str(number).encode()
    assert len(places) == 1


def test_a_connection_that_the_container_closed_is_replaced(local: Local) -> None:
    answers(local, Reply(body=b"ok", headers={"Connection": "close"}))
    for _ in range(3):
        assert invoke(local)["Body"] == b"ok"


def test_many_at_once(local: Local) -> None:
    deploy(local, variant(InitialInstanceCount=2))

    def one(number: int) -> bool:
        body = str(number).encode() * 100
        return bool(invoke(local, body)["Body"] == body)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(one, range(80)))


def test_a_large_body_goes_both_ways(local: Local) -> None:
    deploy(local)
    body = b"x" * (25 * MIB)
    assert invoke(local, body)["Body"] == body


def test_a_body_that_is_too_large_is_refused(local: Local) -> None:
    deploy(local)
    error = refused(local, body=b"x" * (25 * MIB + 1))["Error"]
    assert error["Code"] == "ValidationError"
    assert error["Message"].endswith(" has oversize body.")
    assert invoke(local)["Body"] == b"hello"


def test_an_answer_that_is_too_large_is_a_models_error(local: Local) -> None:
    answers(local, Reply(body=b"x" * (25 * MIB + 1)))
    error = refused(local)["Error"]
    assert error["Code"] == "ModelError"
    assert "could not load the entire response body" in error["Message"]


@pytest.mark.parametrize(("status", "side"), [(400, "client"), (415, "client"), (503, "server")])
def test_an_error_of_the_container_is_a_models_error(local: Local, status: int, side: str) -> None:
    answers(local, Reply(status=status, body=b"no such column"))
    response = refused(local)
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["Error"]["Code"] == "ModelError"
    assert response["Error"]["Message"] == (
        f'Received {side} error ({status}) from primary with message "no such column". See '
        "https://us-west-2.console.aws.amazon.com/cloudwatch/home?region=us-west-2"
        "#logEventViewer:group=/aws/sagemaker/Endpoints/endpoint-1 in account 123456789012 for "
        "more information."
    )
    assert response["OriginalStatusCode"] == status
    assert response["OriginalMessage"] == "no such column"
    assert response["LogStreamArn"] == (
        "arn:aws:logs:us-west-2:123456789012:log-group:/aws/sagemaker/Endpoints/endpoint-1"
    )


def test_a_long_error_is_cut(local: Local) -> None:
    answers(local, Reply(status=500, body="é".encode() * 5000))
    response = refused(local)
    assert len(response["Error"]["Message"]) == 2048
    assert response["Error"]["Message"].endswith(" for more information.")
    assert len(response["OriginalMessage"]) == 2048


def test_an_answer_that_never_comes_is_not_waited_for(impatient: Local) -> None:
    local = impatient
    over = threading.Event()

    def answer(call: Call) -> Reply:
        if call.path != "/ping":
            over.wait(60)
        return Reply()

    local.engine.program = serving(answer)
    deploy(local)
    response = refused(local)
    over.set()
    assert response["OriginalStatusCode"] == 0
    assert response["Error"]["Message"].startswith(
        'Received server error (0) from primary with message "Your invocation timed out while '
        "waiting for a response from container primary. Review the latency metrics"
    )


def test_a_container_that_breaks_off_is_a_models_error(local: Local) -> None:
    def pieces() -> Any:
        yield b"part"
        yield None

    local.engine.program = serving(
        lambda call: Reply() if call.path == "/ping" else Reply(pieces=pieces)
    )
    deploy(local)
    assert "could not load the entire response body" in refused(local)["Error"]["Message"]


def test_variants_share_by_weight(local: Local) -> None:
    deploy(
        local,
        variant("a", InitialVariantWeight=3),
        variant("b", InitialVariantWeight=1),
        variant("c", InitialVariantWeight=0),
    )
    counts = Counter(invoke(local)["InvokedProductionVariant"] for _ in range(40))
    assert counts["c"] == 0
    assert counts["a"] > counts["b"] > 0
    assert invoke(local, TargetVariant="c")["InvokedProductionVariant"] == "c"


def test_an_endpoint_that_is_not_in_service_is_not_found(local: Local) -> None:
    told = "Endpoint endpoint-1 of account 123456789012 not found."
    assert refused(local)["Error"]["Message"] == told
    create_model(local)
    create_config(local)
    local.engine.program = serving(lambda _: Reply(status=503))
    create_endpoint(local)
    assert refused(local)["Error"]["Message"] == told


def test_what_cannot_be_followed_is_refused(local: Local) -> None:
    deploy(local)
    for more, told in (
        ({"TargetVariant": "other"}, "Variant other not found for endpoint endpoint-1."),
        (
            {"TargetModel": "a.tar.gz"},
            "Endpoint endpoint-1 is not a multi-model endpoint and does not support target model "
            "header.",
        ),
        (
            {"EnableExplanations": "`true`"},
            "The local SageMaker cannot follow: EnableExplanations.",
        ),
        ({"CustomAttributes": "x" * 1025}, "1 validation error detected: Value"),
    ):
        error = refused(local, **more)["Error"]
        assert error["Code"] == "ValidationError"
        assert error["Message"].startswith(told)


def test_regions_have_endpoints_of_their_own(local: Local) -> None:
    deploy(local)
    elsewhere = local.client("sagemaker-runtime", region="eu-west-1")
    with pytest.raises(ClientError, match="not found"):
        elsewhere.invoke_endpoint(EndpointName="endpoint-1", Body=b"")


def test_an_unsigned_call_is_answered(local: Local) -> None:
    deploy(local)
    where = urlsplit(local.server.endpoint_url)
    connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=60)
    connection.request("POST", "/endpoints/endpoint-1/invocations", b"plain")
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, b"plain")
    connection.close()


def test_a_bucket_may_be_called_endpoints(local: Local) -> None:
    s3 = local.client("s3")
    s3.create_bucket(
        Bucket="endpoints", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
    )
    s3.put_object(Bucket="endpoints", Key="endpoint-1/invocations", Body=b"1")
    upload = s3.create_multipart_upload(Bucket="endpoints", Key="endpoint-1/invocations")
    assert upload["UploadId"]
    assert BUCKET  # the other one is untouched


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_request_that_kills_its_container_is_not_sent_to_another(local: Local) -> None:
    dead: list[str] = []

    def answer(call: Call) -> Reply:
        if call.body != b"die":
            return echo(call)
        dead.append(call.container.id)
        call.container.end(3)
        raise SystemExit

    local.engine.program = serving(answer)
    deploy(local, variant(InitialInstanceCount=2))
    for _ in range(20):  # both have a connection that is kept
        invoke(local)
    with pytest.raises(ClientError, match="ModelError"):
        invoke(local, b"die")
    assert len(dead) == 1
