"""Hyperparameters tuned with the SDKs v2 and v3, and by the AWS CLI."""

import io
import json
import tarfile
from typing import Any

import pytest

from tests.clients.conftest import IMAGE, ROLE, Runner
from tests.clients.shell import Shell

pytestmark = pytest.mark.slow


def test_the_sdk_v2_tunes_waits_and_tabulates(runner: Runner) -> None:
    facts = runner.client("sdk_v2", "sdk_v2/tune.py", IMAGE, ROLE)
    assert facts["status"] == "Completed"
    assert facts["best"] == facts["attached_best"]
    assert facts["best"].startswith(f"{facts['job']}-00")
    assert len(facts["values"]) == 3
    assert max(facts["scales"]) == int(json.loads(str(facts["best_scale"])))
    assert facts["model_uri"].endswith(f"{facts['best']}/output/model.tar.gz")


def test_the_sdk_v3_tunes(runner: Runner) -> None:
    facts = runner.client("sdk_v3", "sdk_v3/tune.py", IMAGE, ROLE)
    assert facts["status"] == "Completed"
    assert "-00" in facts["best"]


SCRIPT = b"""
import argparse
options = argparse.ArgumentParser()
options.add_argument("--rate", type=float)
print(f"loss={options.parse_args().rate}")
"""
BUCKET = "tuning-bucket"


def source() -> bytes:
    """Return a sourcedir.tar.gz."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo("train.py")
        member.size = len(SCRIPT)
        archive.addfile(member, io.BytesIO(SCRIPT))
    return packed.getvalue()


def request(name: str) -> dict[str, Any]:
    """Return a tuning job over a script that prints what it is given."""
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {
                "ContinuousParameterRanges": [{"Name": "rate", "MinValue": "0", "MaxValue": "1"}]
            },
        },
        "TrainingJobDefinition": {
            "AlgorithmSpecification": {
                "TrainingImage": IMAGE,
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([-0-9.e]+)"}],
            },
            "StaticHyperParameters": {
                "sagemaker_program": '"train.py"',
                "sagemaker_submit_directory": f'"s3://{BUCKET}/source/sourcedir.tar.gz"',
            },
            "RoleArn": ROLE,
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/out"},
            "ResourceConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 5,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 300},
        },
    }


def test_the_cli_creates_describes_and_lists(shell: Shell) -> None:
    name = "cli-tune"
    shell.aws("s3", "mb", f"s3://{BUCKET}")
    shell.aws("s3", "cp", "-", f"s3://{BUCKET}/source/sourcedir.tar.gz", given=source())
    file = shell.folder / f"{name}.json"
    file.write_text(json.dumps(request(name)))
    made = shell.asked(
        "sagemaker", "create-hyper-parameter-tuning-job", "--cli-input-json", f"file://{file.name}"
    )
    assert made["HyperParameterTuningJobArn"].endswith(f":hyper-parameter-tuning-job/{name}")
    asked = ("--hyper-parameter-tuning-job-name", name)
    job = shell.awaited(
        lambda told: "HyperParameterTuningEndTime" in told,
        *("describe-hyper-parameter-tuning-job", *asked),
    )
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 2, "Pending": 0, "Failed": 0}
    listed = shell.asked(
        "sagemaker",
        "list-training-jobs-for-hyper-parameter-tuning-job",
        *asked,
        *("--sort-by", "FinalObjectiveMetricValue"),
    )["TrainingJobSummaries"]
    assert listed[0]["TrainingJobName"] == job["BestTrainingJob"]["TrainingJobName"]
    best = listed[0]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
    assert best == pytest.approx(float(listed[0]["TunedHyperParameters"]["rate"]), rel=1e-5)
    (found,) = shell.asked("sagemaker", "list-hyper-parameter-tuning-jobs")[
        "HyperParameterTuningJobSummaries"
    ]
    assert found["HyperParameterTuningJobName"] == name
    absent = shell.run(
        *("sagemaker", "describe-hyper-parameter-tuning-job"),
        *("--hyper-parameter-tuning-job-name", "absent"),
    )
    assert "(ResourceNotFound)" in absent.error
