"""Executions from their start to their end."""

import threading
import time

import pytest

from sagedock.testing import Container
from tests.conftest import Local
from tests.unit.local.pipelines.pipeline_world import (
    World,
    condition,
    fail,
    get,
    step_of,
    training,
)


@pytest.fixture
def world(local: Local) -> World:
    return World(local)


def test_steps_run_in_the_order_of_what_they_need(world: World) -> None:
    """An argument that refers to a step waits for it, and has what that step's job became."""
    uri = get("Steps.first.ModelArtifacts.S3ModelArtifacts")
    execution, steps = world.run(
        training("second", hyperparameters={"model": uri}),
        training("third", DependsOn=["second"]),
        training("first"),
    )
    assert execution["PipelineExecutionStatus"] == "Succeeded"
    assert list(steps) == ["first", "second", "third"]
    model = world.job_of(steps["first"])["ModelArtifacts"]["S3ModelArtifacts"]
    assert world.job_of(steps["second"])["HyperParameters"]["model"] == model
    assert steps["second"]["StartTime"] >= steps["first"]["EndTime"]
    assert {each["StepStatus"] for each in steps.values()} == {"Succeeded"}


def test_steps_that_need_nothing_of_each_other_run_at_once(world: World) -> None:
    both = threading.Barrier(2, timeout=30)

    def meet(_: Container) -> int:
        both.wait()
        return 0

    world.local.engine.program = meet
    execution, _ = world.run(training("a"), training("b"))
    assert execution["PipelineExecutionStatus"] == "Succeeded"


def test_no_more_steps_run_at_once_than_are_wanted(world: World) -> None:
    running, most = set(), []
    lock = threading.Lock()

    def count(container: Container) -> int:
        with lock:
            running.add(container.id)
            most.append(len(running))
        time.sleep(0.05)
        with lock:
            running.discard(container.id)
        return 0

    world.local.engine.program = count
    execution, _ = world.run(
        *(training(f"s{number}") for number in range(5)),
        ParallelismConfiguration={"MaxParallelExecutionSteps": 2},
    )
    assert execution["PipelineExecutionStatus"] == "Succeeded"
    assert max(most) <= 2


@pytest.mark.parametrize(("value", "taken"), [("0.9", "good"), ("0.5", "bad")])
def test_a_condition_takes_one_of_two_ways(world: World, value: str, taken: str) -> None:
    accuracy = {"Type": "GreaterThan", "LeftValue": get("Parameters.accuracy"), "RightValue": 0.8}
    execution, steps = world.run(
        condition(
            "check",
            accuracy,
            then=[training("good")],
            otherwise=[training("bad"), training("worse", DependsOn=["bad"])],
        ),
        parameters=[{"Name": "accuracy", "Type": "Float", "DefaultValue": 0.7}],
        PipelineParameters=[{"Name": "accuracy", "Value": value}],
    )
    assert execution["PipelineExecutionStatus"] == "Succeeded"
    assert steps["check"]["Metadata"] == {"Condition": {"Outcome": str(taken == "good")}}
    expected = {"check", "good"} if taken == "good" else {"check", "bad", "worse"}
    assert set(steps) == expected


def test_what_needs_a_step_of_the_way_not_taken_is_left_out(world: World) -> None:
    never = {"Type": "Equals", "LeftValue": 1, "RightValue": 2}
    execution, steps = world.run(
        condition("check", never, then=[training("inside")]),
        training("behind", DependsOn=["inside"]),
        training("after", DependsOn=["check"]),
    )
    assert execution["PipelineExecutionStatus"] == "Succeeded"
    assert set(steps) == {"check", "after"}


def test_an_execution_fails_with_a_step(world: World) -> None:
    """Sources: rows 156 and 157 of the rest of the fidelity corpus."""
    world.local.engine.program = lambda _: 3
    execution, steps = world.run(training("first"), training("second", DependsOn=["first"]))
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert execution["FailureReason"] == "Step failure: One or multiple steps failed."
    assert list(steps) == ["first"]
    reason = world.job_of(steps["first"])["FailureReason"]
    assert steps["first"]["FailureReason"] == f"ClientError: {reason}"


@pytest.mark.parametrize(
    "message", [None, "too bad", {"Std:Join": {"On": " ", "Values": ["a", 1]}}]
)
def test_a_fail_step_ends_an_execution(world: World, message: object) -> None:
    """Source of what one without a message has: row 160."""
    execution, steps = world.run(fail("stop", message))
    said = {None: "", "too bad": "too bad"}.get(message if isinstance(message, str) else None, "")
    said = "a 1" if isinstance(message, dict) else said
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert steps["stop"]["Metadata"] == {"Fail": {"ErrorMessage": said}}
    assert steps["stop"].get("FailureReason", "") == said


def test_a_refused_call_fails_its_step(world: World) -> None:
    """Sources: rows 149, 153 and 162."""
    step = training("train")
    step["Arguments"]["AlgorithmSpecification"]["TrainingImage"] = "nothing:1"
    execution, steps = world.run(step)
    assert execution["PipelineExecutionStatus"] == "Failed"
    begins = "ClientError: Failed to invoke sagemaker:CreateTrainingJob. Error Details: "
    assert steps["train"]["FailureReason"].startswith(begins)
    assert steps["train"]["Metadata"] == {}
    assert steps["train"]["AttemptCount"] == 1


def test_jobs_are_named_after_their_execution_and_step(world: World) -> None:
    """Source: row 165."""
    execution, steps = world.run(training("Train-Me"))
    id_ = execution["PipelineExecutionArn"].rpartition("/")[2]
    name = world.job_of(steps["Train-Me"])["TrainingJobName"]
    head, _, tail = name.rpartition("-")
    assert head == f"pipelines-{id_}-Train-Me"
    assert len(tail) == 10
    assert len(id_) == 12


def test_a_stop_stops_the_jobs(world: World) -> None:
    def until_stopped(container: Container) -> int:
        container.terminated.wait(30)
        return 0

    world.local.engine.program = until_stopped
    world.create(training("first"), training("second", DependsOn=["first"]))
    arn = world.start()
    world.until(
        arn, lambda _: "TrainingJob" in world.steps(arn).get("first", {}).get("Metadata", {})
    )
    world.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken="x" * 32)
    assert world.ended(arn)["PipelineExecutionStatus"] == "Stopped"
    assert {n: s["StepStatus"] for n, s in world.steps(arn).items()} == {"first": "Stopped"}


def test_a_retry_keeps_what_succeeded(world: World) -> None:
    """Source: row 148."""
    broken = {"second"}

    def program(container: Container) -> int:
        return int(step_of(container) in broken)

    world.local.engine.program = program
    world.create(training("first"), training("second", DependsOn=["first"]))
    arn = world.start()
    assert world.ended(arn)["PipelineExecutionStatus"] == "Failed"
    first = world.steps(arn)["first"]
    broken.clear()
    again = world.sagemaker.retry_pipeline_execution(
        PipelineExecutionArn=arn, ClientRequestToken="y" * 32
    )
    assert again["PipelineExecutionArn"] == arn
    found = world.ended(arn)
    assert found["PipelineExecutionStatus"] == "Succeeded"
    assert "FailureReason" not in found
    assert world.steps(arn)["first"] == first


def test_search_finds_pipelines_and_their_executions(world: World) -> None:
    world.create(fail("a"), Tags=[{"Key": "team", "Value": "x"}])
    arn = world.start()
    world.ended(arn)
    tagged = {"Filters": [{"Name": "Tags.team", "Operator": "Equals", "Value": "x"}]}
    (found,) = world.sagemaker.search(Resource="Pipeline", SearchExpression=tagged)["Results"]
    assert found["Pipeline"]["PipelineName"] == "p"
    failed = {"Name": "PipelineExecutionStatus", "Operator": "Equals", "Value": "Failed"}
    (found,) = world.sagemaker.search(
        Resource="PipelineExecution", SearchExpression={"Filters": [failed]}
    )["Results"]
    assert found["PipelineExecution"]["PipelineExecutionArn"] == arn
