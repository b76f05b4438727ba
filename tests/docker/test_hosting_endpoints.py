"""Endpoints in real containers."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import docker
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from sagedock.engine import Engine
from sagedock.local.platform import home_id
from tests.docker.conftest import RealLocal
from tests.docker.hosting_real import (
    SERVING,
    WITHOUT,
    ask,
    awaited,
    config,
    delete,
    deployed,
    events,
    images,
    model,
    settled,
    stored,
)
from tests.docker.test_local_process import home, kill, reach

pytestmark = pytest.mark.usefixtures("images")
__all__ = ["home", "images"]


def containers(local: RealLocal) -> list[str]:
    settings = local.server.settings
    labels = {"sagedock.home": home_id(settings.home), "sagedock.endpoint": "endpoint-1"}
    return [each.id for each in local.engine.containers(labels)]


def test_a_model_is_served_as_the_contract_says(real: RealLocal) -> None:
    model(real, Environment={"WHICH": "first"})
    found = deployed(real)
    assert found["EndpointStatus"] == "InService", found
    assert "@sha256:" in found["ProductionVariants"][0]["DeployedImages"][0]["ResolvedImage"]
    assert ask(real, "hello") == "hello"
    assert json.loads(ask(real, "model")) == {"w.txt": "42", "code/x.py": "pass"}
    assert "Read-only file system" in ask(real, "write")
    environment = json.loads(ask(real, "env"))
    assert (environment["WHICH"], environment["AWS_REGION"]) == ("first", "us-west-2")
    url = environment["AWS_ENDPOINT_URL"]
    assert ask(real, f"connect {url}/_sagedock/health") == "answered 200"
    awaited(lambda: "starting" in events(real))
    delete(real)
    assert containers(real) == []


def test_objects_are_served_uncompressed_and_in_isolation(real: RealLocal) -> None:
    real.put("parts/w.txt", b"42")
    real.put("parts/deep/x.py", b"pass")
    source = {
        "S3Uri": stored("parts/"),
        "S3DataType": "S3Prefix",
        "CompressionType": "None",
    }
    real.client("sagemaker").create_model(
        ModelName="model-1",
        PrimaryContainer={"Image": SERVING, "ModelDataSource": {"S3DataSource": source}},
        EnableNetworkIsolation=True,
    )
    assert deployed(real)["EndpointStatus"] == "InService"
    assert json.loads(ask(real, "model")) == {"w.txt": "42", "deep/x.py": "pass"}
    assert ask(real, "connect http://192.0.2.1/").startswith("refused")
    delete(real)


def test_a_stream_arrives_piece_by_piece(real: RealLocal) -> None:
    model(real)
    deployed(real)
    answer = real.client("sagemaker-runtime").invoke_endpoint_with_response_stream(
        EndpointName="endpoint-1", Body=b"stream 4"
    )
    times, text = [], b""
    for event in answer["Body"]:
        times.append(time.monotonic())
        text += event["PayloadPart"]["Bytes"]
    assert text == b"part 0\npart 1\npart 2\npart 3\n"
    assert times[-1] - times[0] > 0.4


def test_a_container_that_dies_is_replaced_while_the_other_serves(real: RealLocal) -> None:
    model(real)
    deployed(real, InitialInstanceCount=2)
    before = set(containers(real))
    with pytest.raises(Exception, match="ModelError"):
        ask(real, "die")
    for _ in range(50):
        assert ask(real, "hello") == "hello"
    awaited(lambda: len(set(containers(real)) - before) == 1)
    awaited(lambda: events(real).count("starting") == 3)
    assert settled(real)["EndpointStatus"] == "InService"


def test_a_container_that_becomes_ill_is_replaced(real: RealLocal) -> None:
    object.__setattr__(real.server.settings, "health_check_s", 0.1)
    model(real)
    deployed(real, InitialInstanceCount=2)
    before = set(containers(real))
    ill = ask(real, "ill")
    awaited(lambda: len(before & set(containers(real))) == 1 and len(containers(real)) == 2)
    assert ill not in {ask(real, "host") for _ in range(20)}
    line = "sagedock: the container is not healthy: GET /ping was answered with 500: it is replaced"
    assert line in events(real)
    assert settled(real)["EndpointStatus"] == "InService"


def test_a_container_that_stands_still_is_replaced(real: RealLocal) -> None:
    for name, value in (("health_check_s", 0.1), ("endpoint_stop_grace_s", 0.0)):
        object.__setattr__(real.server.settings, name, value)
    model(real)
    deployed(real)
    (first,) = containers(real)
    docker.from_env().containers.get(first).pause()
    awaited(lambda: first not in containers(real) and _answers(real))
    assert any("GET /ping was not answered within 2 s" in line for line in events(real))


@pytest.mark.parametrize(
    ("container", "begins"),
    [
        ({"Environment": {"START": "fails"}}, "The primary container for production variant All"),
        ({"image": WITHOUT}, "CannotStartContainerError. Please ensure the model container for"),
    ],
)
def test_a_container_that_does_not_serve_fails_the_endpoint(
    real: RealLocal, container: dict[str, Any], begins: str
) -> None:
    model(real, **container)
    found = deployed(real)
    assert found["EndpointStatus"] == "Failed"
    assert found["FailureReason"].startswith(begins)
    assert containers(real) == []
    if "image" in container:
        assert "serve" in events(real)[-1]
    else:
        assert found["FailureReason"].endswith(
            "(The container ended with code 1, 3 times. It said last:\n"
            "starting\ncannot load the model)"
        )
        assert events(real).count("cannot load the model") == 3


def test_an_update_loses_no_request(real: RealLocal) -> None:
    model(real, Environment={"WHICH": "first"})
    deployed(real)
    model(real, "model-2", Environment={"WHICH": "second"})
    config(real, "config-2", "model-2", InitialInstanceCount=2)
    answers: list[str] = []
    failures: list[Exception] = []
    over = threading.Event()

    def traffic() -> None:
        while not over.is_set():
            try:
                answers.append(ask(real, "which"))
            except (ClientError, BotoCoreError) as error:
                failures.append(error)

    threads = [threading.Thread(target=traffic) for _ in range(3)]
    for thread in threads:
        thread.start()
    slow: list[str] = []
    waiting = threading.Thread(target=lambda: slow.append(ask(real, "sleep 2")))
    waiting.start()
    time.sleep(0.2)
    real.client("sagemaker").update_endpoint(
        EndpointName="endpoint-1", EndpointConfigName="config-2"
    )
    awaited(lambda: answers[-1] == "second")
    found = settled(real)
    over.set()
    for thread in (*threads, waiting):
        thread.join()
    assert failures == []
    assert set(answers) == {"first", "second"}
    assert slow == ["sleep 2"]
    assert found["EndpointConfigName"] == "config-2"
    awaited(lambda: len(containers(real)) == 2)


def test_a_killed_server_finds_its_endpoint_again(home: Path, engine: Engine) -> None:
    local = reach(home, engine)
    model(local)
    deployed(local)
    labels = {"sagedock.home": home_id(home), "sagedock.endpoint": "endpoint-1"}
    before = [each.id for each in engine.containers(labels)]
    kill(home)
    local = reach(home, engine, bucket=False)
    assert settled(local)["EndpointStatus"] == "InService"
    awaited(lambda: _answers(local))
    assert [each.id for each in engine.containers(labels)] == before
    kill(home)
    engine.remove(before[0])
    local = reach(home, engine, bucket=False)
    assert settled(local)["EndpointStatus"] == "InService"
    awaited(lambda: _answers(local))


def _answers(local: RealLocal) -> bool:
    try:
        return ask(local, "hello") == "hello"
    except ClientError:
        return False
