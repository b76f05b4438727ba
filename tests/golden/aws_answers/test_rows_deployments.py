"""Rows of the fidelity corpus on models and endpoints ("the rest") that need a world: roles, images
and data that change, and containers that do not serve.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.iam.models import iam_backends

from sagedock.contract import labels
from sagedock.local.faults import NoCapacity, Refusals
from sagedock.testing import Call, Reply, serving
from tests.conftest import ACCOUNT, BUCKET, IMAGE, REGION, ROLE, Local
from tests.unit.local.hosting.components_local import at_rest, create_component, host
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
    said,
    settled,
    variant,
)
from tests.unit.local.hosting.many_models import create_many

ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:"
USER = f"User: arn:aws:sts::{ACCOUNT}:assumed-role/sagedock/SageMaker is not authorized to perform"
NO_PING = (
    "The primary container for production variant AllTraffic did not pass the ping health check. "
    "Please check CloudWatch logs for this endpoint."
)
SERVERLESS = {"MemorySizeInMB": 1024, "MaxConcurrency": 1}
SERVERLESS_VARIANT = {
    "VariantName": "AllTraffic",
    "ModelName": "model-1",
    "ServerlessConfig": SERVERLESS,
}


def refused(call: Callable[[], Any]) -> tuple[str, int, str]:
    """Return the code, status and message that a call is refused with."""
    with pytest.raises(ClientError) as raised:
        call()
    told: Any = raised.value.response
    status = told["ResponseMetadata"]["HTTPStatusCode"]
    return told["Error"]["Code"], status, told["Error"]["Message"]


@pytest.fixture
def iam(local: Local) -> Iterator[Any]:
    """IAM; moto's state belongs to the process, so none is left for the next test."""
    iam_backends.reset()
    yield local.client("iam")
    iam_backends.reset()


def trust(*services: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_rest_row_4_an_image_that_is_an_index(local: Local) -> None:
    local.engine.media_type = "application/vnd.oci.image.index.v1+json"
    code, status, message = refused(lambda: create_model(local))
    assert (code, status) == ("ValidationException", 400)
    assert message.startswith(
        "Unsupported manifest media type application/vnd.oci.image.index.v1+json"
    )
    local.engine.media_type = "application/vnd.oci.image.manifest.v1+json"
    create_model(local)


@pytest.mark.parametrize("how", ["untrusting", "changed", "deleted"])
def test_rest_row_13_a_role_that_sagemaker_cannot_assume(local: Local, iam: Any, how: str) -> None:
    begin = "lambda" if how == "untrusting" else "sagemaker"
    iam.create_role(RoleName="sagedock", AssumeRolePolicyDocument=trust(f"{begin}.amazonaws.com"))
    if how == "changed":
        policy = trust("ec2.amazonaws.com")
        iam.update_assume_role_policy(RoleName="sagedock", PolicyDocument=policy)
    if how == "deleted":
        iam.delete_role(RoleName="sagedock")
    message = (
        f"Could not assume role {ROLE}. Please ensure that the role exists and allows principal "
        "'sagemaker.amazonaws.com' to assume the role."
    )
    assert refused(lambda: create_model(local)) == ("ValidationException", 400, message)
    train = local.client("sagemaker").create_training_job
    assert refused(lambda: train(**local.job())) == ("ValidationException", 400, message)


def test_a_role_that_trusts_sagemaker_again_is_taken(local: Local, iam: Any) -> None:
    iam.create_role(RoleName="sagedock", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))
    both = trust("lambda.amazonaws.com", "sagemaker.amazonaws.com")
    iam.update_assume_role_policy(RoleName="sagedock", PolicyDocument=both)
    create_model(local)
    iam.delete_role(RoleName="sagedock")
    iam.create_role(RoleName="sagedock", AssumeRolePolicyDocument=both)
    create_model(local, "another")


def test_a_role_that_was_deleted_is_not_made_again(iam: Any) -> None:
    iam.create_role(RoleName="gone", AssumeRolePolicyDocument=trust("sagemaker.amazonaws.com"))
    iam.delete_role(RoleName="gone")
    code, _, _ = refused(lambda: iam.get_role(RoleName="gone"))
    assert code == "NoSuchEntity"


def test_rest_row_26_no_instance_where_that_cannot_be(local: Local) -> None:
    def configure(region: str) -> None:
        managed = {"Status": "ENABLED", "MinInstanceCount": 0, "MaxInstanceCount": 2}
        host = variant(ManagedInstanceScaling=managed)
        del host["ModelName"]
        local.client("sagemaker", region).create_endpoint_config(
            EndpointConfigName="c", ExecutionRoleArn=ROLE, ProductionVariants=[host]
        )

    message = "Min instance count needs to be greater than 0 for enabled managed instance scaling"
    assert refused(lambda: configure("eu-west-3")) == ("ValidationException", 400, message)
    configure("us-east-1")


@pytest.mark.parametrize("registry", ["117940112483", "709825985650"])
def test_rest_row_28_an_asynchronous_marketplace_image(local: Local, registry: str) -> None:
    image = f"{registry}.dkr.ecr.us-east-1.amazonaws.com/seller/cg-1/model:1"
    local.engine.images.add(image)
    create_model(local, Image=image)
    output = {"OutputConfig": {"S3OutputPath": f"s3://{BUCKET}/out"}}
    request = {"EndpointConfigName": "c", "ProductionVariants": [variant()]}
    create = local.client("sagemaker").create_endpoint_config
    message = "Marketplace images are not supported when specifying an AsyncInferenceConfig."
    told = refused(lambda: create(**request, AsyncInferenceConfig=output))
    assert told == ("ValidationException", 400, message)
    create(**request)


def tagged(local: Local) -> list[tuple[str, Callable[[], Any]]]:
    """Return what each call that creates with tags is about, and the call."""
    sagemaker, tags = local.client("sagemaker"), [{"Key": "team", "Value": "vision"}]
    container = {"Image": IMAGE}
    return [
        (
            "model/one",
            lambda: sagemaker.create_model(
                ModelName="One", PrimaryContainer=container, ExecutionRoleArn=ROLE, Tags=tags
            ),
        ),
        (
            "endpoint-config/one",
            lambda: sagemaker.create_endpoint_config(
                EndpointConfigName="One", ProductionVariants=[variant()], Tags=tags
            ),
        ),
        (
            "endpoint/one",
            lambda: sagemaker.create_endpoint(
                EndpointName="One", EndpointConfigName="config-1", Tags=tags
            ),
        ),
    ]


@pytest.mark.parametrize("which", [0, 1, 2])
def test_rest_row_30_a_caller_who_may_not_tag(local: Local, which: int) -> None:
    create_model(local)
    create_config(local)
    local.server.faults.add(Refusals(error="access-denied", operation="AddTags"))
    resource, call = tagged(local)[which]
    assert refused(call) == (
        "AccessDeniedException",
        400,
        f"{USER}: sagemaker:AddTags on resource: {ARN}{resource} because no identity-based policy "
        "allows the sagemaker:AddTags action",
    )


@pytest.fixture
def hasty(tmp_path: Path) -> Iterator[Local]:
    """A local SageMaker that waits half a second for /ping."""
    with started(tmp_path / "home", endpoint_startup_s=0.5) as made:
        yield made


def failed(local: Local) -> str:
    """Wait until the endpoint has failed, and return why."""
    found = settled(local)
    assert found["EndpointStatus"] == "Failed"
    return str(found["FailureReason"])


@pytest.mark.parametrize("status", [400, 404, 503])
def test_rest_rows_36_and_37_a_ping_that_is_not_answered_with_200(
    hasty: Local, status: int
) -> None:
    hasty.engine.program = serving(lambda _: Reply(status=status))
    create_model(hasty)
    create_config(hasty)
    create_endpoint(hasty)
    assert failed(hasty).startswith(NO_PING)


def test_rest_row_38_a_container_that_ends_after_its_first_ping(hasty: Local) -> None:
    def dies(call: Call) -> Reply:
        call.container.end(1)
        return Reply(status=503)

    hasty.engine.program = serving(dies)
    create_model(hasty)
    create_config(hasty)
    create_endpoint(hasty)
    assert failed(hasty).startswith(NO_PING)


def test_rest_rows_40_and_90_a_multi_model_container_without_models(hasty: Local) -> None:
    asked: list[tuple[str, str, str]] = []

    def answer(call: Call) -> Reply:
        asked.append((call.method, call.path, call.headers["user-agent"]))
        call.container.print(f'"{call.method} {call.path} HTTP/1.1" 404')
        return Reply(status=200 if call.path == "/ping" else 404)

    hasty.engine.program = serving(answer)
    hasty.engine.labels = {labels.SERVES_MANY: labels.SAYS_YES}
    create_many(hasty)
    create_config(hasty, "config-1", variant(ModelName="many"))
    create_endpoint(hasty)
    assert failed(hasty).startswith(NO_PING)
    assert asked[:2] == [("GET", "/ping", "AHC/2.0"), ("GET", "/models", "AHC/2.0")]
    assert '"GET /models HTTP/1.1" 404' in said(hasty)


def test_rest_rows_41_and_42_a_container_that_cannot_be_started(local: Local) -> None:
    local.engine.program = None
    create_model(local)
    create_config(local)
    create_endpoint(local)
    assert failed(local).startswith(
        "CannotStartContainerError. Please ensure the model container for variant AllTraffic "
        f"starts correctly when invoked with 'docker run {IMAGE} serve'"
    )


def test_rest_row_46_a_serverless_image_that_is_too_large(local: Local) -> None:
    local.engine.program = serving(echo)
    local.engine.image_bytes = 10_737_418_241
    create_model(local)
    create_config(local, "config-1", SERVERLESS_VARIANT)
    create_endpoint(local)
    assert failed(local) == ("Image size 10737418241 is greater than supported size 10737418240")


@pytest.mark.parametrize(("size", "serverless"), [(10_737_418_240, True), (20_000_000_000, False)])
def test_an_image_of_that_size_and_one_with_instances(
    local: Local, size: int, serverless: bool
) -> None:
    local.engine.program = serving(echo)
    local.engine.image_bytes = size
    create_model(local)
    create_config(local, "config-1", SERVERLESS_VARIANT if serverless else variant())
    create_endpoint(local)
    assert settled(local)["EndpointStatus"] == "InService"


def test_an_update_to_too_large_an_image_goes_back(local: Local) -> None:
    local.engine.program = serving(echo)
    deploy(local, SERVERLESS_VARIANT)
    local.engine.image_bytes = 10_737_418_241
    create_config(local, "config-2", SERVERLESS_VARIANT)
    update = local.client("sagemaker").update_endpoint
    update(EndpointName="endpoint-1", EndpointConfigName="config-2")
    found = settled(local)
    assert found["EndpointConfigName"] == "endpoint-1-config"
    assert found["FailureReason"].startswith("Image size 10737418241 is greater than supported ")


def test_rest_row_48_model_data_that_went_before_it_is_deployed(local: Local) -> None:
    put_model(local)
    create_model(local, ModelDataUrl=MODEL_URI)
    local.client("s3").delete_object(Bucket=BUCKET, Key="models/model.tar.gz")
    create_config(local)
    create_endpoint(local)
    assert failed(local).startswith(
        f"Could not access model data at {MODEL_URI}. Please ensure that the role can access it"
    )


def test_rest_row_64_an_endpoint_with_components_cannot_be_deleted(local: Local) -> None:
    local.engine.program = serving(echo)
    host(local)
    create_component(local)
    at_rest(local)
    sagemaker = local.client("sagemaker")
    code, status, _ = refused(lambda: sagemaker.delete_endpoint(EndpointName="endpoint-1"))
    assert (code, status) == ("ValidationException", 400)
    (listed,) = sagemaker.list_inference_components(EndpointNameEquals="endpoint-1")[
        "InferenceComponents"
    ]
    sagemaker.delete_inference_component(InferenceComponentName=listed["InferenceComponentName"])
    awaited(lambda: not sagemaker.list_inference_components()["InferenceComponents"])
    sagemaker.delete_endpoint(EndpointName="endpoint-1")


def test_no_log_group_until_a_container_starts(local: Local) -> None:
    """The group is absent while the endpoint waits for capacity ("Logs", and row 52)."""
    local.engine.program = serving(echo)
    local.server.faults.add(NoCapacity(wait_s=60.0))
    create_model(local)
    create_config(local)
    create_endpoint(local)
    sagemaker, logs = local.client("sagemaker"), local.client("logs")
    group = "/aws/sagemaker/Endpoints/endpoint-1"
    assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"] == []
    code, _, _ = refused(lambda: logs.describe_log_streams(logGroupName=group))
    assert code == "ResourceNotFoundException"
    found = sagemaker.describe_endpoint(EndpointName="endpoint-1")
    assert found["EndpointStatus"] == "Creating"
    assert found["LastModifiedTime"] == found["CreationTime"]


def test_capture_as_describe_tells_it(local: Local) -> None:
    """ "DescribeEndpoint, InService": the members of DataCaptureConfig."""
    local.engine.program = serving(echo)
    create_model(local)
    local.client("sagemaker").create_endpoint_config(
        EndpointConfigName="config-1",
        ProductionVariants=[variant()],
        DataCaptureConfig={
            "EnableCapture": True,
            "InitialSamplingPercentage": 50,
            "DestinationS3Uri": f"s3://{BUCKET}/captured",
            "CaptureOptions": [{"CaptureMode": "Input"}],
        },
    )
    create_endpoint(local, "Mixed-Case")
    found = settled(local, "Mixed-Case")
    assert found["DataCaptureConfig"] == {
        "EnableCapture": True,
        "CaptureStatus": "Started",
        "CurrentSamplingPercentage": 50,
        "DestinationS3Uri": f"s3://{BUCKET}/captured",
        "KmsKeyId": "",
    }
    (listed,) = local.client("sagemaker").list_endpoints()["Endpoints"]
    assert (listed["EndpointName"], listed["EndpointArn"]) == (
        "Mixed-Case",
        f"{ARN}endpoint/mixed-case",
    )


def test_what_describe_endpoint_config_answers(local: Local) -> None:
    create_model(local)
    sent = variant()
    create_config(local, "config-1", sent)
    answer = local.client("sagemaker").describe_endpoint_config(EndpointConfigName="config-1")
    headers = answer.pop("ResponseMetadata")["HTTPHeaders"]
    assert list(answer) == [
        *("EndpointConfigName", "EndpointConfigArn", "ProductionVariants", "CreationTime"),
        "EnableNetworkIsolation",
    ]
    assert answer["ProductionVariants"] == [{**sent, "InitialVariantWeight": 1.0}]
    assert answer["EnableNetworkIsolation"] is False
    assert headers["content-type"] == "application/x-amz-json-1.1"
    assert {"content-length", "date", "x-amzn-requestid"} <= set(headers)
