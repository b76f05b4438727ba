"""Definitions that are refused, and why."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import IMAGE, ROLE, Local
from tests.unit.local.pipelines.pipeline_world import World, condition, fail, get, training

READ = "Unable to parse pipeline definition. "


@pytest.fixture
def world(local: Local) -> World:
    return World(local)


def refused(world: World, text: str) -> str:
    with pytest.raises(ClientError) as caught:
        world.sagemaker.create_pipeline(
            PipelineName="p", PipelineDefinition=text, RoleArn=ROLE, ClientRequestToken="x" * 32
        )
    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert world.sagemaker.list_pipelines()["PipelineSummaries"] == []
    return str(error["Message"])


def with_steps(*steps: Any, **members: Any) -> str:
    return json.dumps({"Version": "2020-12-01", "Steps": list(steps), **members})


def unknown_argument() -> dict[str, Any]:
    step = training("a")
    step["Arguments"]["AlgorithmSpecification"]["TrainingImages"] = "x"
    return step


EQUALS = {"Type": "Equals", "LeftValue": 1, "RightValue": 1}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", f"{READ}Expecting start of Json Object."),
        ('{"Steps": {"Get": "Parameters.x"}}', f"{READ}Expecting start of Json Array."),
        (with_steps("a"), f"{READ}Expecting start of Json Object."),
        ("{", f"{READ}It is no JSON: "),
        (with_steps(), f"{READ}Steps: a pipeline needs at least one step."),
        (with_steps(fail("a"), Version="2"), f"{READ}Version must be 2020-12-01, not '2'."),
        (with_steps(fail("a"), Other=1), f"{READ}Cannot parse object, unknown property 'Other'."),
        (
            with_steps(condition("c", {**EQUALS, "Expression": 1})),
            f"{READ}Cannot parse object, unknown property 'Expression'.",
        ),
        (with_steps(condition("c", {"Type": "Like"})), f"{READ}Condition type 'Like' is none of"),
        (
            with_steps(condition("c", {"Type": "Not"})),
            f"{READ}Condition Not needs Condition, Type",
        ),
        (with_steps(unknown_argument()), "Unknown Argument member 'TrainingImages'"),
        (with_steps(fail("a"), fail("a")), f"{READ}The step name 'a' is used more than once."),
        (with_steps(fail("a b")), f"{READ}A step needs a Name of 1 to 64 letters"),
        (
            with_steps({"Name": "e", "Type": "EMR", "Arguments": {}}),
            f"{READ}Step e: steps of Type 'EMR' are not carried out here, only Training, ",
        ),
        (
            with_steps(training("a", DependsOn=["b"])),
            f"{READ}Step a depends on b, which is no step.",
        ),
        (with_steps(fail("a"), training("b", DependsOn=["a"])), "b can not depends on a"),
        (
            with_steps(training("a", DependsOn=["b"]), training("b", DependsOn=["a"])),
            f"{READ}Circular dependency: the steps a, b wait for each other in a circle.",
        ),
        (
            with_steps(fail("a", get("Parameters.x"))),
            f"{READ}Step a refers to the parameter x, which is not declared.",
        ),
        (
            with_steps(fail("a", get("Execution.Name"))),
            f"{READ}Step a refers to Execution.Name, which is none of StartDateTime",
        ),
        (with_steps(fail("a", get("Step.x"))), f"{READ}Step a: 'Step.x' refers to nothing"),
        (
            with_steps(fail("a", get("Steps.b.Outcome"))),
            f"{READ}Step a refers to b, which is no step.",
        ),
        (
            with_steps(training("b"), fail("a", get("Steps.b.PropertyFiles.f"))),
            f"{READ}Step a refers to the property file f, which b does not have.",
        ),
        (
            with_steps(
                fail("a"), Parameters=[{"Name": "n", "Type": "Integer", "DefaultValue": "1"}]
            ),
            f'{READ}Parameter n: "1" is no Integer.',
        ),
        (
            with_steps(
                fail("a"),
                Parameters=[{"Name": "n", "DefaultValue": "1", "EnumValues": ["2", "3"]}],
            ),
            f"{READ}Parameter n: DefaultValue is none of EnumValues.",
        ),
    ],
)
def test_a_definition_that_cannot_run_is_refused(world: World, text: str, said: str) -> None:
    """Sources: rows 137, 138, 140, 141, 142 of the rest of the fidelity corpus."""
    assert said in refused(world, text)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ([("other", "1")], "Parameter [other] is not declared in the pipeline"),
        ([("n", "one")], "Parameter [n] value [one] is not of type Integer"),
        ([("n", "4")], "Parameter [n] value [4] is not one of the enum values [1, 2]"),
        ([("n", "1"), ("n", "2")], "Parameter [n] is given more than once"),
        ([("n", "")], '[string "" is too short (length: 0, required minimum: 1)]'),
        ([], "Parameters [n] must have a value"),
    ],
)
def test_an_execution_needs_parameters_that_fit(
    world: World, parameters: list[tuple[str, str]], said: str
) -> None:
    """Source: row 145."""
    world.create(fail("a"), parameters=[{"Name": "n", "Type": "Integer", "EnumValues": [1, 2]}])
    with pytest.raises(ClientError) as caught:
        world.start(PipelineParameters=[{"Name": n, "Value": v} for n, v in parameters])
    assert caught.value.response["Error"]["Message"] == said
    assert (
        world.sagemaker.list_pipeline_executions(PipelineName="p")["PipelineExecutionSummaries"]
        == []
    )


def test_a_name_is_given_once(world: World) -> None:
    """Source: row 136."""
    world.create(fail("a"))
    with pytest.raises(ClientError) as caught:
        world.sagemaker.create_pipeline(
            PipelineName="p",
            PipelineDefinition=with_steps(fail("b")),
            RoleArn=ROLE,
            ClientRequestToken="other-" * 6,
        )
    message = caught.value.response["Error"]["Message"]
    assert "Pipeline names must be unique within an AWS account and region" in message
    assert "already exists" in message


def processing(**changes: Any) -> dict[str, Any]:
    """Return a processing step."""
    arguments = {
        "AppSpecification": {"ImageUri": IMAGE},
        "RoleArn": ROLE,
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 1,
            }
        },
        **changes.pop("arguments", {}),
    }
    return {"Name": "p", "Type": "Processing", "Arguments": arguments, **changes}


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (
            processing(arguments={"ProcessingJobName": "n" * 91}),
            f"Model Validation failed: string '{'n' * 91}' with length=91 cannot be greater than "
            "max=63.0 defined for ProcessingJobName.",
        ),
        ({"Name": "p", "Type": "Processing"}, "Value null at 'processingResources'"),
        (
            training("a", Arguments={**training("a")["Arguments"], "RoleArn": "me"}),
            "Value 'me' at 'roleArn' failed to satisfy constraint: Member must satisfy regular",
        ),
        (
            training("a", Arguments={**training("a")["Arguments"], "ResourceConfig": "big"}),
            "Step a: ResourceConfig: ",
        ),
        (
            training("a", hyperparameters={"x": {"Std:Nope": {}}}),
            "Unknown function 'Std:Nope': there are Std:Join and Std:JsonGet.",
        ),
        (condition("c"), "Step c: Conditions: a Condition step needs at least one."),
        (
            processing(
                PropertyFiles=[
                    {"PropertyFileName": "f", "OutputName": "absent", "FilePath": "f.json"}
                ]
            ),
            "Step p: the property file f is in the output absent, which the step does not have.",
        ),
    ],
    ids=["long", "missing", "pattern", "type", "function", "conditions", "file"],
)
def test_arguments_that_cannot_be_sent_are_told_at_once(
    world: World, step: dict[str, Any], said: str
) -> None:
    assert said in refused(world, with_steps(step)).removeprefix(READ)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100_000, "nested too deeply"),
        ('{"Version": ' + "1" * 5000 + "}", "a number is too long"),
    ],
    ids=["deep", "long"],
)
def test_what_python_cannot_read_is_told_in_other_words(world: World, text: str, said: str) -> None:
    assert said in refused(world, text)


def test_what_an_expression_becomes_is_not_guessed(world: World) -> None:
    file = {"PropertyFileName": "f", "OutputName": "x", "FilePath": "f.json"}
    outputs = get("Parameters.outputs")
    whole = {**processing(), "Name": "q", "Arguments": get("Parameters.all")}
    known = processing(arguments={"ProcessingOutputConfig": outputs}, PropertyFiles=[file])
    arn = world.create(
        known,
        whole,
        parameters=[{"Name": name, "Type": "String"} for name in ("outputs", "all")],
    )
    assert world.sagemaker.describe_pipeline(PipelineName=arn)["PipelineStatus"] == "Active"
