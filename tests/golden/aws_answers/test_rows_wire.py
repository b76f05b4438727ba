"""Answers of AWS beyond the corpus' pages that the request alone decides, over HTTP.

Each names the thread it was pasted in.
"""

import json
from typing import Any

import pytest

from tests.conftest import REGION, Local, plain_http

TARGETS = {"sagemaker": "SageMaker", "logs": "Logs_20140328"}
GROUP = "/aws/sagemaker/TrainingJobs"


def answer(local: Local, service: str, operation: str, request: Any) -> tuple[int, str, str]:
    credential = f"Credential=x/20260101/{REGION}/{service}/aws4_request"
    found = plain_http().post(
        local.server.endpoint_url,
        headers={
            "x-amz-target": f"{TARGETS[service]}.{operation}",
            "authorization": f"AWS4-HMAC-SHA256 {credential}, Signature=0",
        },
        content=request if isinstance(request, bytes) else json.dumps(request),
    )
    assert found.headers["content-type"] == "application/x-amz-json-1.1"
    assert found.headers["x-amzn-requestid"]
    body = found.json()
    return found.status_code, body["__type"], body.get("message", body.get("Message"))


@pytest.mark.parametrize(
    "name",
    [
        "generic-training-pipeline-2023-04-12-15-36-41-124330-model-trainer",
        "generic-training-pipeline-2023-04-13-06-05-26-177259-model-trainer",
    ],
)
def test_a_name_that_is_too_long_may_still_match_the_pattern(local: Local, name: str) -> None:
    """zenml-io/zenml#1517 (2023): 63 letters and digits at most; hyphens are not counted."""
    assert answer(local, "sagemaker", "CreateTrainingJob", local.job(TrainingJobName=name)) == (
        400,
        "ValidationException",
        f"1 validation error detected: Value '{name}' at 'trainingJobName' failed to satisfy "
        "constraint: Member must have length less than or equal to 63",
    )


def test_an_empty_arn_fails_its_pattern_alone(local: Local) -> None:
    """aws-samples/mlops-sagemaker-github-actions#6 (2023)."""
    assert answer(local, "sagemaker", "ListTags", {"ResourceArn": ""}) == (
        400,
        "ValidationException",
        "1 validation error detected: Value '' at 'resourceArn' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: "
        "arn:aws[a-z-]*:sagemaker:[a-z0-9-]*:[0-9]{12}:.+",
    )


def test_an_update_that_changes_nothing(local: Local) -> None:
    """The developer guide's troubleshooting page of the Python SDK."""
    assert answer(local, "sagemaker", "UpdateTrainingJob", {"TrainingJobName": "probe-1"}) == (
        400,
        "ValidationException",
        "Invalid UpdateTrainingJobRequest, the request cannot be empty",
    )


@pytest.mark.parametrize("operation", ["DescribeTrainingJob", "StopTrainingJob"])
def test_a_job_that_is_not_there(local: Local, operation: str) -> None:
    """Row 56, and the stubs of a program that was recorded against AWS."""
    assert answer(local, "sagemaker", operation, {"TrainingJobName": "test-training-job"}) == (
        400,
        "ValidationException",
        "Requested resource not found.",
    )


def test_a_page_of_jobs_that_is_too_large(local: Local) -> None:
    """getmoto/moto#4256 (2021), whose reviewer asked AWS."""
    assert answer(local, "sagemaker", "ListTrainingJobs", {"MaxResults": 101}) == (
        400,
        "ValidationException",
        "1 validation error detected: Value '101' at 'maxResults' failed to satisfy constraint: "
        "Member must have value less than or equal to 100",
    )


def test_a_log_stream_name_with_a_colon(local: Local) -> None:
    """cisagov/crossfeed#374 (2020): CloudWatch Logs has another code for the same words."""
    name = "worker/main/arn:aws:ecs:us-east-1:123456789012:task/cedfef6d"
    request = {"logGroupName": GROUP, "logStreamName": name}
    assert answer(local, "logs", "GetLogEvents", request) == (
        400,
        "InvalidParameterException",
        f"1 validation error detected: Value '{name}' at 'logStreamName' failed to satisfy "
        "constraint: Member must satisfy regular expression pattern: [^:*]*",
    )


def test_no_log_streams(local: Local) -> None:
    """serverless/serverless#4850 (2018)."""
    request: dict[str, Any] = {"logGroupName": GROUP, "logStreamNames": []}
    assert answer(local, "logs", "FilterLogEvents", request) == (
        400,
        "InvalidParameterException",
        "1 validation error detected: Value '[]' at 'logStreamNames' failed to satisfy "
        "constraint: Member must have length greater than or equal to 1",
    )


def test_log_streams_by_time_and_prefix(local: Local) -> None:
    """Action-Llama/action-llama, its changelog of 0.8.1."""
    request = {"logGroupName": GROUP, "orderBy": "LastEventTime", "logStreamNamePrefix": "job/"}
    assert answer(local, "logs", "DescribeLogStreams", request) == (
        400,
        "InvalidParameterException",
        "Cannot order by LastEventTime with a logStreamNamePrefix.",
    )


@pytest.mark.parametrize("operation", ["DescribeLogStreams", "FilterLogEvents"])
def test_a_log_group_before_there_is_any_log(local: Local, operation: str) -> None:
    """epsagon/list-lambdas#5 (2018); jorgebastida/awslogs#144 (2017)."""
    assert answer(local, "logs", operation, {"logGroupName": GROUP}) == (
        400,
        "ResourceNotFoundException",
        "The specified log group does not exist.",
    )


def test_a_log_stream_that_is_not_there(local: Local) -> None:
    """aws/sagemaker-python-sdk waits for it so: the group is there with the first job's stream."""
    local.run()
    request = {"logGroupName": GROUP, "logStreamName": "nobody/algo-1-1"}
    assert answer(local, "logs", "GetLogEvents", request) == (
        400,
        "ResourceNotFoundException",
        "The specified log stream does not exist.",
    )
