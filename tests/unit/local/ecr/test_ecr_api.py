"""ECR's API, without a push: repositories, policies, tags, tokens, and what is refused."""

import base64
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import ACCOUNT, REGION, Local

POLICY = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "description": "untagged images of more than fourteen days",
                "selection": {
                    "tagStatus": "untagged",
                    "countType": "sinceImagePushed",
                    "countUnit": "days",
                    "countNumber": 14,
                },
                "action": {"type": "expire"},
            }
        ]
    }
)


@pytest.fixture
def ecr(local: Local) -> Any:
    """The client, and a repository named ``team/app``."""
    client = local.client("ecr")
    client.create_repository(
        repositoryName="team/app",
        imageTagMutability="IMMUTABLE",
        imageScanningConfiguration={"scanOnPush": True},
        tags=[{"Key": "owner", "Value": "me"}],
    )
    return client


def refusal(call: Any, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_repository_is_described_as_it_was_made(ecr: Any) -> None:
    (found,) = ecr.describe_repositories(repositoryNames=["team/app"])["repositories"]
    assert found.pop("createdAt")
    assert found == {
        "repositoryArn": f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/team/app",
        "registryId": ACCOUNT,
        "repositoryName": "team/app",
        "repositoryUri": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/team/app",
        "imageTagMutability": "IMMUTABLE",
        "imageScanningConfiguration": {"scanOnPush": True},
        "encryptionConfiguration": {"encryptionType": "AES256"},
    }


def test_each_region_has_its_own(ecr: Any, local: Local) -> None:
    other = local.client("ecr", "eu-west-1")
    assert other.describe_repositories()["repositories"] == []
    assert len(ecr.describe_repositories()["repositories"]) == 1


def test_a_name_is_taken_once(ecr: Any) -> None:
    assert refusal(ecr.create_repository, repositoryName="team/app") == (
        "RepositoryAlreadyExistsException",
        f"The repository with name 'team/app' already exists in the registry with id '{ACCOUNT}'",
    )


def test_what_is_absent_is_refused_by_name(ecr: Any) -> None:
    for call, more in (
        (ecr.describe_images, {}),
        (ecr.list_images, {}),
        (ecr.get_lifecycle_policy, {}),
        (ecr.delete_repository, {}),
        (ecr.batch_get_image, {"imageIds": [{"imageTag": "1"}]}),
    ):
        code, message = refusal(call, repositoryName="absent", **more)
        assert code == "RepositoryNotFoundException"
        assert "'absent'" in message


def test_another_account_has_nothing_here(ecr: Any) -> None:
    code, message = refusal(
        ecr.describe_images, repositoryName="team/app", registryId="999999999999"
    )
    assert code == "InvalidParameterException"
    assert "999999999999" in message


def test_a_name_that_cannot_be_is_refused(ecr: Any) -> None:
    code, message = refusal(ecr.create_repository, repositoryName="Not Lower")
    assert code == "InvalidParameterException"
    assert "repositoryName" in message


def test_a_lifecycle_policy_is_kept(ecr: Any) -> None:
    name = {"repositoryName": "team/app"}
    assert refusal(ecr.get_lifecycle_policy, **name)[0] == "LifecyclePolicyNotFoundException"
    ecr.put_lifecycle_policy(**name, lifecyclePolicyText=POLICY)
    assert ecr.get_lifecycle_policy(**name)["lifecyclePolicyText"] == POLICY
    assert "lifecyclePolicyText" not in ecr.describe_repositories()["repositories"][0]
    ecr.delete_lifecycle_policy(**name)
    assert refusal(ecr.get_lifecycle_policy, **name)[0] == "LifecyclePolicyNotFoundException"


def test_a_policy_that_is_no_json_is_refused(ecr: Any) -> None:
    code, message = refusal(
        ecr.put_lifecycle_policy, repositoryName="team/app", lifecyclePolicyText="x" * 100
    )
    assert (code, "lifecyclePolicyText" in message) == ("InvalidParameterException", True)
    code, message = refusal(ecr.set_repository_policy, repositoryName="team/app", policyText="x")
    assert (code, "policyText" in message) == ("InvalidParameterException", True)


def test_a_repository_policy_is_kept(ecr: Any) -> None:
    name = {"repositoryName": "team/app"}
    ecr.set_repository_policy(**name, policyText="{}")
    assert ecr.get_repository_policy(**name)["policyText"] == "{}"
    ecr.delete_repository_policy(**name)
    assert refusal(ecr.get_repository_policy, **name)[0] == "RepositoryPolicyNotFoundException"


def test_tags_are_added_and_removed(ecr: Any) -> None:
    arn = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/team/app"
    ecr.tag_resource(resourceArn=arn, tags=[{"Key": "stage", "Value": "try"}])
    ecr.untag_resource(resourceArn=arn, tagKeys=["owner"])
    assert ecr.list_tags_for_resource(resourceArn=arn)["tags"] == [{"Key": "stage", "Value": "try"}]


def test_settings_are_changed(ecr: Any) -> None:
    name = {"repositoryName": "team/app"}
    ecr.put_image_tag_mutability(**name, imageTagMutability="MUTABLE")
    ecr.put_image_scanning_configuration(**name, imageScanningConfiguration={"scanOnPush": False})
    (found,) = ecr.describe_repositories()["repositories"]
    assert found["imageTagMutability"] == "MUTABLE"
    assert found["imageScanningConfiguration"] == {"scanOnPush": False}


def test_a_repository_without_images_is_deleted(ecr: Any) -> None:
    assert ecr.list_images(repositoryName="team/app")["imageIds"] == []
    assert ecr.delete_repository(repositoryName="team/app")["repository"]["registryId"] == ACCOUNT
    assert ecr.describe_repositories()["repositories"] == []


def test_the_token_is_for_the_address_of_all_services(ecr: Any, local: Local) -> None:
    (data,) = ecr.get_authorization_token()["authorizationData"]
    assert data["proxyEndpoint"] == local.server.endpoint_url
    assert base64.b64decode(data["authorizationToken"]).startswith(b"AWS:")


def test_what_is_of_the_whole_registry_is_moto_s(ecr: Any) -> None:
    assert ecr.describe_registry()["registryId"] == ACCOUNT


def test_an_operation_that_nobody_has_is_refused_by_name(ecr: Any) -> None:
    code, message = refusal(ecr.start_lifecycle_policy_preview, repositoryName="team/app")
    assert (code, "StartLifecyclePolicyPreview" in message) == ("UnknownOperationException", True)


def test_repositories_come_in_pages(ecr: Any) -> None:
    ecr.create_repository(repositoryName="another")
    first = ecr.describe_repositories(maxResults=1)
    rest = ecr.describe_repositories(nextToken=first["nextToken"])
    found = [each["repositoryName"] for page in (first, rest) for each in page["repositories"]]
    assert (found, "nextToken" in rest) == (["team/app", "another"], False)
    code, message = refusal(ecr.describe_repositories, nextToken="none")
    assert (code, "nextToken" in message) == ("InvalidParameterException", True)
