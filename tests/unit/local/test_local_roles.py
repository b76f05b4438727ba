"""IAM's answers about roles: what SDKs ask before they train."""

import json
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError
from moto.iam.models import iam_backends

from tests.conftest import ACCOUNT, Local, plain_http

ROLE = f"arn:aws:iam::{ACCOUNT}:role/service-role/trainer"
ALLOW = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
ACTIONS = ["ecr:GetAuthorizationToken", "cloudwatch:PutMetricData"]


@pytest.fixture
def local(local_of_the_file: Local) -> Local:
    return local_of_the_file


@pytest.fixture(autouse=True)
def iam_as_new() -> Iterator[None]:
    """moto's state belongs to the process, not to a server: leave none for the next test."""
    iam_backends.reset()
    yield
    iam_backends.reset()


def test_a_role_nobody_made_may_be_used_by_sagemaker(local: Local) -> None:
    role = local.client("iam").get_role(RoleName="trainer")["Role"]
    assert role["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/trainer"
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert (statement["Effect"], statement["Action"]) == ("Allow", "sts:AssumeRole")


def test_a_role_somebody_made_is_answered_as_it_is(local: Local) -> None:
    iam = local.client("iam")
    document = '{"Version": "2012-10-17", "Statement": []}'
    iam.create_role(RoleName="mine", Path="/p/", AssumeRolePolicyDocument=document)
    role = iam.get_role(RoleName="mine")["Role"]
    assert role["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/p/mine"
    assert role["AssumeRolePolicyDocument"]["Statement"] == []


def test_a_role_that_was_asked_for_is_there_for_what_comes_next(local: Local) -> None:
    iam = local.client("iam")
    iam.simulate_principal_policy(PolicySourceArn=ROLE, ActionNames=ACTIONS)
    assert iam.get_role(RoleName="trainer")["Role"]["Arn"] == ROLE
    iam.put_role_policy(
        RoleName="trainer",
        PolicyName="p",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [ALLOW]}),
    )
    assert iam.list_role_policies(RoleName="trainer")["PolicyNames"] == ["p"]


def test_every_action_is_allowed(local: Local) -> None:
    iam = local.client("iam")
    pages = iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=ROLE, ActionNames=ACTIONS
    )
    results = [each for page in pages for each in page["EvaluationResults"]]
    assert results == [
        {"EvalActionName": action, "EvalResourceName": "*", "EvalDecision": "allowed"}
        for action in ACTIONS
    ]


def test_several_resources_are_one_result_for_each_action(local: Local) -> None:
    resources = ["arn:aws:s3:::a&b/*", "arn:aws:s3:::c"]
    answer = local.client("iam").simulate_principal_policy(
        PolicySourceArn=ROLE, ActionNames=["s3:PutObject"], ResourceArns=resources
    )
    (result,) = answer["EvaluationResults"]
    assert result["EvalDecision"] == "allowed"
    assert [each["EvalResourceName"] for each in result["ResourceSpecificResults"]] == resources
    assert {each["EvalResourceDecision"] for each in result["ResourceSpecificResults"]} == {
        "allowed"
    }


def test_a_user_is_simulated_too_and_makes_no_role(local: Local) -> None:
    iam = local.client("iam")
    user = f"arn:aws:iam::{ACCOUNT}:user/me"
    answer = iam.simulate_principal_policy(PolicySourceArn=user, ActionNames=ACTIONS)
    assert len(answer["EvaluationResults"]) == len(ACTIONS)
    assert iam.list_roles()["Roles"] == []


@pytest.mark.parametrize("given", [{"ActionNames": ACTIONS}, {"PolicySourceArn": ROLE}])
def test_an_incomplete_simulation_is_refused(local: Local, given: dict[str, object]) -> None:
    with pytest.raises(ClientError, match="ActionNames and PolicySourceArn") as refused:
        local.client("iam").simulate_principal_policy(**given)
    assert refused.value.response["Error"]["Code"] == "ValidationError"


def test_a_name_that_is_no_role_name_is_refused_as_before(local: Local) -> None:
    iam = local.client("iam")
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_role(RoleName="x" * 65)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"Action=GetRole", b"Action=GetRole&RoleName="])
def test_a_body_that_is_no_query_breaks_nothing(local: Local, body: bytes) -> None:
    scope = "Credential=x/20260101/us-east-1/iam/aws4_request"
    answer = plain_http().post(
        local.server.endpoint_url,
        headers={
            "authorization": f"AWS4-HMAC-SHA256 {scope}, Signature=0",
            "content-type": "application/x-www-form-urlencoded",
        },
        content=body,
    )
    assert answer.status_code >= 400
    assert local.client("iam").list_roles()["Roles"] == []
