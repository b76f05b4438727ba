"""Rows 69 to 86, 138 and 140 of the fidelity corpus: what processing jobs are answered.

Row 73, a role of another account, is not among them: every role is taken for one of this account's,
so that a script can name its own. Row 74 is in test_rows_validation.py.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock import LocalSageMaker
from sagedock.engine import ContainerSpec
from sagedock.errors import EngineError
from sagedock.local.faults import Refusals
from sagedock.testing import Container, FakeEngine
from tests.conftest import ACCOUNT, BUCKET, IMAGE, REGION, Local, succeed
from tests.unit.local.processing_world import Processing, holding

ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:processing-job/probe-1"


@pytest.fixture
def processing(local: Local) -> Processing:
    return Processing(local)


def refused(processing: Processing, **changes: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        processing.create(**changes)
    answer: Any = error.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    return answer["Error"]["Code"], answer["Error"]["Message"]


@pytest.mark.parametrize("name", ["probe-1", "PROBE-1"])
def test_row_69_a_name_is_used_once(processing: Processing, name: str) -> None:
    processing.run()
    assert refused(processing, ProcessingJobName=name) == (
        "ResourceInUse",
        "Job name must be unique within an AWS account and region, and a job with this name "
        f"already exists ({ARN})",
    )


def test_row_70_a_quota_is_used_up(tmp_path: Path) -> None:
    quotas = {"ml.m5.large for processing job usage": 1}
    engine = FakeEngine(succeed, images=[IMAGE])
    with LocalSageMaker(home=tmp_path / "home", engine=engine, quotas=quotas) as server:
        processing = Processing(Local(server=server, engine=engine))
        code, message = refused(processing, ProcessingResources=processing.resources(2))
        assert code == "ResourceLimitExceeded"
        assert message == (
            "The account-level service limit 'ml.m5.large for processing job usage' is 1 "
            "Instances, with current utilization of 0 Instances and a request delta of 2 "
            "Instances. Please use AWS Service Quotas to request an increase for this quota. If "
            "AWS Service Quotas is not available, contact AWS support to request an increase for "
            "this quota."
        )
        assert processing.run()["ProcessingJobStatus"] == "Completed"


@pytest.mark.parametrize("image", ["my image", "python:3.11", "docker.io/library/python"])
def test_row_72_an_image_that_is_not_in_ecr(processing: Processing, image: str) -> None:
    assert refused(processing, AppSpecification={"ImageUri": image}) == (
        "ValidationException",
        f"Invalid image URI {image}. Please provide a valid Amazon Elastic Container Registry "
        "path of the Docker image to run.",
    )


def test_row_76_tags_that_may_not_be_added(processing: Processing) -> None:
    processing.local.server.faults.add(Refusals(error="access-denied", operation="AddTags"))
    code, message = refused(processing, Tags=[{"Key": "a", "Value": "b"}])
    assert code == "AccessDeniedException"
    assert message.endswith(
        f"sagemaker:AddTags on resource: {ARN} because no identity-based policy allows the "
        "sagemaker:AddTags action"
    )


def test_row_77_no_such_job(processing: Processing) -> None:
    with pytest.raises(ClientError) as error:
        processing.sagemaker.describe_processing_job(ProcessingJobName="absent")
    answer: Any = error.value.response
    assert answer["Error"]["Code"] == "ValidationException"
    assert answer["Error"]["Message"].startswith("Could not find requested job")


def test_row_78_a_container_that_does_not_exit_0(processing: Processing) -> None:
    job = processing.run(lambda _: 3)
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: See job logs for more information"


def test_row_80_a_message_of_a_job_that_completed(processing: Processing) -> None:
    text = "RuleEvaluationConditionMet: Evaluation of the rule resulted in the condition\n"

    def program(container: Container) -> int:
        container.files["/opt/ml/output/message"] = text.encode()
        return 0

    job = processing.run(program)
    assert (job["ProcessingJobStatus"], job["ExitMessage"]) == ("Completed", text)


def test_row_81_data_that_cannot_be_listed(processing: Processing) -> None:
    """The row's cause is a VPC without a way to S3; here a bucket is gone when the job begins."""
    processing.local.engine.program = holding
    processing.create(ProcessingJobName="first", ProcessingResources=processing.resources(4))
    s3 = processing.local.client("s3")
    place = {"LocationConstraint": REGION}
    s3.create_bucket(Bucket="short-lived", CreateBucketConfiguration=place)
    s3.put_object(Bucket="short-lived", Key="in/a", Body=b"1")
    uri = "s3://short-lived/in/"
    processing.create(ProcessingInputs=[processing.input(uri)])
    s3.delete_object(Bucket="short-lived", Key="in/a")
    s3.delete_bucket(Bucket="short-lived")
    processing.sagemaker.stop_processing_job(ProcessingJobName="first")
    job = processing.ended()
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(
        f"ClientError: Failed to download data. ListObjectsV2 failed for {uri} nextToken:[null]: "
    )


def test_row_82_an_image_that_is_not_there(processing: Processing) -> None:
    image = IMAGE.replace("probe:1", "absent:1")
    job = processing.run(AppSpecification={"ImageUri": image})
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"] == (
        f"ClientError: API error (404): manifest for {image} not found: manifest unknown: "
        "Requested image not found"
    )


class BrokenEngine(FakeEngine):
    """Creates no container."""

    def create(self, spec: ContainerSpec) -> str:
        raise EngineError(f"no container {spec.name}")


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[Processing]:
    engine = BrokenEngine(succeed, images=[IMAGE])
    with LocalSageMaker(home=tmp_path / "home", engine=engine, check_answers=True) as server:
        yield Processing(Local(server=server, engine=engine))


def test_row_84_the_platform_fails(broken: Processing) -> None:
    assert broken.run()["FailureReason"] == (
        "InternalServerError: We encountered an internal error.  Please try again."
    )


def test_row_85_a_container_that_exits_0_completed_whatever_it_printed(
    processing: Processing,
) -> None:
    def program(container: Container) -> int:
        container.print("Traceback (most recent call last): ...", "stderr")
        return 0

    job = processing.run(program)
    assert job["ProcessingJobStatus"] == "Completed"
    assert "FailureReason" not in job


def test_row_86_a_job_that_was_stopped(processing: Processing) -> None:
    processing.local.engine.program = holding
    processing.create()
    processing.until(lambda job: "ProcessingStartTime" in job)
    processing.sagemaker.stop_processing_job(ProcessingJobName="probe-1")
    job = processing.ended()
    assert job["ProcessingJobStatus"] == "Stopped"
    assert job["ProcessingStartTime"] <= job["ProcessingEndTime"]
    assert "FailureReason" not in job
    assert "ExitMessage" not in job


def test_row_138_lists_have_the_newest_first_ten_to_a_page(processing: Processing) -> None:
    for number in range(11):
        processing.run(ProcessingJobName=f"probe-{number}")
    processing.local.engine.program = holding
    processing.create(ProcessingJobName="running")
    page = processing.sagemaker.list_processing_jobs()
    names = [each["ProcessingJobName"] for each in page["ProcessingJobSummaries"]]
    assert names == ["running", *(f"probe-{number}" for number in range(10, 1, -1))]
    first, *others = page["ProcessingJobSummaries"]
    assert "ProcessingEndTime" not in first
    assert all("ProcessingEndTime" in each for each in others)
    rest = processing.sagemaker.list_processing_jobs(NextToken=page["NextToken"])
    assert [each["ProcessingJobName"] for each in rest["ProcessingJobSummaries"]] == [
        "probe-1",
        "probe-0",
    ]
    processing.sagemaker.stop_processing_job(ProcessingJobName="running")
    processing.ended("running")


def test_row_140_the_arn_is_lower_cased_and_the_name_is_not(processing: Processing) -> None:
    job = processing.run(ProcessingJobName="Probe-1")
    assert (job["ProcessingJobArn"], job["ProcessingJobName"]) == (ARN, "Probe-1")


@pytest.mark.parametrize("status", ["Completed", "Stopped"])
def test_a_job_that_has_ended_cannot_be_stopped(processing: Processing, status: str) -> None:
    """Unverified: the words of row 57, of training jobs."""
    processing.local.engine.program = holding if status == "Stopped" else succeed
    processing.create()
    if status == "Stopped":
        processing.sagemaker.stop_processing_job(ProcessingJobName="probe-1")
    processing.ended()
    with pytest.raises(ClientError, match=f"the processing job is in status {status}\\."):
        processing.sagemaker.stop_processing_job(ProcessingJobName="probe-1")


def test_no_such_job_to_stop(processing: Processing) -> None:
    """Unverified: the words of row 110, of transform jobs."""
    with pytest.raises(ClientError, match="Could not find job to update with name absent"):
        processing.sagemaker.stop_processing_job(ProcessingJobName="absent")


@pytest.mark.parametrize("uri", [f"s3://{BUCKET}/nothing/", "s3://no-such-bucket/in/"])
def test_data_that_is_not_there(processing: Processing, uri: str) -> None:
    """Unverified for processing jobs: the words of row 12."""
    code, message = refused(processing, ProcessingInputs=[processing.input(uri)])
    assert code == "ValidationException"
    assert message.startswith(f'No S3 objects found under S3 URL "{uri}" given in input data')
