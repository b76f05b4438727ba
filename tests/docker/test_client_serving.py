"""Model, Predictor and Transformer, with real containers of the serving image."""

import json
from pathlib import Path

import pytest

from sagedock import InvalidRequest, InvocationFailed, Model, Session
from sagedock.client.serializers import JSONDeserializer, JSONSerializer
from tests.conftest import ROLE
from tests.docker.conftest import RealLocal

IMAGE = "123456789012.dkr.ecr.us-west-2.amazonaws.com/sagedock-serving:cpu"
#: A model that is its code: it adds.
PROGRAM = """
def model_fn(model_dir):
    return 100

def input_fn(data, content_type):
    import json
    if content_type == "application/jsonlines":
        return [json.loads(line) for line in data.splitlines()]
    return json.loads(data)

def predict_fn(rows, model):
    from sagedock.runtime.serving import InvalidInput
    if not isinstance(rows, list):
        raise InvalidInput("send a list of numbers")
    return [row + model for row in rows]

def output_fn(sums, accept):
    import json
    if accept == "application/jsonlines":
        return "\\n".join(map(json.dumps, sums)), accept
    return json.dumps(sums), "application/json"
"""


@pytest.fixture
def model(real: RealLocal, tmp_path: Path) -> Model:
    source = tmp_path / "source"
    source.mkdir()
    (source / "inference.py").write_text(PROGRAM)
    session = Session(target="local", environ=real.server.environment(), show=lambda _: None)
    return Model(
        image_uri=IMAGE,
        role=ROLE,
        entry_point="inference.py",
        source_dir=str(source),
        session=session,
        show=lambda _: None,
    )


def test_a_model_is_deployed_called_and_deleted(model: Model) -> None:
    predictor = model.deploy(
        1,
        "ml.m5.large",
        endpoint_name="adds",
        serializer=JSONSerializer(),
        deserializer=JSONDeserializer(),
    )
    assert predictor.endpoint.describe()["EndpointStatus"] == "InService"
    assert predictor.predict([1, 2]) == [101, 102]
    assert json.loads(b"".join(predictor.predict_stream([3]))) == [103]
    with pytest.raises(InvocationFailed, match=r"answered 400: .*send a list of numbers") as failed:
        predictor.predict("nonsense")
    assert failed.value.status == 400
    assert "scalingPolicy" in predictor.endpoint.autoscale(1, 2, 100)
    predictor.delete_endpoint()
    model.delete()
    with pytest.raises(InvalidRequest, match=r"Endpoint adds of account .* not found"):
        predictor.predict([1])


def test_a_model_is_run_over_a_file(model: Model, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text("1\n2\n3")
    transformer = model.transformer(
        "ml.m5.large",
        strategy="MultiRecord",
        assemble_with="Line",
        accept="application/jsonlines",
    )
    where = transformer.transform(
        tmp_path / "rows.jsonl", content_type="application/jsonlines", split_type="Line"
    )
    (answers,) = model.session.download(where, tmp_path / "out")
    assert answers.name == "rows.jsonl.out"
    assert answers.read_text().split() == ["101", "102", "103"]


def test_what_is_wrong_is_told_before_anything_is_made(model: Model) -> None:
    model.entry_point = "absent.py"
    with pytest.raises(InvalidRequest) as error:
        model.deploy(0, "no-type", endpoint_name="-")
    told = "\n".join(error.value.problems)
    for word in ("entry_point: ", "initial_instance_count: ", "instance_type: ", "endpoint_name: "):
        assert word in told
    assert model.session.client("sagemaker").list_models()["Models"] == []
