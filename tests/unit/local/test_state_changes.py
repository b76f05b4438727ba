"""What a command is told of jobs, endpoints, executions and steps."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock.testing import FakeEngine, serving
from tests.conftest import IMAGE, REGION, Local
from tests.unit.local.hosting.conftest import started
from tests.unit.local.hosting.hosting_local import (
    awaited,
    create_config,
    create_endpoint,
    create_model,
    echo,
    settled,
)
from tests.unit.local.pipelines.pipeline_world import World, fail, training

APPEND = "import os,sys; open(sys.argv[1],'a').write(sys.stdin.read() + chr(10))"
TRAINING = "SageMaker Training Job State Change"
EXECUTION = "SageMaker Model Building Pipeline Execution Status Change"
STEP = "SageMaker Model Building Pipeline Execution Step Status Change"


class Told:
    """A local SageMaker, and the events that its command was given."""

    def __init__(self, local: Local, file: Path) -> None:
        self.local, self._file = local, file

    def events(self, what: str) -> list[dict[str, Any]]:
        text = self._file.read_text() if self._file.is_file() else ""
        events = [json.loads(line) for line in text.splitlines() if line.endswith("}")]
        return [each for each in events if each["detail-type"] == what]

    def until(self, what: str, count: int) -> list[dict[str, Any]]:
        awaited(lambda: len(self.events(what)) >= count)
        return self.events(what)


@contextmanager
def listening(tmp_path: Path) -> Iterator[Told]:
    """Run a local SageMaker whose events are kept."""
    file = tmp_path / "told"
    hook = (sys.executable, "-S", "-c", APPEND, str(file))
    with started(
        tmp_path / "home", engine=FakeEngine(lambda _: 0, images=[IMAGE]), event_hook=hook
    ) as local:
        yield Told(local, file)


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    with listening(tmp_path) as found:
        yield found


def test_a_training_job_is_told_of_at_each_status(told: Told) -> None:
    job = told.local.run(lambda _: 3, Tags=[{"Key": "team", "Value": "a"}])
    passed = [each["Status"] for each in job["SecondaryStatusTransitions"]]
    events = told.until(TRAINING, len(passed))
    assert [each["detail"]["SecondaryStatus"] for each in events] == passed
    last = events[-1]
    assert last["resources"] == [job["TrainingJobArn"]]
    assert last["region"] == REGION
    detail = last["detail"]
    assert detail["TrainingJobStatus"] == "Failed"
    assert detail["FailureReason"] == job["FailureReason"]
    assert detail["Tags"] == {"team": "a"}
    assert detail["CreationTime"] == str(round(job["CreationTime"].timestamp() * 1000))
    assert not [name for name in detail if name.startswith("_")]


def test_an_execution_and_its_steps_are_told_of(told: Told) -> None:
    execution, steps = World(told.local).run(training("a"), fail("b", "no", DependsOn=["a"]))
    arns = [execution["PipelineArn"], execution["PipelineExecutionArn"]]
    first, last = told.until(EXECUTION, 2)
    assert first["resources"] == last["resources"] == arns
    assert first["detail"]["currentPipelineExecutionStatus"] == "Executing"
    assert "previousPipelineExecutionStatus" not in first["detail"]
    assert "executionEndTime" not in first["detail"]
    assert last["detail"]["previousPipelineExecutionStatus"] == "Executing"
    assert last["detail"]["currentPipelineExecutionStatus"] == "Failed"
    assert last["detail"]["executionEndTime"].endswith("Z")
    events = [each["detail"] for each in told.events(STEP)]
    assert [(each["stepName"], each["currentStepStatus"]) for each in events] == [
        ("a", "Executing"),
        ("a", "Succeeded"),
        ("b", "Executing"),
        ("b", "Failed"),
    ]
    _, trained, _, failed = events
    assert trained["previousStepStatus"] == "Executing"
    assert trained["stepType"] == "Training"
    assert trained["metadata"] == {
        "trainingJob": {"arn": steps["a"]["Metadata"]["TrainingJob"]["Arn"]}
    }
    assert "failureReason" not in trained
    assert "cacheHitResult" not in trained
    assert failed["failureReason"] == steps["b"]["FailureReason"]


def test_an_endpoint_is_told_of(told: Told) -> None:
    told.local.engine.program = serving(echo)
    create_model(told.local)
    create_config(told.local)
    create_endpoint(told.local)
    settled(told.local)
    told.local.client("sagemaker").delete_endpoint(EndpointName="endpoint-1")
    events = told.until("SageMaker Endpoint State Change", 3)
    assert [each["detail"]["EndpointStatus"] for each in events] == [
        "CREATING",
        "IN_SERVICE",
        "DELETING",
    ]


def test_a_change_that_is_not_stored_is_not_told(told: Told) -> None:
    count = len(told.local.run()["SecondaryStatusTransitions"])
    told.until(TRAINING, count)
    sagemaker = told.local.client("sagemaker")
    with pytest.raises(ClientError):
        sagemaker.create_training_job(**told.local.job())  # its name is taken
    told.local.run(TrainingJobName="probe-2")
    told.until(TRAINING, 2 * count)
    named = [each["detail"]["TrainingJobName"] for each in told.events(TRAINING)]
    assert named == ["probe-1"] * count + ["probe-2"] * count
