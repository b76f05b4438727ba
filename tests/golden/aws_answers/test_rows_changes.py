"""Rows of the fidelity corpus on the course of endpoints ("the rest"): updates that fail, what
variants tell meanwhile, and what happens to what they are made of.
"""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock.testing import Call, Container, Reply, serving
from tests.conftest import BUCKET, REGION, Local
from tests.unit.local.hosting.async_local import (
    FAILURES,
    OUTPUT,
    awaited_object,
    deploy_async,
    invoke_async,
    put_input,
)
from tests.unit.local.hosting.conftest import started
from tests.unit.local.hosting.hosting_local import (
    MODEL_URI,
    awaited,
    create_config,
    create_endpoint,
    create_model,
    deploy,
    echo,
    put_model,
    settled,
    until,
    variant,
)

ARN = f"arn:aws:sagemaker:{REGION}:123456789012:"
NO_PING = "The primary container for production variant AllTraffic did not pass the ping health "


@pytest.fixture
def hasty(tmp_path: Path) -> Iterator[Local]:
    """A local SageMaker that waits half a second for /ping, and whose hours are short."""
    with started(tmp_path / "home", endpoint_startup_s=0.5, time_scale=7200.0) as made:
        yield made


def held(local: Local) -> threading.Event:
    """Let containers answer /ping once the event that is returned is set. They end so slowly that
    they are killed.
    """
    let, never = threading.Event(), threading.Event()

    def answer(call: Call) -> Reply:
        return echo(call) if let.is_set() else Reply(status=503)

    def program(container: Container) -> int:
        code = serving(answer)(container)
        never.wait(1)
        return code

    local.engine.program = program
    return let


@pytest.mark.parametrize("kind", ["model", "configuration"])
def test_rest_row_49_what_it_is_made_of_is_deleted_while_it_is_created(
    tmp_path: Path, kind: str
) -> None:
    with started(tmp_path / "home", time_scale=7200.0) as local:
        let, sagemaker = held(local), local.client("sagemaker")
        create_model(local)
        create_config(local)
        create_endpoint(local)
        if kind == "model":
            sagemaker.delete_model(ModelName="model-1")
        else:
            sagemaker.delete_endpoint_config(EndpointConfigName="config-1")
        let.set()
        found = settled(local)
        assert found["EndpointStatus"] == "Failed"
        assert f"The {'endpoint ' * (kind != 'model')}{kind} " in found["FailureReason"]
        sagemaker.delete_endpoint(EndpointName="endpoint-1")


def test_rest_row_49_meanwhile_it_can_neither_be_deleted_nor_invoked(tmp_path: Path) -> None:
    with started(tmp_path / "home") as local:
        let, sagemaker = held(local), local.client("sagemaker")
        create_model(local)
        create_config(local)
        create_endpoint(local)
        sagemaker.delete_endpoint_config(EndpointConfigName="config-1")
        let.set()
        ends = time.monotonic() + 1.5  # longer than it takes until /ping is asked again
        while time.monotonic() < ends:
            with pytest.raises(ClientError) as refused:
                sagemaker.delete_endpoint(EndpointName="endpoint-1")
            told = f'Cannot update in-progress endpoint "{ARN}endpoint/endpoint-1".'
            assert refused.value.response["Error"]["Message"] == told
        found = sagemaker.describe_endpoint(EndpointName="endpoint-1")
        assert found["EndpointStatus"] == "Creating"
        assert found["LastModifiedTime"] == found["CreationTime"]


def test_what_serves_does_not_need_what_it_was_made_of(local: Local) -> None:
    local.engine.program = serving(echo)
    deploy(local)
    sagemaker = local.client("sagemaker")
    sagemaker.delete_model(ModelName="model-1")
    assert settled(local)["EndpointStatus"] == "InService"


def test_rest_rows_57_58_and_60_an_update_that_fails(hasty: Local) -> None:
    deploy(hasty)
    sagemaker = hasty.client("sagemaker")
    create_config(hasty, "new")
    hasty.engine.program = serving(lambda _: Reply(status=500))
    sagemaker.update_endpoint(EndpointName="endpoint-1", EndpointConfigName="new")
    pending = sagemaker.describe_endpoint(EndpointName="endpoint-1")
    assert (pending["EndpointStatus"], pending["EndpointConfigName"]) == (
        "Updating",
        "endpoint-1-config",
    )
    assert pending["PendingDeploymentSummary"]["EndpointConfigName"] == "new"
    found = settled(hasty)
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == (
        "InService",
        "endpoint-1-config",
    )
    assert found["FailureReason"].startswith(NO_PING)
    assert "PendingDeploymentSummary" not in found
    hasty.engine.program = serving(echo)
    sagemaker.update_endpoint(EndpointName="endpoint-1", EndpointConfigName="new")
    assert "FailureReason" not in sagemaker.describe_endpoint(EndpointName="endpoint-1")
    assert settled(hasty)["EndpointConfigName"] == "new"


def statuses(found: Any) -> list[tuple[str, str]]:
    """Return the statuses of a variant as (status, message)."""
    told = found["ProductionVariants"][0].get("VariantStatus", [])
    return [(each["Status"], each["StatusMessage"]) for each in told]


def test_rest_row_61_what_a_variant_tells_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    with started(tmp_path / "home") as local:
        let, sagemaker = held(local), local.client("sagemaker")
        create_model(local)
        create_config(local, "config-1", variant(InitialInstanceCount=2))
        create_endpoint(local)
        found = sagemaker.describe_endpoint(EndpointName="endpoint-1")
        assert statuses(found) == [("Creating", "Launching 2 instance(s).")]
        let.set()
        assert statuses(settled(local)) == []
        let.clear()
        sagemaker.update_endpoint_weights_and_capacities(
            EndpointName="endpoint-1",
            DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 3}],
        )
        found = until(local, lambda found: found["EndpointStatus"] == "Updating")
        assert statuses(found) == [("Updating", "Scaling out desired instance count to 3.")]
        let.set()
        settled(local)
        sagemaker.delete_endpoint(EndpointName="endpoint-1")
        found = sagemaker.describe_endpoint(EndpointName="endpoint-1")
        assert statuses(found) == [("Deleting", "Terminating 3 instance(s).")]


def test_rest_row_29_a_serverless_variant_of_a_model_data_source(local: Local) -> None:
    put_model(local)
    source = {"S3Uri": MODEL_URI, "S3DataType": "S3Object", "CompressionType": "Gzip"}
    create_model(local, ModelDataSource={"S3DataSource": source})
    serverless = {
        "VariantName": "v",
        "ModelName": "model-1",
        "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1},
    }
    with pytest.raises(ClientError) as refused:
        create_config(local, "config-1", serverless)
    error = refused.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert error["Message"].startswith("Model with containers that use ModelDataSourc")


def test_rest_row_92_what_an_asynchronous_call_is_answered(local: Local) -> None:
    local.engine.program = serving(echo)
    deploy_async(local)
    answer = invoke_async(local, put_input(local))
    assert len(answer["InferenceId"]) == 36
    assert answer["OutputLocation"].startswith(f"{OUTPUT}/")
    assert answer["FailureLocation"].startswith(FAILURES)
    assert awaited_object(local, answer["OutputLocation"])["Body"] == b"hello"


def test_rest_row_93_no_place_for_failures(local: Local) -> None:
    local.engine.program = serving(echo)
    create_model(local)
    local.client("sagemaker").create_endpoint_config(
        EndpointConfigName="config-1",
        ProductionVariants=[variant()],
        AsyncInferenceConfig={"OutputConfig": {"S3OutputPath": f"s3://{BUCKET}/out"}},
    )
    create_endpoint(local)
    found = settled(local)
    assert "S3FailurePath" not in found["AsyncInferenceConfig"]["OutputConfig"]
    answer = invoke_async(local, put_input(local))
    assert "FailureLocation" not in answer
    assert awaited_object(local, answer["OutputLocation"])["Body"] == b"hello"


@pytest.mark.parametrize(
    ("reply", "line"),
    [
        pytest.param(
            Reply(status=413, body=b"Failed to buffer the request body: length limit exceeded"),
            'Received client error (413) from primary with message "Failed to buffer the request '
            'body: length limit exceeded"',
            id="rest-96",
        ),
        pytest.param(
            Reply(pieces=lambda: iter([b"1"])),
            "The response from container primary did not specify the required Content-Length "
            "header",
            id="rest-97",
        ),
    ],
)
def test_what_the_data_log_says_of_a_request(local: Local, reply: Reply, line: str) -> None:
    local.engine.program = serving(lambda call: Reply() if call.path == "/ping" else reply)
    deploy_async(local)
    answer = invoke_async(local, put_input(local), InferenceId="id-1")
    awaited_object(local, answer["FailureLocation"])
    logs, group = local.client("logs"), "/aws/sagemaker/Endpoints/endpoint-1"

    def told() -> list[str]:
        events = logs.filter_log_events(logGroupName=group)["events"]
        return [each["message"] for each in events if each["logStreamName"].endswith("/data-log")]

    awaited(lambda: any(f":[sagemaker logs] [id-1] {line}" in each for each in told()))
