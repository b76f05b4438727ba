"""Data processed with the SDKs v2 and v3, their logs followed, and with the AWS CLI."""

import json
from typing import Any

import pytest

from tests.clients.conftest import ACCOUNT, IMAGE, REGION, ROLE, Runner
from tests.clients.shell import Shell

pytestmark = pytest.mark.slow


def test_the_sdk_v2_processes(runner: Runner) -> None:
    facts = runner.client("sdk_v2", "sdk_v2/process.py", IMAGE, ROLE)
    assert (facts["sum"], facts["status"], facts["message"]) == ("30", "Completed", "summed")
    assert "summed 2 lines" in facts["printed"]
    assert facts["own"] == "Completed"
    assert "AlgorithmError: See job logs for more information" in facts["failed"]


def test_the_sdk_v3_processes(runner: Runner) -> None:
    facts = runner.client("sdk_v3", "sdk_v3/process.py", IMAGE, ROLE)
    assert (facts["sum"], facts["status"], facts["own"]) == ("30", "Completed", "Completed")
    assert "summed 2 lines" in facts["printed"]


def ended(shell: Shell, name: str) -> Any:
    """Wait until a job has ended, and return what describe-processing-job answers."""
    return shell.awaited(
        lambda job: "ProcessingEndTime" in job,
        *("describe-processing-job", "--processing-job-name", name),
    )


def test_the_cli_creates_describes_lists_stops_and_deletes(shell: Shell) -> None:
    shell.aws("s3", "mb", "s3://cli-processing")
    shell.aws("s3", "cp", "-", "s3://cli-processing/in/rows", given=b"1\n2\n")
    folder = "/opt/ml/processing"
    request = {
        "ProcessingJobName": "Cli-1",
        "AppSpecification": {
            "ImageUri": IMAGE,
            "ContainerEntrypoint": ["/bin/sh", "-c"],
            "ContainerArguments": [f"cat {folder}/in/rows | tee {folder}/out/copy"],
        },
        "ProcessingInputs": [
            {
                "InputName": "in",
                "S3Input": {
                    "S3Uri": "s3://cli-processing/in/",
                    "LocalPath": f"{folder}/in",
                    "S3DataType": "S3Prefix",
                    "S3InputMode": "File",
                },
            }
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "out",
                    "S3Output": {
                        "S3Uri": "s3://cli-processing/out",
                        "LocalPath": f"{folder}/out",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
        "RoleArn": ROLE,
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 1,
            }
        },
    }
    file = shell.folder / "processing.json"
    file.write_text(json.dumps(request))
    made = shell.asked(
        "sagemaker", "create-processing-job", "--cli-input-json", f"file://{file.name}"
    )
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:processing-job/cli-1"
    assert made == {"ProcessingJobArn": arn}
    assert ended(shell, "Cli-1")["ProcessingJobStatus"] == "Completed"
    assert shell.aws("s3", "cp", "s3://cli-processing/out/copy", "-") == "1\n2\n"
    listed = shell.asked("sagemaker", "list-processing-jobs", "--name-contains", "Cli")
    (job,) = listed["ProcessingJobSummaries"]
    assert (job["ProcessingJobName"], job["ProcessingJobArn"]) == ("Cli-1", arn)
    refused = shell.run("sagemaker", "stop-processing-job", "--processing-job-name", "Cli-1")
    assert "The request was rejected because the processing job is in status" in refused.error
    deleted = shell.run("sagemaker", "delete-processing-job", "--processing-job-name", "Cli-1")
    if "nvalid choice" in deleted.error:  # this CLI is older than the operation
        return
    assert deleted.code == 0, deleted.error
    assert shell.asked("sagemaker", "list-processing-jobs")["ProcessingJobSummaries"] == []
