"""What tests of asynchronous endpoints share."""

from typing import Any

from botocore.exceptions import ClientError

from tests.conftest import BUCKET, Local
from tests.unit.local.hosting.hosting_local import (
    awaited,
    create_endpoint,
    create_model,
    settled,
    variant,
)

OUTPUT = f"s3://{BUCKET}/results"
FAILURES = f"s3://{BUCKET}/failures/"


def deploy_async(
    local: Local,
    *,
    at_once: int | None = None,
    notify: dict[str, Any] | None = None,
    name: str = "endpoint-1",
    **changes: Any,
) -> Any:
    """Create an asynchronous endpoint, and await its service."""
    create_model(local)
    local.client("sagemaker").create_endpoint_config(
        EndpointConfigName=f"{name}-config",
        ProductionVariants=[variant(**changes)],
        AsyncInferenceConfig=async_config(at_once, notify),
    )
    create_endpoint(local, name, f"{name}-config")
    return settled(local, name)


def async_config(
    at_once: int | None = None, notify: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return an AsyncInferenceConfig."""
    output: dict[str, Any] = {"S3OutputPath": OUTPUT, "S3FailurePath": FAILURES}
    if notify:
        output["NotificationConfig"] = notify
    config: dict[str, Any] = {"OutputConfig": output}
    if at_once:
        config["ClientConfig"] = {"MaxConcurrentInvocationsPerInstance": at_once}
    return config


def put_input(local: Local, body: bytes = b"hello", key: str = "inputs/1") -> str:
    """Store an input; return its URI."""
    local.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
    return f"s3://{BUCKET}/{key}"


def invoke_async(local: Local, uri: str | None = None, **more: Any) -> Any:
    """Have an input answered; return what InvokeEndpointAsync answers."""
    request = {"EndpointName": "endpoint-1", "ContentType": "text/plain", **more}
    if uri:
        request["InputLocation"] = uri
    return local.client("sagemaker-runtime").invoke_endpoint_async(**request)


def read(local: Local, uri: str) -> Any:
    """Return an object's answer, its body read; None while it is not there."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    try:
        found = local.client("s3").get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        assert error.response["Error"]["Code"] == "NoSuchKey"
        return None
    return {**found, "Body": found["Body"].read()}


def awaited_object(local: Local, uri: str) -> Any:
    """Wait until an object is there, and return it."""
    awaited(lambda: read(local, uri) is not None)
    return read(local, uri)


def objects_below(local: Local, prefix: str) -> list[str]:
    """Return the keys below a prefix."""
    found = local.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=prefix)
    return [each["Key"] for each in found.get("Contents", ())]
