"""Rows of the fidelity corpus ("the rest") about the model registry: 122 to 134, and 154."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import ACCOUNT, BUCKET, REGION, Local
from tests.unit.local.registry_calls import (
    create_group,
    put_data,
    register,
    specification,
    unversioned,
)

ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:"
ROLE_PATTERN = r"arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+"


def refused(call: Callable[..., Any], **request: Any) -> tuple[str, int, str]:
    with pytest.raises(ClientError) as raised:
        call(**request)
    told: Any = raised.value.response
    status = told["ResponseMetadata"]["HTTPStatusCode"]
    return told["Error"]["Code"], status, told["Error"]["Message"]


def validation(message: str) -> tuple[str, int, str]:
    return "ValidationException", 400, message


@pytest.fixture
def group(local: Local) -> Local:
    put_data(local)
    create_group(local)
    return local


def test_rest_row_122_neither_name_nor_group(local: Local) -> None:
    told = refused(local.client("sagemaker").create_model_package)
    assert told == validation("Missing ARN")


def test_rest_row_124_environment_without_version(group: Local) -> None:
    alone = unversioned()
    alone["InferenceSpecification"]["Containers"][0]["Environment"] = {"A": "1"}
    told = refused(group.client("sagemaker").create_model_package, **alone)
    assert told == validation(
        "1 validation errors detected:Environment variable map cannot be specified when using "
        "non-versioned ModelPackages"
    )


def test_rest_row_125_validation_role_is_no_arn(group: Local) -> None:
    told = refused(
        group.client("sagemaker").create_model_package,
        **unversioned(
            ValidationSpecification={
                "ValidationRole": "a-role-without-an-arn",
                "ValidationProfiles": [
                    {
                        "ProfileName": "p",
                        "TransformJobDefinition": {
                            "TransformInput": {
                                "DataSource": {
                                    "S3DataSource": {
                                        "S3DataType": "S3Prefix",
                                        "S3Uri": f"s3://{BUCKET}/in",
                                    }
                                }
                            },
                            "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/out"},
                            "TransformResources": {
                                "InstanceType": "ml.m5.large",
                                "InstanceCount": 1,
                            },
                        },
                    }
                ],
            }
        ),
    )
    code, status, message = told
    assert (code, status) == ("ValidationException", 400)
    assert message == (
        "1 validation error detected: Value 'a-role-without-an-arn' at "
        "'validationSpecification.validationRole' failed to satisfy constraint: Member must "
        "satisfy regular expression pattern: "
        f"{ROLE_PATTERN}"
    )


def test_rest_row_126_a_group_that_exists(group: Local) -> None:
    code, status, message = refused(
        group.client("sagemaker").create_model_package_group, ModelPackageGroupName="Models"
    )
    assert (code, status) == ("ValidationException", 400)
    assert message.startswith("Model Package Group already exists")


def test_rest_row_128_an_unknown_group(local: Local) -> None:
    told = refused(
        local.client("sagemaker").describe_model_package_group, ModelPackageGroupName="No"
    )
    assert told == validation(f"ModelPackageGroup {ARN}model-package-group/no does not exist.")


@pytest.mark.parametrize("named", ["no", f"{ARN}model-package/no/1"])
def test_rest_row_129_an_unknown_package(local: Local, named: str) -> None:
    told = refused(local.client("sagemaker").describe_model_package, ModelPackageName=named)
    arn = named if named.startswith("arn:") else f"{ARN}model-package/{named}"
    assert told == validation(f"ModelPackage {arn} does not exist.")


def test_rest_row_130_an_arn_of_another_region(local: Local) -> None:
    other = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:model-package/models/1"
    told = refused(local.client("sagemaker").describe_model_package, ModelPackageName=other)
    assert told == validation(f"ARN should be scoped to correct region: {REGION}")


def test_rest_row_132_conflicts(group: Local) -> None:
    register(group)
    sagemaker = group.client("sagemaker")
    code, status, _ = refused(sagemaker.delete_model_package_group, ModelPackageGroupName="Models")
    assert (code, status) == ("ConflictException", 400)
    sagemaker.create_model_package(**unversioned())
    code, status, _ = refused(sagemaker.create_model_package, **unversioned())
    assert (code, status) == ("ConflictException", 400)


def test_rest_row_133_versions_are_listed_without_a_name(group: Local) -> None:
    arn = register(group)
    (item,) = group.client("sagemaker").list_model_packages(ModelPackageGroupName="Models")[
        "ModelPackageSummaryList"
    ]
    assert "ModelPackageName" not in item
    assert item["ModelPackageArn"] == arn
    assert item["ModelPackageGroupName"] == "Models"
    assert item["ModelPackageVersion"] == 1


def test_rest_row_134_a_version_is_described(group: Local) -> None:
    generated_by = f"{ARN}pipeline/p/execution/4r83jejmhorv"
    report = {"ContentType": "application/json", "S3Uri": f"s3://{BUCKET}/evaluation.json"}
    metrics = {"ModelQuality": {"Statistics": report}}
    arn = register(group, MetadataProperties={"GeneratedBy": generated_by}, ModelMetrics=metrics)
    found = group.client("sagemaker").describe_model_package(ModelPackageName=arn)
    (container,) = found["InferenceSpecification"]["Containers"]
    assert container["ImageDigest"].startswith("sha256:")
    assert found["ModelPackageStatusDetails"] == {"ValidationStatuses": [], "ImageScanStatuses": []}
    assert found["CertifyForMarketplace"] is False
    assert found["MetadataProperties"] == {"GeneratedBy": generated_by}
    assert found["ModelMetrics"] == metrics


def test_rest_row_154_an_artefact_that_cannot_be_read(group: Local) -> None:
    told = refused(
        group.client("sagemaker").create_model_package,
        ModelPackageGroupName="Models",
        InferenceSpecification=specification(ModelDataUrl="s3://other-bucket/a/model.tar.gz"),
    )
    assert told == validation("Access denied for bucket: other-bucket, object key: a/model.tar.gz")
