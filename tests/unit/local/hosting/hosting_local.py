"""What tests of endpoints share: requests, and containers that answer as models do."""

import io
import json
import tarfile
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sagedock.testing import Call, Reply
from tests.conftest import BUCKET, IMAGE, ROLE, Local

MODEL_URI = f"s3://{BUCKET}/models/model.tar.gz"


def echo(call: Call) -> Reply:
    """A model that answers what it was sent, and tells of its headers."""
    if call.path == "/ping":
        return Reply()
    told = {name: value for name, value in call.headers.items() if name.startswith("x-")}
    return Reply(
        body=call.body,
        headers={
            "Content-Type": call.headers.get("content-type", "none"),
            "X-Amzn-SageMaker-Custom-Attributes": json.dumps(told, sort_keys=True),
        },
    )


def archive(files: dict[str, bytes]) -> bytes:
    """Return a tar.gz of files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as packed:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def put_model(local: Local, files: dict[str, bytes] | None = None) -> str:
    """Store a model.tar.gz, and return its URI."""
    body = archive(files or {"weights.bin": b"1234"})
    local.client("s3").put_object(Bucket=BUCKET, Key="models/model.tar.gz", Body=body)
    return MODEL_URI


def create_model(local: Local, name: str = "model-1", **changes: Any) -> str:
    """Create a model; ``changes`` are of its container. Return its name."""
    container = {"Image": IMAGE, **changes}
    local.client("sagemaker").create_model(
        ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE
    )
    return name


def variant(name: str = "AllTraffic", **changes: Any) -> dict[str, Any]:
    """Return a production variant."""
    return {
        "VariantName": name,
        "ModelName": "model-1",
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.large",
        **changes,
    }


def create_config(local: Local, name: str = "config-1", *variants: dict[str, Any]) -> str:
    """Create a configuration; return its name."""
    local.client("sagemaker").create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=list(variants or (variant(),))
    )
    return name


def create_endpoint(local: Local, name: str = "endpoint-1", config: str = "config-1") -> str:
    """Create an endpoint; return its name."""
    local.client("sagemaker").create_endpoint(EndpointName=name, EndpointConfigName=config)
    return name


def deploy(local: Local, *variants: dict[str, Any], name: str = "endpoint-1") -> Any:
    """Create a model, a configuration and an endpoint, and await its service."""
    create_model(local)
    create_config(local, f"{name}-config", *variants)
    create_endpoint(local, name, f"{name}-config")
    return settled(local, name)


def until(
    local: Local, true: Callable[[Any], bool], name: str = "endpoint-1", timeout_s: float = 60
) -> Any:
    """Wait until DescribeEndpoint answers what is awaited, and return it."""
    sagemaker = local.client("sagemaker")
    ends = time.monotonic() + timeout_s
    while not true(found := sagemaker.describe_endpoint(EndpointName=name)):
        assert time.monotonic() < ends, f"still {found['EndpointStatus']}"
        time.sleep(0.01)
    return found


def settled(local: Local, name: str = "endpoint-1", timeout_s: float = 60) -> Any:
    """Wait until no change goes on, and return what Describe answers."""
    return until(
        local,
        lambda found: found["EndpointStatus"] in ("InService", "Failed"),
        name,
        timeout_s,
    )


def awaited(true: Callable[[], bool], timeout_s: float = 60) -> None:
    """Wait until something is true."""
    ends = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.01)


def invoke(local: Local, body: bytes = b"hello", name: str = "endpoint-1", **more: Any) -> Any:
    """Invoke an endpoint; the answer's body is read."""
    answer = local.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=name, Body=body, ContentType="text/plain", **more
    )
    answer["Body"] = answer["Body"].read()
    return answer


def said(local: Local) -> list[str]:
    """Return the log of the endpoint."""
    group = "/aws/sagemaker/Endpoints/endpoint-1"
    events = local.client("logs").filter_log_events(logGroupName=group)["events"]
    return [event["message"] for event in events]


def answers(local: Local) -> str:
    """Invoke the endpoint; return what it answers, or the error."""
    try:
        return str(invoke(local)["Body"].decode())
    except (BotoCoreError, ClientError) as error:
        return str(error)
