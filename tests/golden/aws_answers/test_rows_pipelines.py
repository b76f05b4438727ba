"""What pipelines answer, as rows 136 to 170 of the corpus' page on the rest have it."""

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import BUCKET, REGION, ROLE, Local
from tests.unit.local.hosting.conftest import started
from tests.unit.local.hosting.hosting_local import create_model
from tests.unit.local.pipelines.pipeline_world import (
    World,
    condition,
    fail,
    get,
    step_of,
    training,
)

_ACCOUNT = "123456789012"
_READ = "Unable to parse pipeline definition. "
_EQUAL = {"Type": "Equals", "LeftValue": 1, "RightValue": 1}


@pytest.fixture
def world(local: Local) -> World:
    return World(local)


def refusal(call: Any, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def created(world: World, definition: Any, name: str = "p") -> tuple[str, str]:
    return refusal(
        world.sagemaker.create_pipeline,
        PipelineName=name,
        PipelineDefinition=json.dumps(definition),
        RoleArn=ROLE,
        ClientRequestToken="other-token-" * 3,
    )


def test_row_136_a_name_that_is_taken(world: World) -> None:
    world.create(fail("a"))
    code, message = created(world, {"Steps": [fail("a")]})
    assert code == "ValidationException"
    assert "Pipeline names must be unique within an AWS account and region" in message


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        pytest.param({"Steps": ["a"]}, "Expecting start of Json Object.", id="137"),
        pytest.param({"Steps": get("Parameters.x")}, "Expecting start of Json Array.", id="138"),
        pytest.param(
            {"Steps": [condition("c", {"Type": "Not", "Expression": _EQUAL})]},
            "Cannot parse object, unknown property 'Expression'.",
            id="141",
        ),
    ],
)
def test_rows_137_138_141_what_cannot_be_read(world: World, definition: Any, said: str) -> None:
    assert created(world, definition) == ("ValidationException", _READ + said)


def test_row_140_an_unknown_argument(world: World) -> None:
    step = {
        "Name": "m",
        "Type": "Model",
        "Arguments": {"PrimaryContainer": {"AdditionalModelSources": []}},
    }
    code, message = created(world, {"Steps": [step]})
    assert code == "ValidationException"
    assert message.endswith("Unknown Argument member 'AdditionalModelSources'")


def test_row_142_a_step_behind_a_fail_step(world: World) -> None:
    steps = [fail("FailStep"), condition("CondStep", _EQUAL, DependsOn=["FailStep"])]
    _, message = created(world, {"Steps": steps})
    assert "CondStep can not depends on FailStep" in message


def test_row_145_an_empty_parameter(world: World) -> None:
    world.create(fail("a"), parameters=[{"Name": "x", "Type": "String", "DefaultValue": "y"}])
    code, message = refusal(world.start, PipelineParameters=[{"Name": "x", "Value": ""}])
    assert code == "ValidationException"
    assert '[string "" is too short (length: 0, required minimum: 1)]' in message


def test_row_146_a_selection_without_a_source(world: World) -> None:
    world.create(training("first"), training("second", DependsOn=["first"]))
    selection = {"SelectedSteps": [{"StepName": "second"}]}
    assert refusal(world.start, SelectiveExecutionConfig=selection) == (
        "ValidationException",
        "Invalid SourcePipelineExecutionArn: null. The selected steps [second] have dependencies "
        "on [first]",
    )


def test_row_148_a_retry_has_the_same_arn(world: World) -> None:
    world.create(fail("a"))
    arn = world.start()
    world.ended(arn)
    again = world.sagemaker.retry_pipeline_execution(
        PipelineExecutionArn=arn, ClientRequestToken="r" * 32
    )
    assert again["PipelineExecutionArn"] == arn


def test_rows_150_162_a_quota(world: World) -> None:
    quotas = {"ml.m5.large for training job usage": 0}
    object.__setattr__(world.local.server.settings, "quotas", quotas)
    world.create(training("Train"), name="MyPipeline")
    arn = world.start("MyPipeline")
    world.ended(arn)
    step = world.steps(arn)["Train"]
    head, _, tail = step["FailureReason"].partition("\n")
    assert head.startswith(
        "ClientError: Failed to invoke sagemaker:CreateTrainingJob. Error Details: The "
        "account-level service limit 'ml.m5.large for training job usage' is 0 Instances, "
    )
    prefix, _, id_ = arn.rpartition("/")
    assert tail == (
        "Retry not appropriate on execution of step with PipelineExecutionArn "
        f"arn:aws:sagemaker:{REGION}:{_ACCOUNT}:pipeline/mypipeline/execution/{id_} and StepId "
        "Train. No retry policy configured for the exception type SAGEMAKER_RESOURCE_LIMIT."
    )
    assert (step["Metadata"], step["AttemptCount"]) == ({}, 1)
    assert prefix.endswith("pipeline/MyPipeline/execution")  # row 168


def test_row_153_input_modes_that_exclude_each_other(world: World) -> None:
    local = world.local
    local.client("s3").put_object(Bucket=BUCKET, Key="data/a", Body=b"1")
    channels = [
        local.channel(f"s3://{BUCKET}/data", name, InputMode=name) for name in ("Pipe", "FastFile")
    ]
    step = training("a")
    step["Arguments"]["InputDataConfig"] = channels
    _, steps = world.run(step)
    assert steps["a"]["FailureReason"].startswith(
        "ClientError: Failed to invoke sagemaker:CreateTrainingJob. Error Details: Cannot use both "
        "'Pipe' and 'FastFile' TrainingInputMode on the same Training Job."
    )


def test_rows_156_157_158_a_job_that_failed(world: World) -> None:
    world.local.engine.program = lambda _: 1
    world.create(training("a"))
    arn = world.start()
    found = world.ended(arn)
    assert found["FailureReason"] == "Step failure: One or multiple steps failed."
    step = world.steps(arn)["a"]
    assert step["FailureReason"] == f"ClientError: {world.job_of(step)['FailureReason']}"
    (listed,) = world.sagemaker.list_pipeline_executions(PipelineName="p")[
        "PipelineExecutionSummaries"
    ]
    assert listed["PipelineExecutionFailureReason"] == found["FailureReason"]
    assert "FailureReason" not in listed


def test_row_160_a_fail_step_without_a_message(world: World) -> None:
    _, steps = world.run(fail("a"))
    assert "FailureReason" not in steps["a"]
    assert steps["a"]["Metadata"] == {"Fail": {"ErrorMessage": ""}}


def test_row_161_an_outcome_in_text(world: World) -> None:
    said = {"Std:Join": {"On": "", "Values": ["it is ", get("Steps.c.Outcome")]}}
    _, steps = world.run(condition("c", {**_EQUAL, "RightValue": 2}), fail("f", said))
    assert steps["c"]["Metadata"] == {"Condition": {"Outcome": "False"}}
    assert steps["f"]["FailureReason"] == "it is false"


def test_row_164_a_result_that_is_used_again(world: World) -> None:
    world.create(training("a", CacheConfig={"Enabled": True, "ExpireAfter": "P1D"}))
    first = world.start()
    world.ended(first)
    assert "CacheHitResult" not in world.steps(first)["a"]
    second = world.start()
    world.ended(second)
    step = world.steps(second)["a"]
    assert step["CacheHitResult"] == {"SourcePipelineExecutionArn": first}
    assert step["Metadata"] == world.steps(first)["a"]["Metadata"]


def test_row_165_names_of_jobs(world: World) -> None:
    names = []

    def program(container: Any) -> int:
        names.append(step_of(container))
        return 0

    world.local.engine.program = program
    execution, steps = world.run(training("TrainIt"))
    id_ = execution["PipelineExecutionArn"].rpartition("/")[2]
    head, _, tail = world.job_of(steps["TrainIt"])["TrainingJobName"].rpartition("-")
    assert (head, len(tail), len(id_)) == (f"pipelines-{id_}-TrainIt", 10, 12)


def test_row_170_names_of_endpoints_and_of_their_configurations(tmp_path: Path) -> None:
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": "model-1",
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.large",
    }
    asked = {"EndpointConfigName": "asked-config", "ProductionVariants": [variant]}
    named = {"EndpointName": "asked", "EndpointConfigName": get("Steps.C.EndpointConfigName")}
    with started(tmp_path / "home") as local:
        create_model(local)
        execution, steps = World(local).run(
            {"Name": "C", "Type": "EndpointConfig", "Arguments": asked},
            {"Name": "E", "Type": "Endpoint", "Arguments": named},
        )
        found = local.client("sagemaker").describe_endpoint(EndpointName="asked")
    id_ = execution["PipelineExecutionArn"].rpartition("/")[2]
    assert found["EndpointConfigName"].startswith(f"asked-config-{id_}-")
    assert steps["E"]["Metadata"] == {"Endpoint": {"Arn": found["EndpointArn"]}}


def test_a_step_record_has_what_pastes_have(world: World) -> None:
    """Source: the page's "Step records"."""
    _, steps = world.run(training("a"))
    assert set(steps["a"]) == {
        *("StepName", "StartTime", "EndTime", "StepStatus", "Metadata", "AttemptCount"),
    }
    assert list(steps["a"]["Metadata"]) == ["TrainingJob"]
