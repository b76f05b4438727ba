"""What serverless endpoints cannot be, and what each kind of endpoint may become."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import BUCKET, IMAGE, ROLE, Local
from tests.unit.local.hosting.hosting_local import (
    create_config,
    create_endpoint,
    create_model,
    deploy,
    settled,
    variant,
)
from tests.unit.local.hosting.test_serverless import serverless


def test_what_each_kind_may_become(local: Local) -> None:
    sagemaker = local.client("sagemaker")
    deploy(local, serverless())
    create_config(local, "instances", variant())
    create_config(local, "serverless", serverless(MaxConcurrency=5))
    sagemaker.update_endpoint(EndpointName="endpoint-1", EndpointConfigName="instances")
    told = settled(local)["ProductionVariants"][0]
    assert (told["CurrentInstanceCount"], "CurrentServerlessConfig" in told) == (1, False)
    with pytest.raises(ClientError, match="cannot be updated to a serverless endpoint"):
        sagemaker.update_endpoint(EndpointName="endpoint-1", EndpointConfigName="serverless")
    sagemaker.create_endpoint_config(
        EndpointConfigName="async",
        ProductionVariants=[variant()],
        AsyncInferenceConfig={"OutputConfig": {"S3OutputPath": f"s3://{BUCKET}/out"}},
    )
    with pytest.raises(ClientError, match="AsyncInferenceConfig parameter cannot be added"):
        sagemaker.update_endpoint(EndpointName="endpoint-1", EndpointConfigName="async")
    create_endpoint(local, "endpoint-2", "async")
    settled(local, "endpoint-2")
    with pytest.raises(ClientError, match="AsyncInferenceConfig parameter cannot be removed"):
        sagemaker.update_endpoint(EndpointName="endpoint-2", EndpointConfigName="instances")


def test_a_serverless_variant_has_no_instances_to_scale(local: Local) -> None:
    deploy(local, serverless())
    desire = {"VariantName": "AllTraffic", "DesiredInstanceCount": 1}
    with pytest.raises(ClientError, match="cannot be set for serverless variant AllTraffic"):
        local.client("sagemaker").update_endpoint_weights_and_capacities(
            EndpointName="endpoint-1", DesiredWeightsAndCapacities=[desire]
        )


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"ProductionVariants": [serverless(), serverless("B")]}, "Multiple variants are not"),
        ({"ProductionVariants": [serverless(MemorySizeInMB=1500)]}, "MemorySizeInMB of variant"),
        ({"ProductionVariants": [serverless(MaxConcurrency=201)]}, "1 validation error detected"),
        (
            {"ProductionVariants": [serverless(ProvisionedConcurrency=3)]},
            "ProvisionedConcurrency of variant AllTraffic must not exceed",
        ),
        (
            {"ProductionVariants": [serverless()], "EnableNetworkIsolation": True},
            "Not supported for serverless endpoints: network isolation.",
        ),
        (
            {
                "ProductionVariants": [serverless()],
                "AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": f"s3://{BUCKET}/o"}},
            },
            "Serverless variants are not supported when specifying an AsyncInferenceConfig.",
        ),
        (
            {
                "ProductionVariants": [serverless()],
                "DataCaptureConfig": {
                    "EnableCapture": True,
                    "InitialSamplingPercentage": 100,
                    "DestinationS3Uri": f"s3://{BUCKET}/capture",
                    "CaptureOptions": [{"CaptureMode": "Input"}],
                },
            },
            "Not supported for serverless endpoints: data capture.",
        ),
    ],
)
def test_what_cannot_be_serverless_is_refused(
    local: Local, request_: dict[str, Any], said: str
) -> None:
    create_model(local)
    with pytest.raises(ClientError, match=said):
        local.client("sagemaker").create_endpoint_config(EndpointConfigName="c", **request_)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ({"EnableNetworkIsolation": True}, "cannot have: network isolation"),
        (
            {"VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}},
            "cannot have: VPC configuration",
        ),
    ],
)
def test_models_that_cannot_be_serverless_are_refused(
    local: Local, model: dict[str, Any], said: str
) -> None:
    sagemaker = local.client("sagemaker")
    sagemaker.create_model(
        ModelName="model-1",
        PrimaryContainer={"Image": IMAGE},
        ExecutionRoleArn=ROLE,
        **model,
    )
    with pytest.raises(ClientError, match=said):
        sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[serverless()])
