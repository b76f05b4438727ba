"""Steps that tune: what they find is referred to, the best first."""

import re

import pytest

from sagedock.testing import Container
from tests.conftest import Local
from tests.unit.local.pipelines.pipeline_world import World, fail, get
from tests.unit.local.tuning.tuning_world import request


@pytest.fixture
def world(local: Local) -> World:
    return World(local)


def test_what_a_tuning_step_found_is_referred_to(world: World) -> None:
    losses = iter([0.5, 0.1, 0.3])

    def program(container: Container) -> int:
        container.print(f"loss={next(losses)}")
        return 0

    world.local.engine.program = program
    arguments = request(world.local, jobs=3)
    del arguments["HyperParameterTuningJobName"]
    step = {"Name": "Tune-The-Digits-Well", "Type": "Tuning", "Arguments": arguments}
    best = get("Steps.Tune-The-Digits-Well.BestTrainingJob.TrainingJobName")
    first = get("Steps.Tune-The-Digits-Well.TrainingJobSummaries[0].TrainingJobName")
    worst = get("Steps.Tune-The-Digits-Well.TrainingJobSummaries[2].TrainingJobName")
    said = {"Std:Join": {"On": " ", "Values": [best, first, worst]}}
    execution, steps = world.run(step, fail("end", said))
    assert steps["Tune-The-Digits-Well"]["StepStatus"] == "Succeeded", steps
    named = steps["end"]["FailureReason"].split(" ")
    assert named[0] == named[1] != named[2]
    assert "-002-" in named[0]
    arn = steps["Tune-The-Digits-Well"]["Metadata"]["TuningJob"]["Arn"]
    id_ = execution["PipelineExecutionArn"].rpartition("/")[2]
    name = arn.rpartition("/")[2]
    assert re.fullmatch(rf"{id_}-[Tt]une-[\w-]*-\w{{10}}", name)
    assert len(name) <= 32
