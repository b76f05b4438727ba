"""Models and endpoint configurations: stored, described, listed, deleted, refused."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import BUCKET, IMAGE, ROLE, Local
from tests.unit.local.hosting.hosting_local import (
    MODEL_URI,
    create_config,
    create_model,
    put_model,
    variant,
)


def refused(call: Any, **request: Any) -> str:
    """Return the text of a ValidationException."""
    with pytest.raises(ClientError) as raised:
        call(**request)
    error = raised.value.response["Error"]
    assert error["Code"] == "ValidationException"
    return str(error["Message"])


def test_a_model_is_described_as_it_was_made(local: Local) -> None:
    put_model(local)
    create_model(local, "Model-A", ModelDataUrl=MODEL_URI, Environment={"A": "1"})
    found = local.client("sagemaker").describe_model(ModelName="Model-A")
    assert found["ModelArn"].endswith(":model/model-a")
    assert found["ExecutionRoleArn"] == ROLE
    assert found["PrimaryContainer"] == {
        "Mode": "SingleModel",
        "Image": IMAGE,
        "ModelDataUrl": MODEL_URI,
        "ModelDataSource": {
            "S3DataSource": {
                "S3Uri": MODEL_URI,
                "S3DataType": "S3Object",
                "CompressionType": "Gzip",
            }
        },
        "Environment": {"A": "1"},
    }


def test_names_that_differ_in_case_have_one_arn_and_are_one_model(local: Local) -> None:
    create_model(local, "Model-A")
    request = {"ModelName": "MODEL-a", "PrimaryContainer": {"Image": IMAGE}}
    assert refused(local.client("sagemaker").create_model, **request).startswith(
        'Cannot create already existing model "arn:aws:sagemaker:'
    )


def test_tags_are_found_by_the_lower_cased_arn(local: Local) -> None:
    sagemaker = local.client("sagemaker")
    arn = sagemaker.create_model(
        ModelName="Tagged",
        PrimaryContainer={"Image": IMAGE},
        Tags=[{"Key": "team", "Value": "a"}],
    )["ModelArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "more", "Value": "b"}])
    tags = sagemaker.list_tags(ResourceArn=arn)["Tags"]
    assert {each["Key"] for each in tags} == {"team", "more"}
    sagemaker.delete_model(ModelName="Tagged")
    assert refused(sagemaker.list_tags, ResourceArn=arn) == "Requested resource not found."


def test_models_are_listed_in_pages_and_by_filters(local: Local) -> None:
    sagemaker = local.client("sagemaker")
    for number in range(5):
        create_model(local, f"m-{number}")
    pages = sagemaker.get_paginator("list_models").paginate(
        SortBy="Name", SortOrder="Ascending", PaginationConfig={"PageSize": 2}
    )
    assert [len(page["Models"]) for page in pages] == [2, 2, 1]
    found = sagemaker.list_models(NameContains="-3")["Models"]
    assert [each["ModelName"] for each in found] == ["m-3"]
    assert found[0].keys() == {"ModelName", "ModelArn", "CreationTime"}
    later = found[0]["CreationTime"]
    assert len(sagemaker.list_models(CreationTimeAfter=later)["Models"]) == 1


@pytest.mark.parametrize(
    ("container", "begins"),
    [
        ({}, "Each container definition must provide an Image or a ModelPackageName."),
        (
            {"Image": IMAGE, "ModelDataUrl": "s3://a/b", "ModelDataSource": {"S3DataSource": {
                "S3Uri": "s3://a/b", "S3DataType": "S3Object", "CompressionType": "Gzip"}}},
            "A container definition cannot provide both ModelDataUrl and ModelDataSource.",
        ),
        (
            {"Image": IMAGE, "ModelDataSource": {"S3DataSource": {
                "S3Uri": "s3://a/b", "S3DataType": "S3Prefix", "CompressionType": "None"}}},
            'S3Uri "s3://a/b" of an S3Prefix must end with a forward slash.',
        ),
        (
            {"Image": IMAGE, "Mode": "MultiModel"},
            "A container in MultiModel mode must provide a ModelDataUrl, and no ModelDataSource.",
        ),
        (
            {"Image": IMAGE, "ModelPackageName": "package"},
            "A container definition with a ModelPackageName cannot provide an Image or model data.",
        ),
    ],
)  # fmt: skip
def test_a_container_that_cannot_be_is_refused(
    local: Local, container: dict[str, Any], begins: str
) -> None:
    sagemaker = local.client("sagemaker")
    request = {"ModelName": "m", "PrimaryContainer": container}
    assert refused(sagemaker.create_model, **request).startswith(begins)
    assert sagemaker.list_models()["Models"] == []


def test_a_model_needs_exactly_one_kind_of_container(local: Local) -> None:
    create = local.client("sagemaker").create_model
    told = "You must provide exactly one of PrimaryContainer and Containers."
    container = {"Image": IMAGE}
    assert refused(create, ModelName="m") == told
    both = {"PrimaryContainer": container, "Containers": [container]}
    assert refused(create, ModelName="m", **both) == told
    create(ModelName="m", Containers=[container])


def test_a_prefix_is_model_data_where_an_object_lies_below_it(local: Local) -> None:
    def create(name: str, prefix: str) -> None:
        source = {
            "S3Uri": f"s3://{BUCKET}/{prefix}",
            "S3DataType": "S3Prefix",
            "CompressionType": "None",
        }
        create_model(local, name, ModelDataSource={"S3DataSource": source})

    local.client("s3").put_object(Bucket=BUCKET, Key="parts/a.bin", Body=b"1")
    create("there", "parts/")
    found = local.client("sagemaker").describe_model(ModelName="there")
    assert "ModelDataUrl" not in found["PrimaryContainer"]
    with pytest.raises(ClientError, match="Could not find model data at"):
        create("not-there", "other/")


def test_a_configuration_is_described_with_its_defaults(local: Local) -> None:
    create_model(local)
    create_config(local, "Config-A", variant())
    found = local.client("sagemaker").describe_endpoint_config(EndpointConfigName="Config-A")
    assert found["EndpointConfigArn"].endswith(":endpoint-config/config-a")
    assert found["ProductionVariants"] == [{**variant(), "InitialVariantWeight": 1.0}]
    assert found["EnableNetworkIsolation"] is False
    listed = local.client("sagemaker").list_endpoint_configs()["EndpointConfigs"]
    assert [each["EndpointConfigName"] for each in listed] == ["Config-A"]


@pytest.mark.parametrize(
    ("request_", "begins"),
    [
        (
            {"ProductionVariants": [variant(), variant()]},
            "Variant names must be unique within an endpoint configuration: AllTraffic",
        ),
        (
            {"ProductionVariants": [variant(InstanceType=None)]},
            "Variant AllTraffic must have an InstanceType",
        ),
        (
            {"ProductionVariants": [variant(ServerlessConfig={
                "MemorySizeInMB": 1024, "MaxConcurrency": 1})]},
            "Variant AllTraffic cannot have both a ServerlessConfig and instances.",
        ),
        (
            {"ProductionVariants": [variant(RoutingConfig={"RoutingStrategy": "KV_AWARE"})]},
            "The local SageMaker cannot carry out: ProductionVariants[0].RoutingConfig",
        ),
        (
            {"ProductionVariants": [variant(ModelName=None)]},
            "ExecutionRoleArn is required for an endpoint configuration without models",
        ),
        (
            {"ProductionVariants": [variant(), variant("B")],
             "AsyncInferenceConfig": {"OutputConfig": {}}},
            "Multiple variants are not supported when specifying an AsyncInferenceConfig.",
        ),
        (
            {"ProductionVariants": [variant()], "ShadowProductionVariants": [variant("B")],
             "AsyncInferenceConfig": {
                "OutputConfig": {"S3OutputPath": "s3://bucket/out"}}},
            "Multiple variants are not supported when specifying an AsyncInferenceConfig.",
        ),
        (
            {"ProductionVariants": [variant()],
             "AsyncInferenceConfig": {"OutputConfig": {}},
             "DataCaptureConfig": {
                 "InitialSamplingPercentage": 1, "DestinationS3Uri": "s3://b/c",
                 "CaptureOptions": [{"CaptureMode": "Input"}]}},
            "The local SageMaker cannot carry out: DataCaptureConfig with AsyncInferenceConfig",
        ),
        ({"ProductionVariants": [variant(ModelName="other")]}, 'Could not find model "arn:aws'),
    ],
)  # fmt: skip
def test_a_configuration_that_cannot_be_is_refused(
    local: Local, request_: dict[str, Any], begins: str
) -> None:
    create_model(local)
    sagemaker = local.client("sagemaker")
    for each in request_["ProductionVariants"]:
        for name in [name for name, value in each.items() if value is None]:
            del each[name]
    told = refused(sagemaker.create_endpoint_config, EndpointConfigName="c", **request_)
    assert told.startswith(begins)
    assert sagemaker.list_endpoint_configs()["EndpointConfigs"] == []


def test_what_is_deleted_is_gone(local: Local) -> None:
    sagemaker = local.client("sagemaker")
    create_model(local)
    create_config(local)
    sagemaker.delete_endpoint_config(EndpointConfigName="config-1")
    sagemaker.delete_model(ModelName="model-1")
    told = refused(sagemaker.describe_endpoint_config, EndpointConfigName="config-1")
    assert told.startswith('Could not find endpoint configuration "arn:aws')
    assert refused(sagemaker.delete_model, ModelName="model-1").startswith(
        'Could not find model "arn:aws'
    )
