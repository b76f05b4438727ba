"""Pipeline against the local SageMaker's real API; only the containers are Python functions."""

import json
from typing import Any

import pytest

from sagedock import InvalidRequest, JobFailed, Pipeline
from sagedock.contract import paths
from sagedock.jobs.pipeline import (
    Cache,
    Compared,
    ConditionStep,
    Either,
    Execution,
    FailStep,
    JobStep,
    Join,
    JsonGet,
    LambdaStep,
    OneOf,
    Opposite,
    Parameter,
    Step,
)
from sagedock.testing import Container
from tests.conftest import ROLE
from tests.unit.client.conftest import Client

EPOCHS = Parameter("epochs", 3)


def pipeline(client: Client, *steps: Step, parameters: Any = (EPOCHS,)) -> Pipeline:
    return Pipeline(
        name="digits",
        role=ROLE,
        steps=steps,
        parameters=parameters,
        session=client.session,
        show=client.lines.append,
    )


def two_steps(client: Client) -> tuple[JobStep, JobStep]:
    first = JobStep(name="first", job=client.estimator(hyperparameters={"epochs": EPOCHS}).job())
    second = JobStep(
        name="second",
        job=client.estimator(hyperparameters={"from": first.model_data}).job(
            {"model": first.model_data}
        ),
        cache=Cache(expire_after="P1D"),
    )
    return first, second


def model(container: Container) -> int:
    container.files[f"{paths.MODEL}/model.txt"] = b"weights"
    return 0


def test_steps_have_what_others_became(client: Client) -> None:
    client.local.engine.program = model
    made = pipeline(client, *two_steps(client))
    made.upsert()
    execution = made.start(epochs=5)
    assert execution.wait()["PipelineExecutionStatus"] == "Succeeded"
    first, second = execution.steps()
    describe = client.local.client("sagemaker").describe_training_job

    def job(step: Any) -> Any:
        name = step["Metadata"]["TrainingJob"]["Arn"].rpartition("/")[2]
        return describe(TrainingJobName=name)

    assert job(first)["HyperParameters"] == {"epochs": "5"}
    where = job(first)["ModelArtifacts"]["S3ModelArtifacts"]
    (channel,) = job(second)["InputDataConfig"]
    assert channel["DataSource"]["S3DataSource"]["S3Uri"] == where
    assert "second: Succeeded" in "\n".join(client.lines)


def test_a_pipeline_is_changed_where_there_is_one(client: Client) -> None:
    first, second = two_steps(client)
    arn = pipeline(client, first).upsert()
    assert pipeline(client, first, second).upsert() == arn
    found = client.local.client("sagemaker").describe_pipeline(PipelineName="digits")
    assert [each["Name"] for each in json.loads(found["PipelineDefinition"])["Steps"]] == [
        "first",
        "second",
    ]


def test_a_failed_execution_says_which_step_failed_and_why(client: Client) -> None:
    low = Compared(0.5, "LessThan", EPOCHS)
    made = pipeline(
        client,
        ConditionStep(
            name="check",
            conditions=[low],
            then=[FailStep(name="stop", message=Join(["epochs are ", EPOCHS]))],
        ),
    )
    made.upsert()
    execution = made.start()
    with pytest.raises(JobFailed, match="stop: epochs are 3"):
        execution.wait()
    assert execution.tree().splitlines()[0].split()[:2] == ["check", "True"]
    assert "└─ stop" in execution.tree()


def test_a_tree_has_each_step_below_what_it_waits_for(client: Client) -> None:
    client.local.engine.program = model
    first, second = two_steps(client)
    made = pipeline(
        client,
        second,
        first,
        ConditionStep(
            name="never",
            conditions=[Compared(1, "Equals", 2)],
            then=[FailStep(name="inside")],
            depends_on=[second],
        ),
    )
    made.upsert()
    execution = made.start()
    execution.wait()
    lines = execution.tree().splitlines()
    names = [line.strip("└─├│ ").split()[0] for line in lines]
    assert names == ["first", "second", "never", "inside"]
    depths = [len(line) - len(line.lstrip("└─├│ ")) for line in lines]
    assert depths == sorted(set(depths))
    assert lines[-1].split() == ["└─", "inside", "-", "(then)"]


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([], "steps: are missing"),
        ([FailStep(name="a"), FailStep(name="a")], "steps: 2 are called a"),
        ([FailStep(name="a", depends_on=["b"])], "step a: depends_on: b is no step"),
        ([FailStep(name="a", message=Parameter("x"))], "step a: refers to the parameter x"),
        ([FailStep(name="a", message=JsonGet("b", "f", "p"))], "refers to b, which is no step"),
        (
            [FailStep(name="b"), FailStep(name="a", message=FailStep(name="b").property("x"))],
            "step a: refers to b, behind which nothing runs",
        ),
        (
            [
                LambdaStep(name="b", function_arn="f"),
                FailStep(name="a", message=JsonGet("b", "f", "p")),
            ],
            "step a: refers to the property file f: name it in property_files of b",
        ),
    ],
)
def test_what_cannot_run_is_refused_before_anything_is_sent(
    client: Client, steps: Any, said: str
) -> None:
    with pytest.raises(InvalidRequest, match=said):
        pipeline(client, *steps).upsert()
    assert client.local.client("sagemaker").list_pipelines()["PipelineSummaries"] == []


def test_a_parameter_that_there_is_not_is_refused(client: Client) -> None:
    made = pipeline(client, FailStep(name="a"))
    made.upsert()
    with pytest.raises(InvalidRequest, match="epoch: is no parameter of digits: there are epochs"):
        made.start(epoch=1)


def test_references_are_written_as_sagemaker_has_them(client: Client) -> None:
    """The forms are those that the SDKs write."""
    step = FailStep(name="a", message=Join([Execution.PIPELINE_NAME, 1], on="/"))
    either = Either([OneOf(EPOCHS, [1, 2]), Opposite(Compared(EPOCHS, "Equals", 3))])
    document = pipeline(
        client, ConditionStep(name="c", conditions=[either], then=[step])
    ).definition()
    epochs = {"Get": "Parameters.epochs"}
    assert document == {
        "Version": "2020-12-01",
        "Metadata": {},
        "Parameters": [{"Name": "epochs", "Type": "Integer", "DefaultValue": 3}],
        "Steps": [
            {
                "Name": "c",
                "Type": "Condition",
                "Arguments": {
                    "Conditions": [
                        {
                            "Type": "Or",
                            "Conditions": [
                                {"Type": "In", "QueryValue": epochs, "Values": [1, 2]},
                                {
                                    "Type": "Not",
                                    "Condition": {
                                        "Type": "Equals",
                                        "LeftValue": epochs,
                                        "RightValue": 3,
                                    },
                                },
                            ],
                        }
                    ],
                    "IfSteps": [
                        {
                            "Name": "a",
                            "Type": "Fail",
                            "Arguments": {
                                "ErrorMessage": {
                                    "Std:Join": {
                                        "On": "/",
                                        "Values": [{"Get": "Execution.PipelineName"}, 1],
                                    }
                                }
                            },
                        }
                    ],
                    "ElseSteps": [],
                },
            }
        ],
    }
