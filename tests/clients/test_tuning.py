"""Hyperparameters tuned with the SDKs v2 and v3, and by the AWS CLI."""

import json
import time
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


def request(name: str) -> dict[str, Any]:
    """Return a tuning job over a script that prints what it is given."""
    script = (
        'python3 -c "import json; '
        "print('loss=' + json.load(open('/opt/ml/input/config/hyperparameters.json'))['x'])\""
    )
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {
                "ContinuousParameterRanges": [{"Name": "x", "MinValue": "0", "MaxValue": "1"}]
            },
        },
        "TrainingJobDefinition": {
            "AlgorithmSpecification": {
                "TrainingImage": IMAGE,
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([-0-9.e]+)"}],
            },
            "StaticHyperParameters": {"script": script},
            "RoleArn": ROLE,
            "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
            "ResourceConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 5,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 300},
        },
    }


def test_the_cli_creates_lists_stops_and_deletes(shell: Shell) -> None:
    name = "cli-tune"
    shell.aws(
        "sagemaker",
        "create-hyper-parameter-tuning-job",
        "--cli-input-json",
        json.dumps(request(name)),
    )
    asked = ("--hyper-parameter-tuning-job-name", name)
    ends = time.monotonic() + 120
    while "HyperParameterTuningEndTime" not in (
        job := json.loads(shell.aws("sagemaker", "describe-hyper-parameter-tuning-job", *asked))
    ):
        assert time.monotonic() < ends, job
        time.sleep(0.5)
    listed = json.loads(
        shell.aws("sagemaker", "list-training-jobs-for-hyper-parameter-tuning-job", *asked)
    )
    assert len(listed["TrainingJobSummaries"]) == 2
    assert job["TrainingJobStatusCounters"]["InProgress"] == 0
    shell.aws("sagemaker", "delete-hyper-parameter-tuning-job", *asked)
