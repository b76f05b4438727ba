"""Groups of model packages: made, listed, described, deleted; their policies."""

import json

import pytest
from botocore.exceptions import ClientError

from tests.conftest import ACCOUNT, REGION, Local
from tests.unit.local.hosting.test_hosting_models import refused
from tests.unit.local.registry_calls import create_group, put_data, register

ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package-group/models"


def test_a_group_is_described_as_it_was_made(local: Local) -> None:
    tags = [{"Key": "team", "Value": "a"}]
    assert create_group(local, ModelPackageGroupDescription="all of it", Tags=tags) == ARN
    sagemaker = local.client("sagemaker")
    for named in ("Models", ARN):
        found = sagemaker.describe_model_package_group(ModelPackageGroupName=named)
        assert found["ModelPackageGroupName"] == "Models"
        assert found["ModelPackageGroupArn"] == ARN
        assert found["ModelPackageGroupDescription"] == "all of it"
        assert found["ModelPackageGroupStatus"] == "Completed"
        assert not [name for name in found if name.startswith("_")]
    assert sagemaker.list_tags(ResourceArn=ARN)["Tags"] == tags


def test_groups_are_listed_by_name_and_in_pages(local: Local) -> None:
    for name in ("b-2", "a-1", "c-3"):
        create_group(local, name)
    sagemaker = local.client("sagemaker")
    pages = sagemaker.get_paginator("list_model_package_groups").paginate(
        SortBy="Name", SortOrder="Ascending", PaginationConfig={"PageSize": 2}
    )
    listed = [each for page in pages for each in page["ModelPackageGroupSummaryList"]]
    assert [each["ModelPackageGroupName"] for each in listed] == ["a-1", "b-2", "c-3"]
    assert listed[0].keys() == {
        *("ModelPackageGroupName", "ModelPackageGroupArn", "CreationTime"),
        "ModelPackageGroupStatus",
    }
    named = sagemaker.list_model_package_groups(NameContains="-2")["ModelPackageGroupSummaryList"]
    assert [each["ModelPackageGroupName"] for each in named] == ["b-2"]
    others = sagemaker.list_model_package_groups(CrossAccountFilterOption="CrossAccount")
    assert others["ModelPackageGroupSummaryList"] == []


def test_a_group_with_versions_stays(local: Local) -> None:
    put_data(local)
    create_group(local)
    package = register(local)
    sagemaker = local.client("sagemaker")
    with pytest.raises(ClientError) as raised:
        sagemaker.delete_model_package_group(ModelPackageGroupName="models")
    assert raised.value.response["Error"]["Code"] == "ConflictException"
    sagemaker.delete_model_package(ModelPackageName=package)
    sagemaker.delete_model_package_group(ModelPackageGroupName="models")
    assert sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"] == []
    told = refused(sagemaker.describe_model_package_group, ModelPackageGroupName="Models")
    assert told == f"ModelPackageGroup {ARN} does not exist."


def test_a_group_whose_name_begins_alike_does_not_count(local: Local) -> None:
    put_data(local)
    create_group(local, "models-2")
    create_group(local, "models")
    register(local, "models-2")
    local.client("sagemaker").delete_model_package_group(ModelPackageGroupName="models")


def test_a_policy_is_kept_and_removed(local: Local) -> None:
    create_group(local)
    sagemaker = local.client("sagemaker")
    named = {"ModelPackageGroupName": "Models"}
    told = refused(sagemaker.get_model_package_group_policy, **named)
    assert told == f"Cannot find resource policy for {ARN}"
    malformed = refused(sagemaker.put_model_package_group_policy, **named, ResourcePolicy="[")
    assert malformed.startswith("Resource policy for")
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    answer = sagemaker.put_model_package_group_policy(**named, ResourcePolicy=policy)
    assert answer["ModelPackageGroupArn"] == ARN
    assert sagemaker.get_model_package_group_policy(**named)["ResourcePolicy"] == policy
    sagemaker.delete_model_package_group_policy(**named)
    assert refused(sagemaker.get_model_package_group_policy, **named) == told
    assert refused(sagemaker.delete_model_package_group_policy, **named) == told


def test_what_is_not_carried_out_is_refused(local: Local) -> None:
    told = refused(
        local.client("sagemaker").create_model_package_group,
        ModelPackageGroupName="g",
        ManagedConfiguration={"ManagedStorageType": "Restricted"},
    )
    assert told.startswith("The local SageMaker cannot carry out: ManagedConfiguration.")
