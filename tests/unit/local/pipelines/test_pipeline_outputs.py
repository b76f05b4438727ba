"""Outputs by their declared types, and results that are gone or not the pipeline's own."""

import json
import secrets
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock.local.pipelines.names import job_name
from sagedock.local.pipelines.outputs import typed
from tests.conftest import Local
from tests.unit.local.pipelines.pipeline_world import World, condition, fail, get, training

_CACHED = {"Enabled": True}


@pytest.fixture
def world(local: Local) -> World:
    return World(local)


def callback(world: World, *outputs: dict[str, str], then: Any) -> tuple[str, str]:
    """Start a pipeline whose callback waits; return the execution and the token."""
    sqs = world.local.client("sqs")
    queue = sqs.create_queue(QueueName=f"outputs-{secrets.token_hex(4)}")["QueueUrl"]
    step = {"Name": "wait", "Type": "Callback", "SqsQueueUrl": queue, "Arguments": {}}
    world.create({**step, "OutputParameters": list(outputs)}, then)
    arn = world.start()
    found = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)["Messages"]
    return arn, json.loads(found[0]["Body"])["token"]


def answer(world: World, token: str, **outputs: str) -> None:
    listed = [{"Name": name, "Value": value} for name, value in outputs.items()]
    world.sagemaker.send_pipeline_execution_step_success(
        CallbackToken=token, OutputParameters=listed
    )


def test_a_callbacks_number_is_a_number(world: World) -> None:
    rows = get("Steps.wait.OutputParameters['rows']")
    more = {"Type": "GreaterThan", "LeftValue": rows, "RightValue": 1}
    arn, token = callback(
        world,
        {"OutputName": "rows", "OutputType": "Integer"},
        then=condition("enough", more, then=[fail("end", "enough")]),
    )
    with pytest.raises(ClientError, match=r"\[rows\] of the callback step \[wait\] is not of type"):
        answer(world, token, rows="many")
    with pytest.raises(ClientError, match=r"\[wait\] declares no output parameter \[columns\]"):
        answer(world, token, columns="5")
    answer(world, token, rows="5")
    world.ended(arn)
    assert world.steps(arn)["end"]["FailureReason"] == "enough"


@pytest.mark.parametrize(
    ("value", "kind", "found"),
    [
        ("5", "Integer", 5),
        (5.0, "Integer", 5),
        ("5.5", "Float", 5.5),
        (5, "Float", 5.0),
        ("True", "Boolean", True),
        (False, "Boolean", False),
        ("a", "String", "a"),
    ],
)
def test_values_have_the_declared_type(value: Any, kind: str, found: Any) -> None:
    result = typed(value, kind)
    assert result == found
    assert type(result) is type(found)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("a", "Integer"),
        (True, "Integer"),
        (5.5, "Integer"),
        ([1], "Integer"),
        ("nan", "Float"),
        (None, "Float"),
        ("yes", "Boolean"),
        (1, "Boolean"),
    ],
)
def test_other_values_are_refused(value: Any, kind: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        typed(value, kind)


def test_a_result_whose_job_was_deleted_is_no_result(world: World) -> None:
    world.create(training("a", CacheConfig=_CACHED))
    first = world.start()
    world.ended(first)
    job = world.steps(first)["a"]["Metadata"]["TrainingJob"]["Arn"].rpartition("/")[2]
    world.sagemaker.delete_training_job(TrainingJobName=job)
    second = world.start()
    assert world.ended(second)["PipelineExecutionStatus"] == "Succeeded"
    step = world.steps(second)["a"]
    assert "CacheHitResult" not in step
    assert not step["Metadata"]["TrainingJob"]["Arn"].endswith(job)


def test_results_of_another_pipeline_are_not_taken(world: World) -> None:
    second = training("second", hyperparameters={"of": get("Steps.first.TrainingJobName")})
    for name in ("p", "q"):
        world.create(training("first"), second, name=name)
    other = world.start("q")
    world.ended(other)
    with pytest.raises(ClientError, match=r"It is no execution of .*pipeline/p"):
        world.start(
            SelectiveExecutionConfig={
                "SourcePipelineExecutionArn": other,
                "SelectedSteps": [{"StepName": "second"}],
            }
        )


@pytest.mark.parametrize("name", ["pre_process", "_", "-x-", "a__b", "x" * 64])
def test_any_step_has_a_job_that_may_be_called_so(world: World, name: str) -> None:
    execution, steps = world.run(training(name))
    assert execution["PipelineExecutionStatus"] == "Succeeded", steps
    assert len(job_name("a" * 12, name, tuning=True)) <= 32


def test_a_pipeline_of_another_region_is_none_of_this(world: World) -> None:
    arn = world.create(training("a"))
    assert world.sagemaker.describe_pipeline(PipelineName=arn)["PipelineName"] == "p"
    with pytest.raises(ClientError, match="ResourceNotFound"):
        world.sagemaker.describe_pipeline(PipelineName=arn.replace("us-west-2", "eu-west-1"))


@pytest.mark.parametrize("value", ["nan", "inf", "1e999"])
def test_a_number_that_json_lacks_is_no_parameter(world: World, value: str) -> None:
    world.create(training("a"), parameters=[{"Name": "lr", "Type": "Float", "DefaultValue": 1.0}])
    with pytest.raises(ClientError, match=r"\[lr\] value \[.*\] is not of type Float"):
        world.start(PipelineParameters=[{"Name": "lr", "Value": value}])
