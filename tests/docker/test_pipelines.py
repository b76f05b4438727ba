"""Pipelines over real containers, and over servers that are killed."""

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest

from sagedock.engine import Engine
from tests.conftest import ROLE
from tests.docker.conftest import TRAINING_IMAGE, RealLocal
from tests.docker.test_local_process import home, kill, reach

__all__ = ["home"]

pytestmark = pytest.mark.slow
_TOKEN = "0123456789abcdef" * 2
_ENDS = ("Succeeded", "Failed", "Stopped")


def training(local: RealLocal, name: str, script: str, **members: Any) -> dict[str, Any]:
    """Return a training step that runs a shell script."""
    uri = local.put(f"scripts/{name}/run.sh", script.encode())
    algorithm = {
        "TrainingImage": TRAINING_IMAGE,
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["/bin/bash", "/opt/ml/input/data/code/run.sh"],
    }
    arguments = local.job(
        TrainingJobName=None,
        AlgorithmSpecification=algorithm,
        InputDataConfig=[local.channel(uri, "code")],
    )
    return {"Name": name, "Type": "Training", "Arguments": arguments, **members}


def started(local: RealLocal, *steps: dict[str, Any]) -> str:
    sagemaker = local.client("sagemaker")
    sagemaker.create_pipeline(
        PipelineName="p",
        PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": steps}),
        RoleArn=ROLE,
        ClientRequestToken=_TOKEN,
    )
    arn: str = sagemaker.start_pipeline_execution(PipelineName="p", ClientRequestToken=_TOKEN)[
        "PipelineExecutionArn"
    ]
    return arn


def ended(local: RealLocal, arn: str) -> tuple[str, dict[str, Any]]:
    """Wait for an execution's end; return its status and its steps' records."""
    sagemaker, ends = local.client("sagemaker"), time.monotonic() + 180
    while True:
        found = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)
        if found["PipelineExecutionStatus"] in _ENDS:
            break
        assert time.monotonic() < ends, steps
        time.sleep(0.1)
    records = {each["StepName"]: each for each in steps["PipelineExecutionSteps"]}
    return found["PipelineExecutionStatus"], records


def test_an_execution_survives_servers_that_are_killed(home: Path, engine: Engine) -> None:
    """Every step runs once: a job that was under way is taken up, none is begun twice."""
    local = reach(home, engine)
    work = "for i in $(seq 1 20); do sleep 0.05; done; echo weights > /opt/ml/model/w"
    first = training(local, "first", work)
    second = training(local, "second", work)
    second["Arguments"]["HyperParameters"] = {
        "model": {"Get": "Steps.first.ModelArtifacts.S3ModelArtifacts"}
    }
    arn = started(local, second, first, training(local, "third", work, DependsOn=["second"]))
    instants = random.Random(11)
    for _ in range(4):
        time.sleep(instants.uniform(0.05, 1.5))
        kill(home)
        local = reach(home, engine, bucket=False)
    status, steps = ended(local, arn)
    assert status == "Succeeded", steps
    assert set(steps) == {"first", "second", "third"}
    jobs = local.client("sagemaker").list_training_jobs()["TrainingJobSummaries"]
    assert len(jobs) == 3


def test_a_model_that_is_not_good_enough_is_not_used(real: RealLocal) -> None:
    """The measure comes from the log of the training job."""
    step = training(real, "train", "echo accuracy=0.75; echo w > /opt/ml/model/w")
    step["Arguments"]["AlgorithmSpecification"]["MetricDefinitions"] = [
        {"Name": "accuracy", "Regex": "accuracy=([0-9.]+)"}
    ]
    measure = {"Get": "Steps.train.FinalMetricDataList['accuracy'].Value"}
    said = {"Std:Join": {"On": "", "Values": ["accuracy ", measure, " is below 0.9"]}}
    condition = {
        "Name": "good",
        "Type": "Condition",
        "Arguments": {
            "Conditions": [
                {"Type": "GreaterThanOrEqualTo", "LeftValue": measure, "RightValue": 0.9}
            ],
            "IfSteps": [training(real, "use", "true")],
            "ElseSteps": [{"Name": "stop", "Type": "Fail", "Arguments": {"ErrorMessage": said}}],
        },
    }
    status, steps = ended(real, started(real, step, condition))
    assert status == "Failed"
    assert set(steps) == {"train", "good", "stop"}
    assert steps["stop"]["FailureReason"] == "accuracy 0.75 is below 0.9"
