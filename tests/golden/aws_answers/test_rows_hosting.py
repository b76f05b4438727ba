"""Rows of the fidelity corpus on models, configurations and endpoints (the page "the rest")."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock.api import messages
from sagedock.local.faults import NoCapacity
from sagedock.local.hosting import document, reasons
from sagedock.local.hosting.capture import Captured, line_of
from sagedock.local.hosting.plan import plan_of
from sagedock.testing import Reply, serving
from tests.conftest import BUCKET, IMAGE, REGION, ROLE, Local
from tests.unit.local.hosting.hosting_local import (
    MODEL_URI,
    create_config,
    create_endpoint,
    create_model,
    echo,
    put_model,
    settled,
    until,
    variant,
)

ARN = f"arn:aws:sagemaker:{REGION}:123456789012:"


def error(call: Callable[[], Any]) -> tuple[str, int, str]:
    """Return the code, status and message that a call is refused with."""
    with pytest.raises(ClientError) as raised:
        call()
    told = raised.value.response
    status = told["ResponseMetadata"]["HTTPStatusCode"]
    return told["Error"]["Code"], status, told["Error"]["Message"]


def refusal(message: str) -> tuple[str, int, str]:
    return "ValidationException", 400, message


def model(local: Local, **container: Any) -> Any:
    return local.client("sagemaker").create_model(
        ModelName="model-1",
        PrimaryContainer={"Image": IMAGE, **container},
        ExecutionRoleArn=ROLE,
    )


def test_rest_row_2_an_image_that_ecr_lacks(local: Local) -> None:
    absent = IMAGE.replace("probe:1", "other:1")
    told = error(lambda: model(local, Image=absent))
    assert told == refusal(f"Requested image {absent} not found.")


def test_rest_row_5_an_image_outside_ecr(local: Local) -> None:
    told = error(lambda: model(local, Image="probe:1"))
    assert told == refusal(
        'Using non-ECR image "probe:1" without Vpc repository access mode is not supported.'
    )
    local.engine.images.add("probe:1")
    model(local, Image="probe:1", ImageConfig={"RepositoryAccessMode": "Vpc"})


def test_rest_rows_6_and_12_model_data_that_is_missing(local: Local) -> None:
    told = error(lambda: model(local, ModelDataUrl=MODEL_URI))
    assert told == refusal(f"Could not find model data at {MODEL_URI}.")


def test_rest_rows_8_and_9_model_data_in_another_region(local: Local) -> None:
    local.client("s3", "eu-west-1").create_bucket(
        Bucket="elsewhere", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    local.client("s3").put_object(Bucket="elsewhere", Key="m.tar.gz", Body=b"1")
    code, status, told = error(lambda: model(local, ModelDataUrl="s3://elsewhere/m.tar.gz"))
    assert (code, status) == ("ValidationException", 400)
    assert told.startswith("Could not access model data at s3://elsewhere/m.tar.gz. ")
    assert "sts:AssumeRole" in told
    assert '"s3:GetObject"' in told
    assert told.endswith(f"and that the object is located in {REGION}.")


def test_rest_row_10_a_model_that_exists(local: Local) -> None:
    model(local)
    told = error(lambda: model(local))
    assert told == refusal(f'Cannot create already existing model "{ARN}model/model-1".')


def test_rest_row_14_an_unknown_model(local: Local) -> None:
    sagemaker = local.client("sagemaker")
    for call in (sagemaker.describe_model, sagemaker.delete_model):
        told = error(lambda call=call: call(ModelName="None"))  # type: ignore[misc]
        assert told == refusal(f'Could not find model "{ARN}model/none".')


def test_rest_rows_16_and_17_what_describe_model_fills_in(local: Local) -> None:
    put_model(local)
    model(local, ModelDataUrl=MODEL_URI)
    found = local.client("sagemaker").describe_model(ModelName="model-1")
    source = found["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]
    assert (source["S3DataType"], source["CompressionType"]) == ("S3Object", "Gzip")
    assert found["PrimaryContainer"]["Environment"] == {}
    assert found["EnableNetworkIsolation"] is False
    assert "DeploymentRecommendation" in found
    create_model(local, "plain")
    plain = local.client("sagemaker").describe_model(ModelName="plain")
    assert plain["DeploymentRecommendation"] == {"RecommendationStatus": "NOT_APPLICABLE"}


def test_rest_row_18_a_configuration_that_exists(local: Local) -> None:
    create_model(local)
    create_config(local)
    told = error(lambda: create_config(local))
    arn = f"{ARN}endpoint-config/config-1"
    assert told == refusal(f'Cannot create already existing endpoint configuration "{arn}".')


@pytest.mark.parametrize(
    ("change", "begins"),
    [
        pytest.param(
            {"ModelName": "my model"},
            "1 validation error detected: Value 'my model' at "
            "'productionVariants.1.member.modelName' failed to satisfy constraint: Member must "
            "satisfy regular expression pattern: ",
            id="rest-20",
        ),
        pytest.param(
            {"InstanceType": "ml.t3.medium"},
            "1 validation error detected: Value 'ml.t3.medium' at "
            "'productionVariants.1.member.instanceType' failed to satisfy constraint: Member must "
            "satisfy enum value set: [",
            id="rest-21",
        ),
        pytest.param(
            {"InstanceType": "local"},
            "1 validation error detected: Value 'local' at "
            "'productionVariants.1.member.instanceType' failed to satisfy constraint: Member must "
            "satisfy enum value set: [",
            id="rest-22",
        ),
        pytest.param(
            {"ManagedInstanceScaling": {"Status": "ENABLED", "MinInstanceCount": 1}},
            "ManagedInstanceScaling is not supported with the given EndpointConfig setup.",
            id="rest-25",
        ),
    ],
)
def test_a_variant_that_cannot_be(local: Local, change: dict[str, Any], begins: str) -> None:
    create_model(local)
    code, status, told = error(lambda: create_config(local, "config-1", variant(**change)))
    assert (code, status) == ("ValidationException", 400)
    assert told.startswith(begins)


def test_rest_row_32_a_configuration_in_use_can_be_deleted(local: Local) -> None:
    endpoint(local)
    sagemaker = local.client("sagemaker")
    sagemaker.delete_endpoint_config(EndpointConfigName="config-1")
    assert settled(local)["EndpointConfigName"] == "config-1"
    create_config(local, "config-2")
    told = error(
        lambda: sagemaker.update_endpoint(EndpointName="endpoint-1", EndpointConfigName="config-2")
    )
    arn = f"{ARN}endpoint-config/config-1"
    assert told == refusal(f'Could not find endpoint configuration "{arn}".')


def endpoint(local: Local) -> Any:
    local.engine.program = serving(echo)
    create_model(local)
    create_config(local)
    create_endpoint(local)
    return settled(local)


def test_rest_row_33_an_endpoint_that_exists(local: Local) -> None:
    endpoint(local)
    told = error(lambda: create_endpoint(local))
    assert told == refusal(f'Cannot create already existing endpoint "{ARN}endpoint/endpoint-1".')


def test_rest_row_34_a_quota_for_endpoints() -> None:
    told = messages.quota_exceeded(
        quota="ml.g5.xlarge for endpoint usage", limit=0, used=0, asked=1
    )
    assert told.code == "ResourceLimitExceeded"
    assert str(told.message).startswith(
        "The account-level service limit 'ml.g5.xlarge for endpoint usage' is 0 Instances, with "
        "current utilization of 0 Instances and a request delta of 1 Instances. Please "
    )


def test_rest_rows_36_to_38_the_ping_health_check() -> None:
    assert reasons.no_ping("v") == (
        "The primary container for production variant v did not pass the ping health check. "
        "Please check CloudWatch logs for this endpoint."
    )


def test_rest_row_41_a_container_that_cannot_start() -> None:
    assert reasons.cannot_start("v", "image:1") == (
        "CannotStartContainerError. Please ensure the model container for variant v starts "
        "correctly when invoked with 'docker run image:1 serve'"
    )


def test_rest_row_44_no_capacity(local: Local) -> None:
    local.server.faults.add(NoCapacity(wait_s=0.01, fails=True))
    assert endpoint(local)["FailureReason"] == (
        "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity "
        "error."
    )


def test_rest_row_50_an_unknown_endpoint(local: Local) -> None:
    create_model(local)
    create_config(local)
    sagemaker = local.client("sagemaker")
    for call in (
        lambda: sagemaker.describe_endpoint(EndpointName="None"),
        lambda: sagemaker.delete_endpoint(EndpointName="None"),
        lambda: sagemaker.update_endpoint(EndpointName="None", EndpointConfigName="config-1"),
    ):
        assert error(call) == refusal(f'Could not find endpoint "{ARN}endpoint/none".')


def test_rest_rows_52_to_54_an_endpoint_in_progress(local: Local) -> None:
    local.engine.program = serving(lambda _: Reply(status=503))
    create_model(local)
    create_config(local)
    create_endpoint(local)
    sagemaker = local.client("sagemaker")
    found = sagemaker.describe_endpoint(EndpointName="endpoint-1")
    assert found["LastModifiedTime"] == found["CreationTime"]
    told = refusal(f'Cannot update in-progress endpoint "{ARN}endpoint/endpoint-1".')
    assert error(lambda: sagemaker.delete_endpoint(EndpointName="endpoint-1")) == told
    desires = [{"VariantName": "AllTraffic", "DesiredWeight": 2.0}]
    change = sagemaker.update_endpoint_weights_and_capacities
    request = {"EndpointName": "endpoint-1", "DesiredWeightsAndCapacities": desires}
    assert error(lambda: change(**request)) == told
    local.engine.program = serving(echo)


def test_rest_row_56_an_unknown_configuration(local: Local) -> None:
    endpoint(local)
    told = error(
        lambda: local.client("sagemaker").update_endpoint(
            EndpointName="endpoint-1", EndpointConfigName="none"
        )
    )
    arn = f"{ARN}endpoint-config/none"
    assert told == refusal(f'Could not find endpoint configuration "{arn}".')


def test_rest_rows_57_58_and_60_an_update_from_its_start_to_its_end() -> None:
    class Image:
        id, digests = "sha256:1", ()

    config = {
        "EndpointConfigName": "old",
        "EnableNetworkIsolation": False,
        "ProductionVariants": [{**variant(), "InitialVariantWeight": 1.0}],
    }
    models = {"model-1": {"PrimaryContainer": {"Image": IMAGE}, "EnableNetworkIsolation": False}}
    find: Any = lambda _: Image  # noqa: E731 - an image of any name
    old = plan_of(config, models, find, 1.0)
    new = plan_of({**config, "EndpointConfigName": "new"}, models, find, 2.0)
    served = document.in_service(document.created("e", "arn", old, 1.0, None), old, 2.0)
    pending = document.updating({**served, "FailureReason": "before"}, new, 3.0, None)
    assert pending["EndpointConfigName"] == "old"
    assert pending["PendingDeploymentSummary"]["EndpointConfigName"] == "new"
    assert "FailureReason" not in pending
    back = document.rolling_back(pending, "no ping", 4.0)
    assert back["EndpointStatus"] == "RollingBack"
    after = document.in_service(back, old, 5.0)
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", "old")
    assert after["FailureReason"] == "no ping"


def test_rest_row_61_what_variants_tell(local: Local) -> None:
    endpoint(local)
    local.engine.program = serving(lambda _: Reply(status=503))
    local.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName="endpoint-1",
        DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 3}],
    )
    found = until(local, lambda found: found["EndpointStatus"] == "Updating")
    (status,) = found["ProductionVariants"][0]["VariantStatus"]
    assert status["StatusMessage"] == "Scaling out desired instance count to 3."
    local.engine.program = serving(echo)


def test_rest_row_62_an_unknown_variant(local: Local) -> None:
    endpoint(local)
    told = error(
        lambda: local.client("sagemaker").update_endpoint_weights_and_capacities(
            EndpointName="endpoint-1",
            DesiredWeightsAndCapacities=[{"VariantName": "v", "DesiredWeight": 1.0}],
        )
    )
    assert told == refusal(
        'The variant name(s) "v" is/are not present within endpoint configuration "config-1".'
    )


def test_the_data_capture_line_seen_in_the_wild() -> None:
    captured = Captured(
        config={"CaptureOptions": [{"CaptureMode": "InputAndOutput"}]},
        endpoint="e",
        variant="v",
        event="1",
        inference=None,
        at=0.0,
        sent=b"1",
        sent_type="text/csv; charset=utf-8",
        answered=b"2",
        answered_type="text/csv; charset=utf-8",
    )
    half = {"observedContentType": "text/csv; charset=utf-8", "encoding": "BASE64"}
    assert json.loads(line_of(captured)) == {
        "captureData": {
            "endpointInput": {**half, "mode": "INPUT", "data": "MQ=="},
            "endpointOutput": {**half, "mode": "OUTPUT", "data": "Mg=="},
        },
        "eventMetadata": {"eventId": "1", "inferenceTime": "1970-01-01T00:00:00Z"},
        "eventVersion": "0",
    }


def test_the_shapes_seen_in_the_wild(local: Local) -> None:
    found = endpoint(local)
    (shown,) = found["ProductionVariants"]
    assert list(shown) == [
        *("VariantName", "DeployedImages", "CurrentWeight", "DesiredWeight"),
        *("CurrentInstanceCount", "DesiredInstanceCount"),
    ]
    assert list(shown["DeployedImages"][0]) == [
        *("SpecifiedImage", "ResolvedImage", "ResolutionTime"),
    ]
    assert isinstance(shown["CurrentWeight"], float)
    group = "/aws/sagemaker/Endpoints/endpoint-1"
    (stream,) = local.client("logs").describe_log_streams(logGroupName=group)["logStreams"]
    assert re.fullmatch(r"AllTraffic/i-[0-9a-f]{17}", stream["logStreamName"])
    assert BUCKET
