"""What EventBridge is told, as row 146 of jobs and row 169 of the rest have it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.local.pipelines.pipeline_world import World, fail, training
from tests.unit.local.test_state_changes import STEP, TRAINING, Told, listening


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    with listening(tmp_path) as found:
        yield found


def test_row_146_of_jobs_the_detail_is_what_describe_answers(told: Told) -> None:
    job = told.local.run()
    last = told.until(TRAINING, len(job["SecondaryStatusTransitions"]))[-1]
    assert last["detail-type"] == "SageMaker Training Job State Change"
    assert last["source"] == "aws.sagemaker"
    detail = last["detail"]
    answered = {name for name in job if name != "ResponseMetadata"}
    assert set(detail) == answered | {"Tags"}
    assert detail["Tags"] == {}
    for name in ("CreationTime", "TrainingStartTime", "TrainingEndTime", "LastModifiedTime"):
        assert int(detail[name]) == round(job[name].timestamp() * 1000)


def test_row_169_what_is_told_of_a_step(told: Told) -> None:
    World(told.local).run(training("a"), fail("b", "no", DependsOn=["a"]))
    events = [each["detail"] for each in told.until(STEP, 4)]
    ended = {each["stepName"]: each for each in events if "stepEndTime" in each}
    members = {
        *("metadata", "stepName", "stepType", "previousStepStatus", "currentStepStatus"),
        *("stepStartTime", "stepEndTime", "pipelineArn", "pipelineExecutionArn"),
    }
    assert set(ended["a"]) == members
    assert set(ended["b"]) == members | {"failureReason"}
    assert list(ended["a"]["metadata"]) == ["trainingJob"]
    assert list(ended["a"]["metadata"]["trainingJob"]) == ["arn"]
