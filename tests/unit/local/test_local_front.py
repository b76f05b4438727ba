"""The front: every service on one address, and never an answer that is not the service's own."""

import json
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from sagedock.local.body import LARGEST_BODY
from sagedock.local.caller import Caller
from sagedock.local.json_service import JsonService
from tests.conftest import ACCOUNT, BUCKET, REGION, Local, plain_http

SIGNED = "AWS4-HMAC-SHA256 Credential=x/20260101/{region}/{service}/aws4_request, Signature=0"


def post(local: Local, target: str, body: Any, region: str = REGION) -> httpx.Response:
    return plain_http().post(
        local.server.endpoint_url,
        headers={
            "x-amz-target": target,
            "content-type": "application/x-amz-json-1.1",
            "authorization": SIGNED.format(region=region, service="sagemaker"),
        },
        content=body if isinstance(body, bytes) else json.dumps(body).encode(),
    )


def test_an_unknown_operation_is_named(local: Local) -> None:
    answer = post(local, "SageMaker.CreateFlyingPig", {})
    assert answer.status_code == 400
    assert answer.json()["__type"] == "UnknownOperationException"
    assert "CreateFlyingPig" in answer.json()["message"]


def test_an_operation_that_is_not_carried_out_here_is_named(local: Local) -> None:
    with pytest.raises(ClientError, match="CreateHub"):
        local.client("sagemaker").create_hub(HubName="h", HubDescription="d")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b"null", b'"text"', b"{}" * 2])
def test_a_body_that_is_no_request(local: Local, body: bytes) -> None:
    answer = post(local, "SageMaker.DescribeTrainingJob", body)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"
    assert answer.json()["__type"] in ("SerializationException", "ValidationException")


@pytest.mark.parametrize(
    ("service", "headers"),
    [
        ("sagemaker", {"x-amz-target": "SageMaker.DescribeTrainingJob"}),
        ("logs", {"x-amz-target": "Logs_20140328.GetLogEvents"}),
        ("monitoring", {"content-type": "application/x-www-form-urlencoded"}),
        ("iam", {"content-type": "application/x-www-form-urlencoded"}),
    ],
)
def test_a_body_that_is_too_large_is_refused_before_it_fills_the_memory(
    local: Local, service: str, headers: dict[str, str]
) -> None:
    signed = SIGNED.format(region=REGION, service=service)
    body = b"x" * (LARGEST_BODY + 1)
    url, headers = local.server.endpoint_url, {**headers, "authorization": signed}
    assert httpx.post(url, headers=headers, content=body).status_code == 413


@pytest.mark.parametrize(
    ("answer", "status"),
    [(b'{"TrainingJobSummaries":[]}', 200), (b'{"TrainingJobSummaries":[{}]}', 500), (b"{}", 500)],
)
def test_an_answer_that_is_json_already_is_held_to_the_model(answer: bytes, status: int) -> None:
    name = "ListTrainingJobs"
    service = JsonService(
        service="sagemaker", operations={name: lambda caller, request: answer}, check_answers=True
    )
    reply = service.answer(name, b"{}", Caller(region=REGION, service=None, account=ACCOUNT))
    assert (reply.status, reply.body == answer) == (status, status == 200)


def test_a_wrong_json_type_is_a_serialization_exception(local: Local) -> None:
    answer = post(local, "SageMaker.DescribeTrainingJob", {"TrainingJobName": 7})
    assert (answer.status_code, answer.json()["__type"]) == (400, "SerializationException")


def test_the_region_is_read_from_the_signature(local: Local) -> None:
    local.run()
    other = local.client("sagemaker", "eu-west-1")
    with pytest.raises(ClientError, match="Requested resource not found"):
        other.describe_training_job(TrainingJobName="probe-1")
    assert other.list_training_jobs()["TrainingJobSummaries"] == []


def test_sts_iam_and_ecr_answer_on_the_same_address(local: Local) -> None:
    assert local.client("sts").get_caller_identity()["Account"] == "123456789012"
    assert local.client("iam").list_roles(PathPrefix="/of/no/other/test/")["Roles"] == []
    made = local.client("ecr").create_repository(repositoryName="probe")["repository"]
    assert made["repositoryUri"] == f"123456789012.dkr.ecr.{REGION}.amazonaws.com/probe"


def test_log_groups_of_others_are_theirs(local: Local) -> None:
    logs = local.client("logs")
    logs.create_log_group(logGroupName="/mine")
    logs.create_log_stream(logGroupName="/mine", logStreamName="s")
    streams = logs.describe_log_streams(logGroupName="/mine")["logStreams"]
    assert [each["logStreamName"] for each in streams] == ["s"]
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.describe_log_streams(logGroupName="/aws/sagemaker/TrainingJobs")


def test_health_says_where_the_server_is(local: Local) -> None:
    health = plain_http().get(f"{local.server.endpoint_url}/_sagedock/health").json()
    assert health["url"] == local.server.endpoint_url


def test_log_events_in_pages_both_ways(local: Local) -> None:
    def program(container: Any) -> int:
        for number in range(25):
            container.print(f"line {number}")
        return 0

    local.run(program)
    logs = local.client("logs")
    group = "/aws/sagemaker/TrainingJobs"
    (stream,) = logs.describe_log_streams(logGroupName=group)["logStreams"]
    ask = {"logGroupName": group, "logStreamName": stream["logStreamName"], "limit": 10}
    first = logs.get_log_events(**ask, startFromHead=True)
    assert [each["message"] for each in first["events"]] == [f"line {n}" for n in range(10)]
    last = logs.get_log_events(**ask)
    assert last["events"][-1]["message"] == "line 24"
    back = logs.get_log_events(**ask, nextToken=last["nextBackwardToken"])
    assert [each["message"] for each in back["events"]] == [f"line {n}" for n in range(5, 15)]
    token = last["nextForwardToken"]
    drained = logs.get_log_events(**ask, nextToken=token)
    assert (drained["events"], drained["nextForwardToken"]) == ([], token)
    found = logs.filter_log_events(logGroupName=group, filterPattern='"line 7"')["events"]
    assert [each["message"] for each in found] == ["line 7"]


def test_tags_of_a_job(local: Local) -> None:
    job = local.run(Tags=[{"Key": "team", "Value": "a"}])
    sagemaker = local.client("sagemaker")
    arn = job["TrainingJobArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "n", "Value": str(i)} for i in range(3)])
    tags = sagemaker.list_tags(ResourceArn=arn)["Tags"]
    assert tags == [{"Key": "n", "Value": "2"}, {"Key": "team", "Value": "a"}]
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["n", "never-there"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "a"}]
    sagemaker.delete_training_job(TrainingJobName="probe-1")
    with pytest.raises(ClientError):
        sagemaker.list_tags(ResourceArn=arn)


def test_a_resource_has_fifty_tags_at_most(local: Local) -> None:
    arn = local.run(Tags=[{"Key": "first", "Value": ""}])["TrainingJobArn"]
    sagemaker = local.client("sagemaker")
    fifty = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
    with pytest.raises(ClientError, match="at most 50 tags"):
        sagemaker.add_tags(ResourceArn=arn, Tags=fifty)
    assert len(sagemaker.list_tags(ResourceArn=arn)["Tags"]) == 1
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "first", "Value": "again"}, *fifty[1:]])
    assert len(sagemaker.list_tags(ResourceArn=arn)["Tags"]) == 50


def test_listing_is_sorted_paged_and_filtered(local: Local) -> None:
    for name in ("b", "a", "c"):
        local.run(TrainingJobName=name)
    sagemaker = local.client("sagemaker")

    def names(**ask: Any) -> list[str]:
        pages = sagemaker.get_paginator("list_training_jobs").paginate(**ask)
        return [each["TrainingJobName"] for page in pages for each in page["TrainingJobSummaries"]]

    assert names() == ["c", "a", "b"]
    assert names(SortBy="Name", SortOrder="Ascending", MaxResults=1) == ["a", "b", "c"]
    assert names(SortBy="Name", SortOrder="Descending", MaxResults=2) == ["c", "b", "a"]
    assert names(SortBy="Status", MaxResults=1) == ["c", "b", "a"]
    assert names(StatusEquals="Failed") == []
    created = sagemaker.describe_training_job(TrainingJobName="a")["CreationTime"]
    assert names(CreationTimeAfter=created) == ["c"]
    assert names(CreationTimeBefore=created) == ["b"]


def test_s3_needs_no_target(local: Local) -> None:
    answer = plain_http().get(f"{local.server.endpoint_url}/{BUCKET}/absent")
    assert answer.status_code == 404
    assert b"<Code>NoSuchKey</Code>" in answer.content


def test_what_cannot_be_carried_out_here_is_refused_not_left_out(local: Local) -> None:
    local.client("s3").put_object(Bucket=BUCKET, Key="data/a", Body=b"1")
    with pytest.raises(ClientError, match=r"InputDataConfig\[0\].ChannelName \.\."):
        local.run(InputDataConfig=[local.channel(f"s3://{BUCKET}/data", "..")])
    with pytest.raises(ClientError, match=r"CheckpointConfig.LocalPath /opt/ml/input"):
        local.run(CheckpointConfig={"S3Uri": f"s3://{BUCKET}/ckpt", "LocalPath": "/opt/ml/input"})
