"""Rows 122-134 and 148 of the fidelity corpus: what DescribeTrainingJob answers, and when."""

import itertools
import re
import threading

import pytest

from sagedock.testing import Container
from tests.conftest import BUCKET, IMAGE, REGION, ROLE, Local, plain_http

ALWAYS = {
    "TrainingJobName",
    "TrainingJobArn",
    "TrainingJobStatus",
    "SecondaryStatus",
    "AlgorithmSpecification",
    "RoleArn",
    "OutputDataConfig",
    "ResourceConfig",
    "StoppingCondition",
    "CreationTime",
    "LastModifiedTime",
    "SecondaryStatusTransitions",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
}


def trains(container: Container) -> int:
    container.print("accuracy=0.6012; loss=2")
    container.files["/opt/ml/model/weights.bin"] = b"weights"
    return 0


def test_row_122_answers_are_json_1_1_with_times_in_epoch_seconds(local: Local) -> None:
    local.run(trains)
    answer = plain_http().post(
        local.server.endpoint_url,
        headers={
            "x-amz-target": "SageMaker.DescribeTrainingJob",
            "content-type": "application/x-amz-json-1.1",
            "authorization": "AWS4-HMAC-SHA256 "
            f"Credential=x/20260101/{REGION}/sagemaker/aws4_request, Signature=0",
        },
        json={"TrainingJobName": "probe-1"},
    )
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"
    assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["x-amzn-requestid"])
    assert {"content-length", "date"} <= set(answer.headers)
    created = answer.json()["CreationTime"]
    assert isinstance(created, float)
    assert created == round(created, 3)


def test_row_124_members_that_are_always_there(local: Local) -> None:
    gate = threading.Event()
    local.engine.program = lambda _: 0 if gate.wait(60) else 1
    local.client("sagemaker").create_training_job(**local.job())
    job = local.until("probe-1", lambda each: each["SecondaryStatus"] == "Training")
    gate.set()
    assert set(job) >= ALWAYS
    assert job["EnableManagedSpotTraining"] is False
    assert job["EnableNetworkIsolation"] is False
    assert job["EnableInterContainerTrafficEncryption"] is False
    assert not {"TrainingEndTime", "FailureReason", "FinalMetricDataList"} & set(job)


def test_rows_125_126_128_what_the_service_fills_in(local: Local) -> None:
    local.client("s3").put_object(Bucket=BUCKET, Key="data/a.csv", Body=b"1,2")
    job = local.run(trains, InputDataConfig=[local.channel(f"s3://{BUCKET}/data")])
    assert job["OutputDataConfig"]["KmsKeyId"] == ""
    assert job["AlgorithmSpecification"]["EnableSageMakerMetricsTimeSeries"] is False
    assert job["InputDataConfig"][0]["CompressionType"] == "None"
    assert job["InputDataConfig"][0]["RecordWrapperType"] == "None"
    assert job["ProfilingStatus"] == "Disabled"


def test_rows_129_130_132_times_of_a_completed_job(local: Local) -> None:
    job = local.run(trains)
    steps = {step["Status"]: step for step in job["SecondaryStatusTransitions"]}
    assert job["TrainingStartTime"] == steps["Downloading"]["StartTime"]
    assert job["TrainingEndTime"] == steps["Uploading"]["EndTime"]
    assert steps["Completed"]["StartTime"] == steps["Completed"]["EndTime"]
    assert job["TrainingEndTime"] == steps["Completed"]["StartTime"]
    ordered = job["SecondaryStatusTransitions"]
    for earlier, later in itertools.pairwise(ordered):
        assert earlier["EndTime"] == later["StartTime"]
    start, end = (int(job[name].timestamp()) for name in ("TrainingStartTime", "TrainingEndTime"))
    assert job["TrainingTimeInSeconds"] == max(1, end - start)
    assert job["BillableTimeInSeconds"] == job["TrainingTimeInSeconds"]
    assert job["LastModifiedTime"] >= job["TrainingEndTime"]


def test_row_133_final_metrics_are_single_precision_at_whole_seconds(local: Local) -> None:
    definitions = [
        {"Name": "accuracy", "Regex": "accuracy=([0-9.]+)"},
        {"Name": "absent", "Regex": "absent=([0-9.]+)"},
    ]
    job = local.run(
        trains,
        AlgorithmSpecification={
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": definitions,
        },
    )
    (metric,) = job["FinalMetricDataList"]
    assert metric["MetricName"] == "accuracy"
    assert metric["Value"] == 0.6011999845504761
    assert metric["Timestamp"].microsecond == 0


def test_row_134_the_model_lies_below_the_output_path_without_a_double_slash(local: Local) -> None:
    job = local.run(trains)
    uri = f"s3://{BUCKET}/out/probe-1/output/model.tar.gz"
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == uri


def test_row_140_a_training_jobs_arn_keeps_the_names_case(local: Local) -> None:
    job = local.run(trains, TrainingJobName="Probe-CamelCase")
    assert job["TrainingJobArn"] == (
        f"arn:aws:sagemaker:{REGION}:123456789012:training-job/Probe-CamelCase"
    )
    assert job["RoleArn"] == ROLE


def test_row_148_the_log_stream_is_named_for_job_host_and_second(local: Local) -> None:
    local.run(trains)
    (stream,) = local.client("logs").describe_log_streams(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix="probe-1/"
    )["logStreams"]
    assert re.fullmatch(r"probe-1/algo-1-\d{10}", stream["logStreamName"])


@pytest.mark.parametrize("member", ["FailureReason", "FinalMetricDataList", "HyperParameters"])
def test_members_that_have_nothing_to_say_are_absent(local: Local, member: str) -> None:
    assert member not in local.run(trains)
