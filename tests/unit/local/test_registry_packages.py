"""Model packages: registered, described, listed, updated, deleted, refused."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import ACCOUNT, BUCKET, IMAGE, REGION, Local
from tests.unit.local.hosting.conftest import started
from tests.unit.local.hosting.test_hosting_models import refused
from tests.unit.local.registry_calls import (
    DATA,
    create_group,
    put_data,
    register,
    specification,
    unversioned,
)

ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/models"
REPORT = {"ContentType": "application/json", "S3Uri": f"s3://{BUCKET}/report.json"}


@pytest.fixture
def group(local: Local) -> Local:
    put_data(local)
    create_group(local)
    return local


def versions(local: Local, **asked: Any) -> list[int]:
    listed = local.client("sagemaker").list_model_packages(**asked)["ModelPackageSummaryList"]
    return [each.get("ModelPackageVersion") for each in listed]


def test_a_version_is_described_as_it_was_registered(group: Local) -> None:
    said = {
        "ModelPackageDescription": "first",
        "ModelMetrics": {"ModelQuality": {"Statistics": REPORT}},
        "DriftCheckBaselines": {"ModelQuality": {"Statistics": REPORT}},
        "CustomerMetadataProperties": {"owner": "me"},
        "MetadataProperties": {"GeneratedBy": "arn:aws:sagemaker:x", "CommitId": "abc"},
        "Domain": "MACHINE_LEARNING",
        "Task": "REGRESSION",
        "SamplePayloadUrl": f"s3://{BUCKET}/sample.tar.gz",
        "SkipModelValidation": "All",
        "ModelLifeCycle": {"Stage": "Dev", "StageStatus": "Approved"},
    }
    assert register(group, **said) == f"{ARN}/1"
    sagemaker = group.client("sagemaker")
    for named in (f"{ARN}/1", "Models/1"):
        found = sagemaker.describe_model_package(ModelPackageName=named)
        assert {name: found[name] for name in said} == said
        assert "ModelPackageName" not in found
        assert found["ModelPackageGroupName"] == "Models"
        assert found["ModelPackageVersion"] == 1
        assert found["ModelPackageStatus"] == "Completed"
        assert found["ModelApprovalStatus"] == "PendingManualApproval"
        assert found["CertifyForMarketplace"] is False
        (container,) = found["InferenceSpecification"]["Containers"]
        assert (container["Image"], container["ModelDataUrl"]) == (IMAGE, DATA)
        assert container["ImageDigest"] == group.engine.image(IMAGE).id


def test_versions_count_up_and_are_not_used_again(group: Local) -> None:
    for number in (1, 2, 3):
        assert register(group) == f"{ARN}/{number}"
    sagemaker = group.client("sagemaker")
    sagemaker.delete_model_package(ModelPackageName=f"{ARN}/3")
    assert register(group, "models") == f"{ARN}/4"
    assert versions(group, ModelPackageGroupName="Models") == [4, 2, 1]
    told = refused(sagemaker.describe_model_package, ModelPackageName=f"{ARN}/3")
    assert told == f"ModelPackage {ARN}/3 does not exist."


def test_a_client_token_makes_one_version(group: Local) -> None:
    assert register(group, ClientToken="t" * 36) == f"{ARN}/1"
    assert register(group, ClientToken="t" * 36) == f"{ARN}/1"
    assert register(group, ClientToken="u" * 36) == f"{ARN}/2"
    alone = unversioned(ClientToken="v" * 36)
    sagemaker = group.client("sagemaker")
    first = sagemaker.create_model_package(**alone)["ModelPackageArn"]
    assert sagemaker.create_model_package(**alone)["ModelPackageArn"] == first
    with pytest.raises(ClientError, match="ConflictException"):
        sagemaker.create_model_package(**{**alone, "ClientToken": "w" * 36})


def test_versions_that_are_registered_at_once_have_numbers_of_their_own(group: Local) -> None:
    group.client("sagemaker")  # clients are made one at a time
    with ThreadPoolExecutor(8) as pool:
        made = [each.result() for each in [pool.submit(register, group) for _ in range(24)]]
    assert sorted(made) == sorted(f"{ARN}/{number}" for number in range(1, 25))
    assert versions(group, ModelPackageGroupName="Models", MaxResults=100) == [*range(24, 0, -1)]


def test_a_package_without_version_is_listed_apart(group: Local) -> None:
    register(group)
    sagemaker = group.client("sagemaker")
    tags = [{"Key": "k", "Value": "v"}]
    arn = sagemaker.create_model_package(**unversioned(Tags=tags))["ModelPackageArn"]
    assert arn.endswith(":model-package/alone")
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == tags
    found = sagemaker.describe_model_package(ModelPackageName="Alone")
    assert found["ModelPackageName"] == "Alone"
    assert "ModelApprovalStatus" not in found
    assert versions(group) == [None]
    assert versions(group, ModelPackageType="Versioned") == [1]
    assert sorted(versions(group, ModelPackageType="Both"), key=str) == [1, None]
    told = refused(
        sagemaker.update_model_package, ModelPackageArn=arn, ModelApprovalStatus="Approved"
    )
    assert told == f"ModelPackage {arn} is not versioned, and cannot be updated."


def test_versions_are_listed_by_approval_order_and_page(group: Local) -> None:
    for status in ("Approved", "Rejected", "Approved"):
        register(group, ModelApprovalStatus=status)
    create_group(group, "Other")
    register(group, "Other")
    of_group = {"ModelPackageGroupName": "Models"}
    assert versions(group, **of_group) == [3, 2, 1]
    assert versions(group, **of_group, SortOrder="Ascending") == [1, 2, 3]
    assert versions(group, **of_group, SortBy="Name", SortOrder="Ascending") == [1, 2, 3]
    assert versions(group, **of_group, ModelApprovalStatus="Approved") == [3, 1]
    pages = group.client("sagemaker").get_paginator("list_model_packages")
    found = [
        [each["ModelPackageVersion"] for each in page["ModelPackageSummaryList"]]
        for page in pages.paginate(**of_group, PaginationConfig={"PageSize": 2})
    ]
    assert found == [[3, 2], [1]]
    (summary,) = group.client("sagemaker").list_model_packages(ModelPackageGroupName="other")[
        "ModelPackageSummaryList"
    ]
    assert summary.keys() == {
        *("ModelPackageGroupName", "ModelPackageVersion", "ModelPackageArn", "CreationTime"),
        *("ModelPackageStatus", "ModelApprovalStatus"),
    }


def test_an_update_changes_approval_metadata_and_specifications(group: Local) -> None:
    arn = register(group, CustomerMetadataProperties={"a": "1", "b": "2"})
    sagemaker = group.client("sagemaker")
    more = [{"Name": "small", "Containers": specification()["Containers"]}]
    answer = sagemaker.update_model_package(
        ModelPackageArn=arn,
        ModelApprovalStatus="Approved",
        ApprovalDescription="looks well",
        CustomerMetadataProperties={"c": "3"},
        CustomerMetadataPropertiesToRemove=["a"],
        AdditionalInferenceSpecificationsToAdd=more,
        ModelLifeCycle={"Stage": "Prod", "StageStatus": "Approved"},
    )
    assert answer["ModelPackageArn"] == arn
    found = sagemaker.describe_model_package(ModelPackageName=arn)
    assert found["ModelApprovalStatus"] == "Approved"
    assert found["ApprovalDescription"] == "looks well"
    assert found["CustomerMetadataProperties"] == {"b": "2", "c": "3"}
    assert [each["Name"] for each in found["AdditionalInferenceSpecifications"]] == ["small"]
    assert found["LastModifiedTime"] >= found["CreationTime"]
    told = refused(
        sagemaker.update_model_package,
        ModelPackageArn=arn,
        AdditionalInferenceSpecificationsToAdd=more,
    )
    assert told == "Names of additional inference specifications must be unique: small"
    many = [{"Name": f"s-{n}", "Containers": more[0]["Containers"]} for n in range(15)]
    told = refused(
        sagemaker.update_model_package,
        ModelPackageArn=arn,
        AdditionalInferenceSpecificationsToAdd=many,
    )
    assert "at most 15" in told
    assert versions(group, ModelPackageGroupName="Models", ModelApprovalStatus="Approved") == [1]


def test_several_are_described_at_once(group: Local) -> None:
    first, unknown = register(group), f"{ARN}/9"
    answer = group.client("sagemaker").batch_describe_model_package(
        ModelPackageArnList=[first, unknown]
    )
    assert answer["ModelPackageSummaries"][first]["ModelPackageVersion"] == 1
    error = answer["BatchDescribeModelPackageErrorMap"][unknown]
    assert error["ErrorCode"] == "ValidationException"
    assert error["ErrorResponse"] == f"ModelPackage {unknown} does not exist."


def test_a_model_card_can_be_asked_for_without_its_content(group: Local) -> None:
    content = {"intended_uses": {"risk_rating": "Low", "purpose": "x"}, "training_details": {}}
    card = {"ModelCardContent": json.dumps(content), "ModelCardStatus": "Draft"}
    arn = register(group, ModelCard=card)
    sagemaker = group.client("sagemaker")
    assert sagemaker.describe_model_package(ModelPackageName=arn)["ModelCard"] == card
    found = sagemaker.describe_model_package(ModelPackageName=arn, IncludedData="MetadataOnly")
    left = json.loads(found["ModelCard"]["ModelCardContent"])
    assert left == {"intended_uses": {"risk_rating": "Low"}}


def test_a_package_is_made_of_a_model_and_of_another_package(group: Local) -> None:
    sagemaker = group.client("sagemaker")
    model = sagemaker.create_model(
        ModelName="Made",
        PrimaryContainer={"Image": IMAGE, "ModelDataUrl": DATA, "Environment": {"A": "1"}},
    )["ModelArn"]
    first = register(group, InferenceSpecification=None, SourceUri=model)
    second = register(group, InferenceSpecification=None, SourceUri=first)
    for arn, source in ((first, model), (second, first)):
        found = sagemaker.describe_model_package(ModelPackageName=arn)
        assert found["SourceUri"] == source
        (container,) = found["InferenceSpecification"]["Containers"]
        assert container["Environment"] == {"A": "1"}
        assert container["ModelDataUrl"] == DATA
    told = refused(
        sagemaker.create_model_package,
        ModelPackageGroupName="Models",
        SourceUri=f"{model}-not",
    )
    assert told == f"SourceUri {model}-not does not exist."


@pytest.mark.parametrize(
    ("changes", "begins"),
    [
        ({"ModelPackageGroupName": "none"}, "ModelPackageGroup arn:aws:sagemaker:"),
        (
            {"InferenceSpecification": specification(Image=f"{IMAGE}-absent")},
            f"Requested image {IMAGE}-absent not found.",
        ),
        (
            {"InferenceSpecification": specification(Image="other/image:1")},
            'Using non-ECR image "other/image:1"',
        ),
        (
            {"InferenceSpecification": specification(ModelDataUrl=f"s3://{BUCKET}/no.tar.gz")},
            f"Access denied for bucket: {BUCKET}, object key: no.tar.gz",
        ),
        (
            {"InferenceSpecification": specification(ModelDataUrl=f"s3://{BUCKET}/models/model")},
            f"Access denied for bucket: {BUCKET}, object key: models/model",
        ),
        (
            {"InferenceSpecification": specification(Image=None)},
            "The local SageMaker cannot carry out: InferenceSpecification.Containers[0] without "
            "Image.",
        ),
        (
            {"CertifyForMarketplace": True},
            "CertifyForMarketplace cannot be specified for a versioned ModelPackage",
        ),
        ({"Tags": [{"Key": "a", "Value": "b"}]}, "Tags cannot be specified for a versioned"),
        (
            {
                "InferenceSpecification": None,
                "SourceAlgorithmSpecification": {"SourceAlgorithms": [{"AlgorithmName": "a"}]},
            },
            "The local SageMaker cannot carry out: SourceAlgorithmSpecification.",
        ),
        (
            {"ModelPackageName": "also"},
            "Both ModelPackageName and ModelPackageGroupName are provided in the input.",
        ),
    ],
)
def test_what_cannot_be_registered_is_refused(
    group: Local, changes: dict[str, Any], begins: str
) -> None:
    sagemaker = group.client("sagemaker")
    request = {
        "ModelPackageGroupName": "Models",
        "InferenceSpecification": specification(),
        **changes,
    }
    given = {name: value for name, value in request.items() if value is not None}
    assert refused(sagemaker.create_model_package, **given).startswith(begins)
    assert versions(group, ModelPackageType="Both") == []
    assert register(group) == f"{ARN}/1"


@pytest.mark.parametrize(
    ("changes", "begins"),
    [
        ({"ModelApprovalStatus": "Approved"}, "ModelApprovalStatus cannot be specified"),
        ({"InferenceSpecification": specification()}, "SupportedTransformInstanceTypes must be"),
    ],
)
def test_what_needs_a_version_is_refused_without(
    group: Local, changes: dict[str, Any], begins: str
) -> None:
    told = refused(group.client("sagemaker").create_model_package, **unversioned(**changes))
    assert told.startswith(begins)


def test_other_regions_have_packages_of_their_own(group: Local) -> None:
    arn = register(group)
    other = group.client("sagemaker", "eu-west-1")
    assert other.list_model_packages(ModelPackageType="Both")["ModelPackageSummaryList"] == []
    told = refused(other.describe_model_package, ModelPackageName=arn)
    assert told == "ARN should be scoped to correct region: eu-west-1"


def test_a_killed_server_goes_on_counting(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with started(home) as local:
        put_data(local)
        create_group(local)
        register(local)
        second = register(local)
        local.client("sagemaker").delete_model_package(ModelPackageName=second)
    with started(home, bucket=False) as again:
        assert versions(again, ModelPackageGroupName="Models") == [1]
        assert register(again) == f"{ARN}/3"
