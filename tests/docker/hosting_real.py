"""What tests of endpoints in real containers share: an image that serves, and requests."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import ImageNotFound

from sagedock.engine import Engine
from sagedock.local.ecr import find_image
from tests.conftest import BUCKET, REGION, ROLE
from tests.docker.conftest import TRAINING_IMAGE, RealLocal
from tests.unit.local.hosting.hosting_local import archive

#: Of this process alone: tests run in several at once, and each removes its images at its end.
REPOSITORY = f"123456789012.dkr.ecr.{REGION}.amazonaws.com/hosting-probe-{os.getpid()}"
SERVING = f"{REPOSITORY}:serves"
#: Has no `serve`.
WITHOUT = f"{REPOSITORY}:empty"


@pytest.fixture(scope="session")
def images(engine: Engine) -> Iterator[None]:
    """The images of the tests, made from the training image, and removed at the end."""
    client = docker.from_env()
    base = find_image(engine, TRAINING_IMAGE).id
    folder = Path(__file__).parent / "hosting_image"
    serving, _ = client.images.build(
        path=str(folder), tag=SERVING, buildargs={"BASE": base}, rm=True, forcerm=True
    )
    empty = client.containers.create(base, entrypoint=[], command=["x"])
    empty.commit(REPOSITORY, "empty", changes=["ENTRYPOINT []", "CMD []"])
    empty.remove()
    yield
    for name in (SERVING, WITHOUT):
        with suppress(ImageNotFound):  # each module that takes this fixture has it for itself
            client.images.remove(name, force=True)
    assert serving.id


def model(local: RealLocal, name: str = "model-1", image: str = SERVING, **changes: Any) -> None:
    """Create a model with an archive; ``changes`` are of its container."""
    uri = local.put("models/model.tar.gz", archive({"w.txt": b"42", "code/x.py": b"pass"}))
    isolated = changes.pop("isolated", False)
    local.client("sagemaker").create_model(
        ModelName=name,
        PrimaryContainer={"Image": image, "ModelDataUrl": uri, **changes},
        ExecutionRoleArn=ROLE,
        EnableNetworkIsolation=isolated,
    )


def config(local: RealLocal, name: str = "config-1", model: str = "model-1", **more: Any) -> None:
    """Create a configuration with one variant."""
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": model,
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.large",
        **more,
    }
    local.client("sagemaker").create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=[variant]
    )


def deployed(local: RealLocal, **more: Any) -> Any:
    """Create a configuration and an endpoint of ``model-1``, and await its service."""
    config(local, **more)
    local.client("sagemaker").create_endpoint(
        EndpointName="endpoint-1", EndpointConfigName="config-1"
    )
    return settled(local)


def settled(local: RealLocal, timeout_s: float = 60) -> Any:
    """Wait until no change goes on, and return what Describe answers."""
    sagemaker = local.client("sagemaker")

    def found() -> Any:
        return sagemaker.describe_endpoint(EndpointName="endpoint-1")

    awaited(lambda: found()["EndpointStatus"] in ("InService", "Failed"), timeout_s)
    return found()


def awaited(true: Callable[[], bool], timeout_s: float = 60) -> None:
    """Wait until something is true."""
    ends = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.05)


def ask(local: RealLocal, body: str) -> str:
    """Invoke the endpoint, and return its answer."""
    runtime = local.client("sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName="endpoint-1", Body=body.encode())
    return str(answer["Body"].read().decode())


def delete(local: RealLocal) -> None:
    """Delete the endpoint, and return once it is gone."""
    sagemaker = local.client("sagemaker")
    sagemaker.delete_endpoint(EndpointName="endpoint-1")
    awaited(lambda: not sagemaker.list_endpoints()["Endpoints"])


def events(local: RealLocal) -> list[str]:
    """Return the log of the endpoint."""
    group = "/aws/sagemaker/Endpoints/endpoint-1"
    found = local.client("logs").filter_log_events(logGroupName=group)["events"]
    return [event["message"] for event in found]


def stored(bucket_key: str) -> str:
    """Return the URI of an object of the tests' bucket."""
    return f"s3://{BUCKET}/{bucket_key}"
