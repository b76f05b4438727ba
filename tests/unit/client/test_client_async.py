"""Predictor.predict_async and AsyncResult, against an asynchronous endpoint."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagedock import (
    AsyncInference,
    InvalidRequest,
    InvocationFailed,
    Predictor,
    SagedockError,
    Session,
)
from sagedock.client.serializers import JSONDeserializer, JSONSerializer
from sagedock.testing import Call, Reply, serving
from tests.conftest import BUCKET, Local
from tests.unit.client.deploying import Deployer
from tests.unit.local.hosting.async_local import deploy_async, put_input
from tests.unit.local.hosting.conftest import started
from tests.unit.local.hosting.hosting_local import (
    create_endpoint,
    create_model,
    deploy,
    settled,
    variant,
)


class Model:
    """It answers JSON with what it was sent, once ``gate`` is set."""

    def __init__(self) -> None:
        self.gate = threading.Event()

    def __call__(self, call: Call) -> Reply:
        if call.path == "/ping":
            return Reply()
        self.gate.wait(60)
        if call.body == b'"bad"':
            return Reply(status=400, body=b"it is bad")
        return Reply(body=call.body, headers={"Content-Type": "application/json"})


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def local(tmp_path: Path, model: Model) -> Iterator[Local]:
    with started(tmp_path / "home") as made:
        made.engine.program = serving(model)
        yield made


@pytest.fixture
def predictor(local: Local) -> Predictor:
    session = Session(target="local", environ=local.server.environment(), show=lambda _: None)
    return Predictor(
        "endpoint-1",
        session=session,
        serializer=JSONSerializer(),
        deserializer=JSONDeserializer(),
    )


def test_an_answer_comes_by_way_of_s3(local: Local, model: Model, predictor: Predictor) -> None:
    deploy_async(local)
    result = predictor.predict_async({"a": 1}, inference_id="mine")
    assert result.inference_id == "mine"
    assert not result.is_ready()
    with pytest.raises(SagedockError, match="no answer after"):
        result.get_result(timeout_s=0)
    model.gate.set()
    assert result.get_result(timeout_s=60) == {"a": 1}
    assert result.is_ready()
    uri = put_input(local, b"[2]")
    assert predictor.predict_async(input_path=uri).get_result(timeout_s=60) == [2]


def test_a_failure_comes_so_too(local: Local, model: Model, predictor: Predictor) -> None:
    deploy_async(local)
    model.gate.set()
    with pytest.raises(InvocationFailed, match=r"the invocation failed: .*it is bad") as failed:
        predictor.predict_async("bad").get_result(timeout_s=60)
    assert failed.value.status is None
    absent = predictor.predict_async(input_path=f"s3://{BUCKET}/absent")
    with pytest.raises(InvocationFailed, match="Could not access the input"):
        absent.get_result(timeout_s=60)


def test_the_client_gives_failures_a_place(local: Local, model: Model) -> None:
    deployer = Deployer(local)
    model.gate.set()
    where = AsyncInference(output_path=f"s3://{BUCKET}/answers")
    predictor = deployer.model().deploy(
        1, "ml.m5.large", async_inference=where, serializer=JSONSerializer()
    )
    result = predictor.predict_async("bad")
    assert result.failure_path is not None
    with pytest.raises(InvocationFailed, match="it is bad"):
        result.get_result(timeout_s=60)


def test_an_endpoint_without_a_place_for_failures_is_told_of(
    local: Local, model: Model, predictor: Predictor
) -> None:
    create_model(local)
    local.client("sagemaker").create_endpoint_config(
        EndpointConfigName="config-1",
        ProductionVariants=[variant()],
        AsyncInferenceConfig={"OutputConfig": {"S3OutputPath": f"s3://{BUCKET}/answers"}},
    )
    create_endpoint(local)
    settled(local)
    model.gate.set()
    lines: list[str] = []
    predictor.endpoint.session.show = lines.append
    result = predictor.predict_async("bad")
    with pytest.raises(SagedockError, match=r"no S3FailurePath.*AsyncInference\(failure_path="):
        result.get_result(timeout_s=0)
    assert "/aws/sagemaker/Endpoints/endpoint-1" in lines[-1]
    assert "S3FailurePath" in lines[-1]
    assert predictor.predict_async("good").get_result(timeout_s=60) == "good"


def test_the_wrong_call_is_refused(local: Local, model: Model, predictor: Predictor) -> None:
    model.gate.set()
    deploy(local)
    assert predictor.predict([1]) == [1]
    with pytest.raises(InvalidRequest, match="does not support InvokeEndpointAsync"):
        predictor.predict_async([1])
