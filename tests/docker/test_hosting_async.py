"""Asynchronous and serverless endpoints with real containers of the serving image."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from sagedock import (
    AsyncInference,
    InvocationFailed,
    LocalSageMaker,
    Model,
    Predictor,
    Serverless,
    Session,
)
from sagedock.client.serializers import JSONDeserializer, JSONSerializer
from sagedock.engine import Engine
from sagedock.local.platform import ENDPOINT_LABEL, HOME_LABEL, home_id
from tests.conftest import BUCKET, REGION, ROLE
from tests.docker.conftest import RealLocal, leftovers, let_go
from tests.docker.hosting_real import awaited
from tests.docker.test_local_process import home, kill, reach

__all__ = ["home"]

IMAGE = f"123456789012.dkr.ecr.{REGION}.amazonaws.com/sagedock-serving:cpu"
#: It adds; a number below 0 is held until /tmp/go is there.
PROGRAM = """
import os, time

def model_fn(model_dir):
    return 100

def predict_fn(number, model):
    from sagedock.runtime.serving import InvalidInput
    if not isinstance(number, int):
        raise InvalidInput("send a number")
    while number < 0 and not os.path.exists("/tmp/go"):
        time.sleep(0.05)
    return number + model
"""
OUTPUT, FAILURES = f"s3://{BUCKET}/results", f"s3://{BUCKET}/failures"


def model_of(local: RealLocal, folder: Path, environ: dict[str, str]) -> Model:
    source = folder / "source"
    source.mkdir()
    (source / "inference.py").write_text(PROGRAM)
    return Model(
        image_uri=IMAGE,
        role=ROLE,
        entry_point="inference.py",
        source_dir=str(source),
        session=Session(target="local", environ=environ, show=lambda _: None),
        show=lambda _: None,
    )


def deployed(model: Model, **how: Any) -> Predictor:
    return model.deploy(
        endpoint_name="adds",
        serializer=JSONSerializer(),
        deserializer=JSONDeserializer(),
        **how,
    )


def asynchronous(at_once: int) -> dict[str, Any]:
    config = AsyncInference(
        output_path=OUTPUT,
        failure_path=FAILURES,
        max_concurrent_invocations_per_instance=at_once,
    )
    return {
        "initial_instance_count": 1,
        "instance_type": "ml.m5.large",
        "async_inference": config,
    }


def containers(engine: Engine, home: Path) -> list[str]:
    labels = {HOME_LABEL: home_id(home), ENDPOINT_LABEL: "adds"}
    return [each.id for each in engine.containers(labels)]


def keys(local: RealLocal, prefix: str) -> list[str]:
    found = local.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=prefix)
    return [each["Key"] for each in found.get("Contents", ())]


def test_answers_come_by_way_of_s3(real: RealLocal, tmp_path: Path) -> None:
    model = model_of(real, tmp_path, real.server.environment())
    predictor = deployed(model, **asynchronous(4))
    results = [predictor.predict_async(number) for number in range(8)]
    failed = predictor.predict_async("nonsense")
    assert [each.get_result(60) for each in results] == [100 + number for number in range(8)]
    with pytest.raises(InvocationFailed, match="send a number"):
        failed.get_result(60)
    assert (len(keys(real, "results/")), len(keys(real, "failures/"))) == (8, 1)
    predictor.delete_endpoint()
    awaited(lambda: containers(real.engine, real.server.settings.home) == [])


def test_a_backlog_survives_a_killed_server(home: Path, engine: Engine, tmp_path: Path) -> None:
    local = reach(home, engine)
    url = local.server.endpoint_url
    model = model_of(local, tmp_path, {"AWS_ENDPOINT_URL": url, "SAGEDOCK_HOME": str(home)})
    predictor = deployed(model, **asynchronous(1))
    results = [predictor.predict_async(number) for number in (-1, 1, 2)]
    (before,) = containers(engine, home)
    kill(home)
    again = reach(home, engine, bucket=False)
    let_go(engine, home)
    awaited(lambda: len(keys(again, "results/")) == 3)
    bodies = [again.get(each.output_path) for each in results]
    assert [json.loads(each) for each in bodies] == [99, 101, 102]
    assert keys(again, "failures/") == []
    assert containers(engine, home) == [before]
    again.client("sagemaker").delete_endpoint(EndpointName="adds")
    awaited(lambda: containers(engine, home) == [])


@pytest.fixture
def hasty(tmp_path: Path, engine: Engine) -> Iterator[RealLocal]:
    """A local SageMaker whose serverless containers go after two seconds."""
    server = LocalSageMaker(
        home=tmp_path / "home", check_answers=True, shutdown_grace_s=1.0, serverless_idle_s=2.0
    )
    with server:
        made = RealLocal(server=server, engine=engine)
        made.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        yield made
    assert leftovers(engine, server) == []


def test_a_serverless_endpoint_starts_with_a_call_and_goes_when_idle(
    hasty: RealLocal, engine: Engine, tmp_path: Path
) -> None:
    where = hasty.server.settings.home
    model = model_of(hasty, tmp_path, hasty.server.environment())
    predictor = deployed(model, serverless=Serverless(memory_size_in_mb=1024, max_concurrency=1))
    assert containers(engine, where) == []
    assert predictor.predict(1) == 101  # a cold start
    (warm,) = containers(engine, where)
    assert predictor.predict(2) == 102
    assert containers(engine, where) == [warm]
    assert memory_limit(warm) == 1024 * 1024 * 1024
    awaited(lambda: containers(engine, where) == [])
    assert predictor.predict(3) == 103
    predictor.delete_endpoint()
    awaited(lambda: containers(engine, where) == [])
    awaited(lambda: hasty.client("sagemaker").list_endpoints()["Endpoints"] == [])


def memory_limit(container: str) -> int:
    found: int = docker.from_env().containers.get(container).attrs["HostConfig"]["Memory"]
    return found
