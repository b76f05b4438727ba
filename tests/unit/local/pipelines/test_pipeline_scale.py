"""Large pipelines, and many executions: how much is done for each step. Times are benchmarks'."""

import pytest

from tests.amount import amount
from tests.conftest import Local
from tests.unit.local.pipelines.pipeline_world import World, fail, training

STEPS = amount(200, quick=30)


@pytest.fixture
def world(local: Local) -> World:
    return World(local)


def test_a_long_pipeline_ends(world: World) -> None:
    """Every step waits for the one before it."""
    steps = [
        training(f"s{number}", DependsOn=[f"s{number - 1}"] if number else [])
        for number in range(STEPS)
    ]
    world.create(*steps)
    arn = world.start()
    ends = ("Succeeded", "Failed", "Stopped")
    found = world.until(arn, lambda each: each["PipelineExecutionStatus"] in ends, timeout_s=300)
    assert found["PipelineExecutionStatus"] == "Succeeded"
    names, token = [], {}
    while True:
        page = world.sagemaker.list_pipeline_execution_steps(
            PipelineExecutionArn=arn, MaxResults=100, SortOrder="Ascending", **token
        )
        names += [each["StepName"] for each in page["PipelineExecutionSteps"]]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert names == [f"s{number}" for number in range(STEPS)]


def test_many_executions_need_no_threads_of_their_own(world: World) -> None:
    world.create(fail("end"))
    arns = [world.start() for _ in range(amount(100, quick=20))]
    for arn in arns:
        assert world.ended(arn)["PipelineExecutionStatus"] == "Failed"
    listed = world.sagemaker.list_pipeline_executions(PipelineName="p", MaxResults=100)
    assert {e["PipelineExecutionArn"] for e in listed["PipelineExecutionSummaries"]} == set(arns)
