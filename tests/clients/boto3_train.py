"""Train with nothing but boto3 and the environment, as a script from anyone's wiki would.

    python boto3_train.py IMAGE

Prints what came of it as one line of JSON.
"""

import io
import json
import sys
import tarfile
import time
from pathlib import Path

import boto3

SCRIPT = Path(__file__).with_name("hello_script") / "train.py"


def main(image: str) -> None:
    s3, sagemaker, logs = boto3.client("s3"), boto3.client("sagemaker"), boto3.client("logs")
    account = boto3.client("sts").get_caller_identity()["Account"]
    region = sagemaker.meta.region_name
    bucket = f"plain-boto3-{account}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
    s3.put_object(Bucket=bucket, Key="data/numbers.csv", Body=b"1,2,3\n")
    s3.put_object(Bucket=bucket, Key="code/sourcedir.tar.gz", Body=packed(SCRIPT))

    job = f"plain-boto3-{int(time.time())}"
    sagemaker.create_training_job(
        TrainingJobName=job,
        AlgorithmSpecification={
            "TrainingImage": image,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "total", "Regex": "total=([0-9.]+)"}],
        },
        RoleArn=f"arn:aws:iam::{account}:role/anyone",
        HyperParameters={
            "scale": "2",
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": f"s3://{bucket}/code/sourcedir.tar.gz",
        },
        InputDataConfig=[
            {
                "ChannelName": "train",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": f"s3://{bucket}/data/",
                    }
                },
            }
        ],
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/output"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName=job, WaiterConfig={"Delay": 1, "MaxAttempts": 300}
    )
    described = sagemaker.describe_training_job(TrainingJobName=job)
    model_uri = described["ModelArtifacts"]["S3ModelArtifacts"]
    key = model_uri.removeprefix(f"s3://{bucket}/")
    model = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    facts = {
        "job": job,
        "status": described["TrainingJobStatus"],
        "metrics": {one["MetricName"]: one["Value"] for one in described["FinalMetricDataList"]},
        "model_uri": model_uri,
        "model": file_in(model, "model.json"),
        "log": log_of(logs, job),
    }
    print(json.dumps(facts))


def packed(script: Path) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        archive.add(script, arcname=script.name)
    return buffer.getvalue()


def file_in(archive: bytes, name: str) -> str:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        member = opened.extractfile(name)
        assert member is not None
        return member.read().decode()


def log_of(logs: "boto3.client", job: str) -> list[str]:
    group = "/aws/sagemaker/TrainingJobs"
    (stream,) = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/")[
        "logStreams"
    ]
    events = logs.get_log_events(
        logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
    )
    return [event["message"] for event in events["events"]]


if __name__ == "__main__":
    main(*sys.argv[1:])
