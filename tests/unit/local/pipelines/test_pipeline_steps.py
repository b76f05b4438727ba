"""Steps of other kinds than jobs, and what steps may be spared: callbacks, functions, results kept,
selections, retries.
"""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.awslambda.models import lambda_backends
from moto.iam.models import iam_backends

from sagedock.local.faults import LostHost
from sagedock.testing import Container
from tests.conftest import ACCOUNT, Local
from tests.unit.local.pipelines.pipeline_world import (
    World,
    condition,
    fail,
    get,
    step_of,
    training,
)

_CACHED = {"Enabled": True, "ExpireAfter": "30d"}
_FUNCTION = """
def double(event, context):
    if event["number"] < 0:
        raise ValueError("below 0")
    return {"doubled": 2 * event["number"], "name": context.function_name}
"""


@pytest.fixture
def world(local: Local) -> World:
    return World(local)


def function(name: str, number: object, *outputs: str) -> dict[str, Any]:
    return {
        "Name": name,
        "Type": "Lambda",
        "FunctionArn": "arn:aws:lambda:us-west-2:123456789012:function:double",
        "Arguments": {"number": number},
        "OutputParameters": [{"OutputName": each, "OutputType": "Integer"} for each in outputs],
    }


def register(world: World, file: Path) -> None:
    file.write_text(_FUNCTION)
    object.__setattr__(world.local.server.settings, "lambdas", {"double": f"{file}:double"})


def test_a_function_is_called_and_its_answer_used(world: World, tmp_path: Path) -> None:
    register(world, tmp_path / "functions.py")
    doubled = get("Steps.double.OutputParameters['doubled']")
    execution, steps = world.run(
        function("double", 21, "doubled", "name"),
        condition(
            "check",
            {"Type": "Equals", "LeftValue": doubled, "RightValue": 42},
            then=[fail("right", {"Std:Join": {"On": "", "Values": ["it is ", doubled]}})],
        ),
    )
    assert steps["double"]["StepStatus"] == "Succeeded"
    assert steps["double"]["Metadata"]["Lambda"]["OutputParameters"] == [
        {"Name": "doubled", "Value": "42"},
        {"Name": "name", "Value": "double"},
    ]
    assert steps["right"]["FailureReason"] == "it is 42"
    assert execution["PipelineExecutionStatus"] == "Failed"


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (function("f", -1, "doubled"), "below 0"),
        (function("f", 1, "tripled"), "the function did not return tripled"),
        ({**function("f", 1), "FunctionArn": "other"}, "SAGEDOCK_LAMBDAS=other=FILE:CALLABLE"),
    ],
    ids=["raises", "leaves out", "is not registered"],
)
def test_a_function_that_fails_says_why(
    world: World, tmp_path: Path, step: dict[str, Any], said: str
) -> None:
    register(world, tmp_path / "functions.py")
    execution, steps = world.run(step)
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert said in steps["f"]["FailureReason"]


ROLE_OF_FUNCTION = f"arn:aws:iam::{ACCOUNT}:role/service-role/nobody-made-it"


@pytest.fixture
def lambdas(world: World) -> Iterator[Any]:
    """A client of Lambda. moto's state belongs to the process: none is left for the next test."""
    yield world.local.client("lambda")
    for backends in (iam_backends, lambda_backends):
        backends.reset()


def packed(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def create_function(lambdas: Any, files: dict[str, str], **changes: Any) -> str:
    """Create the function ``double`` in Lambda; return its ARN."""
    request = {
        "FunctionName": "double",
        "Runtime": "python3.12",
        "Handler": "functions.double",
        "Role": ROLE_OF_FUNCTION,
        "Code": {"ZipFile": packed(files)},
        "Timeout": 120,
        **changes,
    }
    arn: str = lambdas.create_function(**request)["FunctionArn"]
    return arn


def test_a_function_that_lambda_was_given_is_called(world: World, lambdas: Any) -> None:
    """Its role need not be there, its code may be replaced, and nothing is left of a call."""
    files = {"of/functions.py": "from beside import double\n", "beside.py": _FUNCTION}
    arn = create_function(lambdas, files, Handler="of/functions.double")
    lambdas.update_function_code(FunctionName=arn, ZipFile=packed({**files, "more.py": ""}))
    assert lambdas.get_function(FunctionName="double")["Configuration"]["Role"] == ROLE_OF_FUNCTION
    step = {**function("f", 4, "doubled", "name"), "FunctionArn": arn}
    execution, steps = world.run(step)
    assert execution["PipelineExecutionStatus"] == "Succeeded", steps
    assert steps["f"]["Metadata"]["Lambda"] == {
        "Arn": arn,
        "OutputParameters": [
            {"Name": "doubled", "Value": "8"},
            {"Name": "name", "Value": "double"},
        ],
    }
    assert list((world.local.server.settings.home / "scratch").iterdir()) == []


def test_a_function_has_its_variables(world: World, lambdas: Any) -> None:
    text = (
        "import os\n"
        "def double(event, context):\n"
        "    return {'said': os.environ['SAID'] + os.environ['AWS_LAMBDA_FUNCTION_NAME']}\n"
    )
    variables = {"Variables": {"SAID": "a "}}
    create_function(lambdas, {"functions.py": text}, Environment=variables)
    _, steps = world.run(function("f", 1, "said"))
    assert steps["f"]["Metadata"]["Lambda"]["OutputParameters"] == [
        {"Name": "said", "Value": "a double"}
    ]


def test_a_function_has_its_time(world: World, lambdas: Any) -> None:
    text = "import time\ndef double(event, context):\n    time.sleep(600)\n"
    create_function(lambdas, {"functions.py": text}, Timeout=1)
    _, steps = world.run(function("f", 1))
    assert steps["f"]["FailureReason"] == "ClientError: Task timed out after 1 seconds"


@pytest.mark.parametrize(
    ("files", "changes", "said"),
    [
        ({"other.py": ""}, {}, "Unable to import module 'functions': double has no functions.py"),
        ({"functions.py": ""}, {"Runtime": "nodejs22.x"}, "only Python in a zip file"),
    ],
)
def test_a_function_that_cannot_be_run_says_why(
    world: World, lambdas: Any, files: dict[str, str], changes: dict[str, Any], said: str
) -> None:
    create_function(lambdas, files, **changes)
    _, steps = world.run(function("f", 1))
    assert said in steps["f"]["FailureReason"]


class Callback:
    """A callback step's queue, and a pipeline that waits for it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.queue = world.local.client("sqs").create_queue(QueueName="waiting")["QueueUrl"]
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
