"""Rows 24, 25, 26 and 60 of the fidelity corpus: calls that are refused, rehearsed by faults."""

from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from sagedock.local.faults import Refusals
from tests.conftest import ACCOUNT, REGION, Local

ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/probe-1"
USER = f"User: arn:aws:sts::{ACCOUNT}:assumed-role/sagedock/SageMaker is not authorized to perform"


@pytest.mark.parametrize(
    ("fault", "code", "message"),
    [
        pytest.param(
            Refusals(error="explicit-deny", operation="CreateTrainingJob"),
            "AccessDeniedException",
            f"{USER}: sagemaker:CreateTrainingJob on resource: {ARN} with an explicit deny",
            id="jobs-24",
        ),
        pytest.param(
            Refusals(error="access-denied", operation="AddTags"),
            "AccessDeniedException",
            f"{USER}: sagemaker:AddTags on resource: {ARN} because no identity-based policy allows "
            "the sagemaker:AddTags action",
            id="jobs-25",
        ),
        pytest.param(
            Refusals(error="throttling", operation="Create*"),
            "ThrottlingException",
            "Rate exceeded",
            id="jobs-26",
        ),
        pytest.param(
            Refusals(error="expired-token"),
            "ExpiredTokenException",
            "The security token included in the request is expired",
            id="jobs-60",
        ),
        pytest.param(Refusals(error="internal-failure"), "InternalFailure", "", id="jobs-98"),
    ],
)
def test_a_call_is_refused_and_changes_nothing(
    local: Local, fault: Refusals, code: str, message: str
) -> None:
    number = local.server.faults.add(fault)
    with pytest.raises(ClientError) as refused:
        local.client("sagemaker").create_training_job(**tagged(local))
    answer: Any = refused.value.response
    assert (answer["Error"]["Code"], answer["Error"]["Message"]) == (code, message)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == (500 if code[0] == "I" else 400)
    local.server.faults.remove(number)
    assert local.client("sagemaker").list_training_jobs()["TrainingJobSummaries"] == []


def test_a_client_that_tries_again_gets_through(local: Local) -> None:
    local.server.faults.add(Refusals(error="throttling", operation="CreateTrainingJob", times=2))
    patient = boto3.client(
        "sagemaker",
        endpoint_url=local.server.endpoint_url,
        region_name=REGION,
        aws_access_key_id="x",
        aws_secret_access_key="y",
        config=Config(retries={"max_attempts": 4}),
    )
    answer = patient.create_training_job(**tagged(local))
    assert answer["ResponseMetadata"]["RetryAttempts"] == 2
    local.ended("probe-1")


def test_other_operations_are_not_refused(local: Local) -> None:
    local.server.faults.add(Refusals(error="access-denied", operation="AddTags"))
    local.client("sagemaker").create_training_job(**local.job())
    local.ended("probe-1")


def tagged(local: Local) -> dict[str, Any]:
    return local.job(Tags=[{"Key": "team", "Value": "vision"}])
