"""Steps of other kinds than jobs, and what steps may be spared: callbacks, results kept,
selections, retries.
"""

import json
import re
import secrets
from typing import Any

import pytest

from sagedock.local.faults import LostHost
from sagedock.testing import Container
from tests.conftest import Local
from tests.unit.local.pipelines.pipeline_world import (
    World,
    fail,
    get,
    step_of,
    training,
)

_CACHED = {"Enabled": True, "ExpireAfter": "30d"}


@pytest.fixture
def world(local: Local) -> World:
    return World(local)


class Callback:
    """A callback step's queue, and a pipeline that waits for it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.queue = world.local.client("sqs").create_queue(
            QueueName=f"waiting-{secrets.token_hex(4)}"  # what others left unread comes again
        )["QueueUrl"]
        said = get("Steps.wait.OutputParameters['said']")
        world.create(
            {
                "Name": "wait",
                "Type": "Callback",
                "SqsQueueUrl": self.queue,
                "Arguments": {"run": get("Execution.PipelineExecutionId")},
                "OutputParameters": [{"OutputName": "said", "OutputType": "String"}],
            },
            fail("end", said),
        )
        self.arn = world.start()

    def message(self) -> Any:
        found = self.world.local.client("sqs").receive_message(
            QueueUrl=self.queue, WaitTimeSeconds=20
        )["Messages"]
        return json.loads(found[0]["Body"])


def test_a_callback_step_waits_for_its_answer(world: World) -> None:
    callback = Callback(world)
    message = callback.message()
    assert message["arguments"] == {"run": callback.arn.rpartition("/")[2]}
    assert message["pipelineExecutionArn"] == callback.arn
    answer = {"Name": "said", "Value": "enough"}
    world.sagemaker.send_pipeline_execution_step_success(
        CallbackToken=message["token"], OutputParameters=[answer]
    )
    world.ended(callback.arn)
    steps = world.steps(callback.arn)
    assert steps["wait"]["Metadata"]["Callback"]["OutputParameters"] == [answer]
    assert steps["end"]["FailureReason"] == "enough"
    with pytest.raises(world.sagemaker.exceptions.ResourceNotFound):
        world.sagemaker.send_pipeline_execution_step_success(CallbackToken=message["token"])


def test_a_callback_step_may_be_told_to_fail(world: World) -> None:
    callback = Callback(world)
    world.sagemaker.send_pipeline_execution_step_failure(
        CallbackToken=callback.message()["token"], FailureReason="nobody came"
    )
    assert world.ended(callback.arn)["PipelineExecutionStatus"] == "Failed"
    assert world.steps(callback.arn)["wait"]["FailureReason"] == "nobody came"


def test_a_stop_waits_for_a_callback(world: World) -> None:
    """Source: the API's page on StopPipelineExecution."""
    callback = Callback(world)
    token = callback.message()["token"]
    world.sagemaker.stop_pipeline_execution(
        PipelineExecutionArn=callback.arn, ClientRequestToken="x" * 32
    )
    assert callback.message()["status"] == "Stopping"
    world.sagemaker.send_pipeline_execution_step_success(CallbackToken=token)
    assert world.ended(callback.arn)["PipelineExecutionStatus"] == "Stopped"


def test_a_callback_step_needs_its_queue(world: World) -> None:
    step = {"Name": "w", "Type": "Callback", "SqsQueueUrl": "http://127.0.0.1/1/none"}
    execution, steps = world.run({**step, "Arguments": {}})
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert "There is no queue http://127.0.0.1/1/none" in steps["w"]["FailureReason"]


def test_a_result_is_used_again(world: World) -> None:
    """Source: rows 164; the same arguments, whatever the job is called and its output's place."""
    world.create(
        training("a", hyperparameters={"lr": get("Parameters.lr")}, CacheConfig=_CACHED),
        training("b", hyperparameters={"of": get("Steps.a.TrainingJobName")}, CacheConfig=_CACHED),
        parameters=[{"Name": "lr", "Type": "String", "DefaultValue": "1"}],
    )
    first = world.start()
    world.ended(first)
    second = world.start()
    world.ended(second)
    steps = world.steps(second)
    for name in ("a", "b"):
        assert steps[name]["CacheHitResult"] == {"SourcePipelineExecutionArn": first}
        assert steps[name]["Metadata"] == world.steps(first)[name]["Metadata"]
    third = world.start(PipelineParameters=[{"Name": "lr", "Value": "2"}])
    world.ended(third)
    assert not any("CacheHitResult" in each for each in world.steps(third).values())


@pytest.mark.parametrize("config", [None, {"Enabled": False}])
def test_no_result_is_used_again_where_nobody_asked(world: World, config: Any) -> None:
    more = {} if config is None else {"CacheConfig": config}
    world.create(training("a", **more))
    for _ in range(2):
        arn = world.start()
        world.ended(arn)
    assert "CacheHitResult" not in world.steps(arn)["a"]


def test_selected_steps_take_the_rest_from_an_earlier_execution(world: World) -> None:
    world.create(
        training("first"),
        training("second", hyperparameters={"of": get("Steps.first.TrainingJobName")}),
        training("third", DependsOn=["second"]),
    )
    source = world.start()
    world.ended(source)
    arn = world.start(
        SelectiveExecutionConfig={
            "SourcePipelineExecutionArn": source,
            "SelectedSteps": [{"StepName": "second"}],
        }
    )
    assert world.ended(arn)["PipelineExecutionStatus"] == "Succeeded"
    steps, before = world.steps(arn), world.steps(source)
    assert set(steps) == {"first", "second"}
    assert steps["first"]["SelectiveExecutionResult"] == {"SourcePipelineExecutionArn": source}
    assert steps["first"]["Metadata"] == before["first"]["Metadata"]
    assert steps["second"]["Metadata"] != before["second"]["Metadata"]


def until_terminated(container: Container) -> int:
    container.terminated.wait(30)
    return 0


def policy(*kinds: str, attempts: int = 2) -> dict[str, Any]:
    return {
        "ExceptionType": list(kinds),
        "IntervalSeconds": 1,
        "BackoffRate": 1.0,
        "MaxAttempts": attempts,
    }


def test_a_policy_retries_a_job_that_the_platform_lost(world: World) -> None:
    world.local.server.faults.add(LostHost())
    tried: list[str] = []

    def program(container: Container) -> int:
        tried.append(step_of(container))
        return until_terminated(container) if len(tried) == 1 else 0

    world.local.engine.program = program
    execution, steps = world.run(
        training("a", RetryPolicies=[policy("SageMaker.JOB_INTERNAL_ERROR")])
    )
    assert execution["PipelineExecutionStatus"] == "Succeeded"
    assert steps["a"]["AttemptCount"] == 2
    assert tried == ["a", "a"]


def test_a_name_in_the_arguments_begins_each_attempt_s(world: World) -> None:
    """Source: sagemaker-python-sdk#3946."""
    world.local.server.faults.add(LostHost())
    tried: list[str] = []

    def program(container: Container) -> int:
        tried.append(step_of(container))
        return until_terminated(container) if len(tried) == 1 else 0

    world.local.engine.program = program
    step = training("a", RetryPolicies=[policy("SageMaker.JOB_INTERNAL_ERROR")])
    step["Arguments"]["TrainingJobName"] = {"Std:Join": {"On": "-", "Values": ["mine", "x" * 60]}}
    execution, _ = world.run(step)
    id_ = execution["PipelineExecutionArn"].rpartition("/")[2]
    found = world.sagemaker.list_training_jobs(SortBy="CreationTime", SortOrder="Ascending")
    names = [each["TrainingJobName"] for each in found["TrainingJobSummaries"]]
    assert [len(name) for name in names] == [63, 63]
    for failures, name in enumerate(names):
        assert re.fullmatch(rf"mine-x+-{id_}-\w{{10}}-{failures}", name)


def test_no_policy_retries_another_kind(world: World) -> None:
    world.local.server.faults.add(LostHost())
    world.local.engine.program = until_terminated
    _, steps = world.run(training("a", RetryPolicies=[policy("SageMaker.CAPACITY_ERROR")]))
    assert steps["a"]["StepStatus"] == "Failed"
    assert steps["a"]["AttemptCount"] == 1


@pytest.mark.parametrize("policies", [[], [policy("SageMaker.RESOURCE_LIMIT", attempts=1)]])
def test_a_quota_is_an_exception_with_a_policy(world: World, policies: list[Any]) -> None:
    """Sources: rows 149 and 150."""
    quotas = {"ml.m5.large for training job usage": 0}
    object.__setattr__(world.local.server.settings, "quotas", quotas)
    execution, steps = world.run(training("Train", RetryPolicies=policies))
    reason = steps["Train"]["FailureReason"]
    begins = (
        "ClientError: Failed to invoke sagemaker:CreateTrainingJob. Error Details: The account-"
        "level service limit 'ml.m5.large for training job usage' is 0 Instances"
    )
    assert reason.startswith(begins)
    tail = (
        "\nRetry not appropriate on execution of step with PipelineExecutionArn "
        f"{execution['PipelineExecutionArn'].lower()} and StepId Train. No retry policy configured "
        "for the exception type SAGEMAKER_RESOURCE_LIMIT."
    )
    assert reason.endswith(tail) == (not policies)
    assert steps["Train"]["AttemptCount"] == 1 + len(policies)
