"""Inference components in real containers of the serving image."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import pytest
from botocore.exceptions import ClientError

from sagedock.engine import Engine
from sagedock.local.hosting.components.site import COMPONENT_LABEL
from sagedock.local.platform import home_id
from tests.conftest import REGION, ROLE
from tests.docker.conftest import RealLocal
from tests.docker.hosting_real import awaited, settled
from tests.docker.test_local_process import home, kill, reach
from tests.unit.local.hosting.hosting_local import archive

__all__ = ["home"]

IMAGE = f"123456789012.dkr.ecr.{REGION}.amazonaws.com/sagedock-serving:cpu"
#: A model that tells what it adds, and by which container.
PROGRAM = b"""
import json, os, pathlib

def model_fn(model_dir):
    return int(pathlib.Path(model_dir, "adds.txt").read_text())

def input_fn(data, content_type):
    return json.loads(data)

def predict_fn(number, model):
    return {"sum": number + model, "host": os.uname().nodename}

def output_fn(answer, accept):
    return json.dumps(answer), "application/json"
"""
#: Each copy may use half a gigabyte and half a processor.
NEEDS = {
    "MinMemoryRequiredInMb": 256,
    "MaxMemoryRequiredInMb": 512,
    "NumberOfCpuCoresRequired": 0.5,
}


def host(local: RealLocal) -> None:
    """Create an endpoint that hosts components, and await its service."""
    sagemaker = local.client("sagemaker")
    variant = {
        "VariantName": "AllTraffic",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
        "RoutingConfig": {"RoutingStrategy": "RANDOM"},
    }
    sagemaker.create_endpoint_config(
        EndpointConfigName="config-1", ExecutionRoleArn=ROLE, ProductionVariants=[variant]
    )
    sagemaker.create_endpoint(EndpointName="endpoint-1", EndpointConfigName="config-1")
    assert settled(local)["EndpointStatus"] == "InService"


def create(local: RealLocal, name: str, adds: int, copies: int) -> None:
    """Begin to create a component of a model that adds a number."""
    files = {"adds.txt": str(adds).encode(), "code/inference.py": PROGRAM}
    uri = local.put(f"models/{name}.tar.gz", archive(files))
    local.client("sagemaker").create_model(
        ModelName=name,
        PrimaryContainer={"Image": IMAGE, "ModelDataUrl": uri},
        ExecutionRoleArn=ROLE,
    )
    local.client("sagemaker").create_inference_component(
        InferenceComponentName=name,
        EndpointName="endpoint-1",
        VariantName="AllTraffic",
        Specification={"ModelName": name, "ComputeResourceRequirements": NEEDS},
        RuntimeConfig={"CopyCount": copies},
    )


def at_rest(local: RealLocal, name: str) -> Any:
    """Wait until no change of a component goes on, and return what Describe answers."""

    def found() -> Any:
        return local.client("sagemaker").describe_inference_component(InferenceComponentName=name)

    awaited(lambda: found()["InferenceComponentStatus"] in ("InService", "Failed"), 120)
    return found()


def resize(local: RealLocal, name: str, copies: int) -> Any:
    """Have another number of copies."""
    local.client("sagemaker").update_inference_component_runtime_config(
        InferenceComponentName=name, DesiredRuntimeConfig={"CopyCount": copies}
    )
    return at_rest(local, name)


def ask(local: RealLocal, name: str, number: int = 1) -> Any:
    """Invoke a component, and return its answer."""
    answer = local.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="endpoint-1",
        InferenceComponentName=name,
        Body=json.dumps(number).encode(),
        ContentType="application/json",
    )
    return json.loads(answer["Body"].read())


def hosts(local: RealLocal, name: str) -> set[str]:
    return {ask(local, name)["host"] for _ in range(40)}


def copies_in(engine: Engine, home: Path) -> list[str]:
    labels = {"sagedock.home": home_id(home), COMPONENT_LABEL: ""}
    return sorted(each.id for each in engine.containers(labels))


@contextmanager
def deleted_at_the_end(local: RealLocal, *names: str) -> Iterator[None]:
    yield
    sagemaker = local.client("sagemaker")
    with pytest.raises(ClientError, match="Delete them first"):
        sagemaker.delete_endpoint(EndpointName="endpoint-1")
    for name in names:
        sagemaker.delete_inference_component(InferenceComponentName=name)
    awaited(lambda: not sagemaker.list_inference_components()["InferenceComponents"])
    sagemaker.delete_endpoint(EndpointName="endpoint-1")
    awaited(lambda: not sagemaker.list_endpoints()["Endpoints"])


def test_components_share_an_endpoint(real: RealLocal) -> None:
    place = real.server.settings.home
    host(real)
    create(real, "hundred", adds=100, copies=2)
    create(real, "thousand", adds=1000, copies=1)
    for name, copies in (("hundred", 2), ("thousand", 1)):
        found = at_rest(real, name)
        assert found["InferenceComponentStatus"] == "InService", found
        assert found["RuntimeConfig"]["CurrentCopyCount"] == copies
    with deleted_at_the_end(real, "hundred", "thousand"):
        assert (ask(real, "hundred")["sum"], ask(real, "thousand")["sum"]) == (101, 1001)
        assert len(copies_in(real.engine, place)) == 3
        assert (len(hosts(real, "hundred")), len(hosts(real, "thousand"))) == (2, 1)
        for each in copies_in(real.engine, place):
            limits = docker.from_env().api.inspect_container(each)["HostConfig"]
            assert limits["Memory"] == 512 * 1024 * 1024
            assert limits["NanoCpus"] == 500_000_000
        assert resize(real, "hundred", 1)["RuntimeConfig"]["CurrentCopyCount"] == 1
        assert len(hosts(real, "hundred")) == 1
        assert len(copies_in(real.engine, place)) == 2
        logs = real.client("logs")
        group = "/aws/sagemaker/InferenceComponents/thousand"
        awaited(lambda: bool(logs.filter_log_events(logGroupName=group)["events"]))
    assert copies_in(real.engine, place) == []
    assert list((place / "components").rglob("*.txt")) == []


def test_a_killed_server_finds_its_copies_again(home: Path, engine: Engine) -> None:
    local = reach(home, engine)
    host(local)
    create(local, "hundred", adds=100, copies=2)
    assert at_rest(local, "hundred")["InferenceComponentStatus"] == "InService"
    before = copies_in(engine, home)
    kill(home)
    engine.remove(before[0])
    local = reach(home, engine, bucket=False)
    awaited(lambda: _answers(local))
    assert at_rest(local, "hundred")["RuntimeConfig"]["CurrentCopyCount"] == 2
    after = copies_in(engine, home)
    assert before[1] in after
    assert len(after) == 2


def _answers(local: RealLocal) -> bool:
    try:
        return bool(ask(local, "hundred")["sum"] == 101)
    except ClientError:
        return False
