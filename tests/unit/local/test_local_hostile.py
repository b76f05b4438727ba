"""Input that nobody sends by accident, and mistakes that must not hang a job."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock.local.caller import caller_of
from sagedock.local.platform import home_id
from sagedock.testing import Container
from tests.conftest import ACCOUNT, BUCKET, IMAGE, REGION, Local, plain_http

DATE = "20260101"


def refused(local: Local, **changes: Any) -> str:
    with pytest.raises(ClientError) as error:
        local.client("sagemaker").create_training_job(**local.job(**changes))
    assert error.value.response["Error"]["Code"] == "ValidationException"
    return str(error.value.response["Error"]["Message"])


def put(local: Local, key: str) -> str:
    local.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"x")
    return f"s3://{BUCKET}/{key}"


@pytest.mark.parametrize(
    "query", ["prefix=X-Amz-Credential", "X-Amz-Credential", "X-Amz-Credential=", "a=%"]
)
def test_a_query_that_only_mentions_a_credential(local: Local, query: str) -> None:
    answer = plain_http().get(f"{local.server.endpoint_url}/{BUCKET}?{query}")
    assert answer.status_code < 500, answer.text


@pytest.mark.parametrize("region", ["..", ".", "a b", "x\u00e9", "%2e%2e"])
def test_a_region_is_no_path(region: str) -> None:
    header = f"AWS4-HMAC-SHA256 Credential=x/{DATE}/{region}/sagemaker/aws4_request, Signature=0"
    caller = caller_of({"authorization": header}, "", default_region=REGION, account=ACCOUNT)
    assert caller.region == REGION


@pytest.mark.parametrize("name", [".", ".."])
def test_a_channel_name_is_no_path(local: Local, name: str) -> None:
    uri = put(local, "data/x")
    assert "InputDataConfig[0].ChannelName" in refused(
        local, InputDataConfig=[local.channel(uri, name)]
    )


@pytest.mark.parametrize("key", ["data/" + "x" * 300, "data/./x", "data//x"])
def test_a_key_that_is_no_path_is_named(local: Local, key: str) -> None:
    put(local, "data/x")
    put(local, key)
    job = local.run(InputDataConfig=[local.channel(f"s3://{BUCKET}/data")])
    assert job["TrainingJobStatus"] == "Failed"
    reason = job["FailureReason"]
    assert reason.startswith(
        f"ClientError: Data download failed:Failed to download data. S3 key: s3://{BUCKET}/data"
    )


@pytest.mark.parametrize("key", ["data/new\nline", "data/50% off?&#+", "data/é/ü", "data/'\"\\"])
def test_keys_with_odd_characters_reach_the_container(local: Local, key: str) -> None:
    put(local, key)
    seen: list[str] = []

    def look(container: Container) -> int:
        seen.extend(name for name in container.files if name.startswith("/opt/ml/input/data/"))
        return 0

    job = local.run(look, InputDataConfig=[local.channel(f"s3://{BUCKET}/data/")])
    assert job["TrainingJobStatus"] == "Completed"
    assert seen == [f"/opt/ml/input/data/train/{key.removeprefix('data/')}"]


def test_a_metric_that_is_no_regular_expression_is_refused(local: Local) -> None:
    algorithm = {
        "TrainingImage": IMAGE,
        "TrainingInputMode": "File",
        "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9"}],
    }
    message = refused(local, AlgorithmSpecification=algorithm)
    assert "AlgorithmSpecification.MetricDefinitions[0].Regex" in message


def token(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize(
    "given",
    [
        token([[1], "x"]),
        token([{}, "x"]),
        token({"a": 1, "b": 2}),
        token([10**30, "x"]),
        token([None, "x"]),
        token([1.5, "\ud800"]),
        token("ab"),
        base64.urlsafe_b64encode(b"[" * 6000).decode(),
        "%",
    ],
)
def test_a_page_token_that_was_never_given_out(local: Local, given: str) -> None:
    with pytest.raises(ClientError) as error:
        local.client("sagemaker").list_training_jobs(NextToken=given)
    assert error.value.response["Error"]["Code"] == "ValidationException"
    assert "Invalid pagination token" in error.value.response["Error"]["Message"]


@pytest.mark.parametrize("given", ["²", "9" * 5000])
def test_a_tag_token_that_was_never_given_out(local: Local, given: str) -> None:
    arn = local.run()["TrainingJobArn"]
    with pytest.raises(ClientError, match="Invalid pagination token"):
        local.client("sagemaker").list_tags(ResourceArn=arn, NextToken=given)


def test_a_job_of_another_account_has_no_tags_here(local: Local) -> None:
    arn = local.run()["TrainingJobArn"].replace(ACCOUNT, "999999999999")
    with pytest.raises(ClientError, match="ValidationException"):
        local.client("sagemaker").add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "b"}])


def test_jobs_are_filtered_by_warm_pool(local: Local) -> None:
    local.run()
    answer = local.client("sagemaker").list_training_jobs(WarmPoolStatusEquals="Available")
    assert answer["TrainingJobSummaries"] == []


def test_a_model_that_would_be_registered_is_refused(local: Local) -> None:
    group = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package-group/g"
    config = {"ModelPackageGroupArn": group}
    assert "ModelPackageConfig" in refused(local, ModelPackageConfig=config)


def test_one_folder_is_one_home_however_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    names = (tmp_path / "real", tmp_path / "link", tmp_path / "real" / ".." / "real")
    assert len({home_id(name) for name in names}) == 1


def test_a_log_group_may_be_written_with_escaped_slashes(local: Local) -> None:
    local.run(lambda container: container.print("hello") or 0)
    answer = plain_http().post(
        local.server.endpoint_url,
        headers={"x-amz-target": "Logs_20140328.DescribeLogStreams"},
        content=rb'{"logGroupName": "\/aws\/sagemaker\/TrainingJobs"}',
    )
    assert len(answer.json()["logStreams"]) == 1
