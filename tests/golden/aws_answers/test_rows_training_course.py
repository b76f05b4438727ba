"""Rows 30-54, 56-58 and section 7 of the fidelity corpus: how a training job goes, and fails."""

import threading
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock.api import states
from sagedock.testing import Container
from tests.conftest import BUCKET, IMAGE, Local

STARTING = ("Starting", "Starting the training job")
PENDING = ("Pending", "Preparing the instances for training")
DOWNLOADED = ("Downloading", "Downloading the training image")
DOWNLOADING = ("Downloading", "Downloading input data")
TRAINING = ("Training", "Training image download completed. Training in progress.")
UPLOADING = ("Uploading", "Uploading generated training model")
COMPLETED = ("Completed", "Training job completed")
FAILED = ("Failed", "Training job failed")
STOPPING = ("Stopping", "Stopping the training job")
STOPPED = ("Stopped", "Training job stopped")


def refusal(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, str, int]:
    answer: Any = error.value.response
    return (
        answer["Error"]["Code"],
        answer["Error"]["Message"],
        answer["ResponseMetadata"]["HTTPStatusCode"],
    )


def until_stopped(container: Container) -> int:
    container.terminated.wait(60)
    return 0


def failing(text: str, code: int) -> Any:
    def program(container: Container) -> int:
        if text:
            container.files["/opt/ml/output/failure"] = text.encode()
        return code

    return program


def test_section_7_ordinary_course(local: Local) -> None:
    job = local.run(lambda _: 0)
    assert local.statuses(job) == [
        STARTING,
        PENDING,
        DOWNLOADED,
        TRAINING,
        UPLOADING,
        COMPLETED,
    ]
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Completed", "Completed")


def test_section_7_script_failure_uploads_first(local: Local) -> None:
    job = local.run(failing("boom", 1))
    assert local.statuses(job)[-3:] == [TRAINING, UPLOADING, FAILED]


def test_row_30_the_failure_file_becomes_the_reason(local: Local) -> None:
    text = 'ExecuteUserScriptError:\nExitCode 1\nErrorMessage "boom"\nCommand "python train.py"'
    job = local.run(failing(text, 1))
    assert job["FailureReason"] == f"AlgorithmError: {text}, exit code: 1"


def test_row_34_without_a_failure_file_only_the_code_is_said(local: Local) -> None:
    assert local.run(failing("", 3))["FailureReason"] == "AlgorithmError: , exit code: 3"


def test_row_38_out_of_memory(local: Local) -> None:
    def program(container: Container) -> int:
        container.out_of_memory = True
        return 137

    assert local.run(program)["FailureReason"] == (
        "ClientError: Please use an instance type with more memory, or reduce the size of "
        "training data processed on an instance."
    )


def test_a_reason_is_cut_to_1024_characters_and_keeps_its_exit_code(local: Local) -> None:
    reason = local.run(failing("ä" * 5000, 1))["FailureReason"]
    assert len(reason) == 1024
    assert reason.startswith("AlgorithmError: ää")
    assert reason.endswith("ä, exit code: 1")


def test_row_44_a_double_slash_in_a_key_fails_the_download(local: Local) -> None:
    local.client("s3").put_object(Bucket=BUCKET, Key="data//a.csv", Body=b"1")
    job = local.run(InputDataConfig=[local.channel(f"s3://{BUCKET}/data")])
    assert job["FailureReason"] == (
        "ClientError: Data download failed:Failed to download data. "
        f"S3 key: s3://{BUCKET}/data//a.csv has an illegal char sub-sequence '//' in it"
    )
    assert local.statuses(job) == [STARTING, PENDING, DOWNLOADING, FAILED]


def test_row_54_an_image_without_train(local: Local) -> None:
    local.engine.program = None
    job = local.run()
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: , exit code: 1"


def test_row_57_stopping_an_ended_job_is_refused_by_its_status(local: Local) -> None:
    local.run()
    with pytest.raises(ClientError) as error:
        local.client("sagemaker").stop_training_job(TrainingJobName="probe-1")
    assert refusal(error) == (
        "ValidationException",
        "The request was rejected because the training job is in status Completed.",
        400,
    )


@pytest.mark.parametrize("operation", ["describe", "stop", "delete"])
def test_row_56_an_unknown_job(local: Local, operation: str) -> None:
    call = getattr(local.client("sagemaker"), f"{operation}_training_job")
    with pytest.raises(ClientError) as error:
        call(TrainingJobName="nobody")
    assert refusal(error) == ("ValidationException", "Requested resource not found.", 400)


def test_row_58_right_after_a_stop_only_the_first_status_has_moved(local: Local) -> None:
    local.engine.program = until_stopped
    local.client("s3").put_object(Bucket=BUCKET, Key="data/a", Body=b"1")
    sagemaker = local.client("sagemaker")
    sagemaker.create_training_job(**local.job())
    local.until("probe-1", lambda each: each["SecondaryStatus"] == "Training")
    sagemaker.stop_training_job(TrainingJobName="probe-1")
    job = sagemaker.describe_training_job(TrainingJobName="probe-1")
    assert job["TrainingJobStatus"] in ("Stopping", "Stopped")
    job = local.ended("probe-1")
    assert local.statuses(job)[-3:] == [TRAINING, STOPPING, STOPPED]
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert "FailureReason" not in job


def test_a_stopped_job_keeps_the_model_it_saved(local: Local) -> None:
    def program(container: Container) -> int:
        container.terminated.wait(60)
        container.files["/opt/ml/model/weights.bin"] = b"half"
        return 0

    local.engine.program = program
    local.client("sagemaker").create_training_job(**local.job())
    local.until("probe-1", lambda each: each["SecondaryStatus"] == "Training")
    local.client("sagemaker").stop_training_job(TrainingJobName="probe-1")
    assert local.ended("probe-1")["ModelArtifacts"]["S3ModelArtifacts"].endswith("model.tar.gz")


def test_section_7_max_runtime(local: Local) -> None:
    job = local.run(until_stopped, StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert job["TrainingJobStatus"] == "Stopped"
    assert job["SecondaryStatus"] == "MaxRuntimeExceeded"
    assert [status for status, _ in local.statuses(job)][-3:] == [
        "Training",
        "Stopping",
        "MaxRuntimeExceeded",
    ]


def test_a_container_that_ignores_sigterm_is_killed(local: Local) -> None:
    gate = threading.Event()
    local.engine.program = lambda _: 0 if gate.wait(60) else 1
    sagemaker = local.client("sagemaker")
    sagemaker.create_training_job(**local.job())
    local.until("probe-1", lambda each: each["SecondaryStatus"] == "Training")
    started = time.monotonic()
    local.server.stop()
    gate.set()
    assert time.monotonic() - started < 30
    assert not local.engine.all


def test_row_1_a_name_is_used_once(local: Local) -> None:
    job = local.run()
    with pytest.raises(ClientError) as error:
        local.client("sagemaker").create_training_job(**local.job())
    assert refusal(error) == (
        "ResourceInUse",
        "Training job names must be unique within an AWS account and region, and a training job "
        f"with this name already exists ({job['TrainingJobArn']})",
        400,
    )


def test_rows_12_and_13_data_that_is_not_there(local: Local) -> None:
    with pytest.raises(ClientError) as error:
        local.run(InputDataConfig=[local.channel(f"s3://{BUCKET}/nothing")])
    expected = (
        f'No S3 objects found under S3 URL "s3://{BUCKET}/nothing" given in input data source. '
        "Please ensure that the bucket exists in the selected region (us-west-2), that objects "
        'exist under that S3 prefix, and that the role "arn:aws:iam::123456789012:role/sagedock" '
        f'has "s3:ListBucket" permissions on bucket "{BUCKET}".'
    )
    assert refusal(error) == ("ValidationException", expected, 400)

    elsewhere = local.client("s3", "eu-west-1")
    elsewhere.create_bucket(
        Bucket="elsewhere", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    elsewhere.put_object(Bucket="elsewhere", Key="a", Body=b"1")
    with pytest.raises(ClientError) as error:
        local.run(InputDataConfig=[local.channel("s3://elsewhere/a")])
    assert refusal(error)[1].endswith(
        'permissions on bucket "elsewhere". Error message from S3: The bucket is in this region: '
        "eu-west-1. Please use this region to retry the request"
    )


def test_rows_16_and_176_an_image_that_is_not_there(local: Local) -> None:
    absent = IMAGE.replace("probe:1", "probe:2")
    with pytest.raises(ClientError) as error:
        local.run(AlgorithmSpecification={"TrainingImage": absent, "TrainingInputMode": "File"})
    code, message, status = refusal(error)
    assert (code, status) == ("ValidationException", 400)
    assert message.startswith(f"Cannot find the requested image: {absent}")


def test_a_refused_request_leaves_no_job(local: Local) -> None:
    with pytest.raises(ClientError):
        local.run(InputDataConfig=[local.channel("s3://no-such-bucket/x")])
    assert local.client("sagemaker").list_training_jobs()["TrainingJobSummaries"] == []


def test_rows_61_and_62_pages_are_cut_before_they_are_filtered(local: Local) -> None:
    for number in range(5):
        local.run(TrainingJobName=f"{'match' if number == 0 else 'other'}-{number}")
    sagemaker = local.client("sagemaker")
    first = sagemaker.list_training_jobs(NameContains="match", MaxResults=2)
    assert first["TrainingJobSummaries"] == []
    assert first["NextToken"]
    pages = sagemaker.get_paginator("list_training_jobs").paginate(
        NameContains="match", PaginationConfig={"PageSize": 2}
    )
    assert [j["TrainingJobName"] for p in pages for j in p["TrainingJobSummaries"]] == ["match-0"]


def test_row_64_a_token_that_was_never_given_out(local: Local) -> None:
    with pytest.raises(ClientError) as error:
        local.client("sagemaker").list_training_jobs(NextToken="nonsense")
    assert refusal(error) == (
        "ValidationException",
        'Invalid pagination token because "nonsense".',
        400,
    )


def test_row_5_a_type_that_is_not_offered_for_training(local: Local) -> None:
    resources = {"InstanceType": "ml.t3.medium", "InstanceCount": 1, "VolumeSizeInGB": 1}
    with pytest.raises(ClientError) as error:
        local.run(ResourceConfig=resources)
    assert refusal(error) == (
        "ResourceLimitExceeded",
        "The requested resource training-job/ml.t3.medium is not available in this region",
        400,
    )


@pytest.mark.parametrize(
    ("story", "program", "changes"),
    [
        ("completed", lambda _: 0, {}),
        ("script-failed", failing("x", 1), {}),
        ("max-runtime", until_stopped, {"StoppingCondition": {"MaxRuntimeInSeconds": 1}}),
    ],
)
def test_the_courses_are_those_of_the_table(
    local: Local, story: str, program: Any, changes: Any
) -> None:
    job = local.run(program, **changes)
    told = states.STORIES[story]
    assert local.statuses(job) == [(step.status, step.kept) for step in told.steps]
    assert job["TrainingJobStatus"] == told.status


def test_jobs_without_machines_of_their_own_are_refused(local: Local) -> None:
    with pytest.raises(ClientError, match="ServerlessJobConfig"):
        local.run(
            AlgorithmSpecification=None,
            ResourceConfig=None,
            StoppingCondition=None,
            ServerlessJobConfig={
                "JobType": "FineTuning",
                "BaseModelArn": "arn:aws:sagemaker:us-west-2:aws:hub-content/Hub/Model/m/1.0.0",
            },
        )


def test_row_58_and_section_7_stopped_before_training(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, create = threading.Event(), local.engine.create

    def create_late(spec: Any) -> str:
        assert gate.wait(60)
        return create(spec)

    monkeypatch.setattr(local.engine, "create", create_late)
    sagemaker = local.client("sagemaker")
    sagemaker.create_training_job(**local.job())
    local.until("probe-1", lambda job: job["SecondaryStatus"] == "Downloading")
    sagemaker.stop_training_job(TrainingJobName="probe-1")
    job = sagemaker.describe_training_job(TrainingJobName="probe-1")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopping", "Downloading")
    assert local.statuses(job)[-1] == DOWNLOADED
    assert "EndTime" not in job["SecondaryStatusTransitions"][-1]
    sagemaker.stop_training_job(TrainingJobName="probe-1")  # a second time is no error
    gate.set()
    job = local.ended("probe-1")
    assert local.statuses(job) == [STARTING, PENDING, DOWNLOADED, STOPPING, STOPPED]
    assert (job["TrainingTimeInSeconds"], job["BillableTimeInSeconds"]) == (1, 1)
    assert "ModelArtifacts" not in job
    deadline = time.monotonic() + 60
    while local.engine.all and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not local.engine.all
