"""The experiment of a pipeline, the trials of its executions, and the components of its jobs."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import IMAGE, ROLE, Local
from tests.unit.local.pipelines.pipeline_world import World, fail, get, training


@pytest.fixture
def world(local: Local) -> World:
    return World(local)


def succeeded(world: World, **request: Any) -> str:
    """Start an execution that must succeed; return its ARN."""
    arn = world.start(**request)
    found = world.ended(arn)
    assert found["PipelineExecutionStatus"] == "Succeeded", (found, world.steps(arn))
    return arn


def processing(name: str) -> dict[str, Any]:
    machines = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    arguments = {
        "AppSpecification": {"ImageUri": IMAGE},
        "ProcessingResources": {"ClusterConfig": machines},
        "RoleArn": ROLE,
    }
    return {"Name": name, "Type": "Processing", "Arguments": arguments}


def sources(world: World, **asked: Any) -> set[str]:
    """Return the ARNs of the jobs whose components are listed."""
    found = world.sagemaker.list_trial_components(**asked)["TrialComponentSummaries"]
    return {each["TrialComponentSource"]["SourceArn"] for each in found}


def jobs_of(world: World, arn: str) -> set[str]:
    found = (each["Metadata"] for each in world.steps(arn).values())
    return {job["Arn"] for metadata in found for job in metadata.values()}


BY_DEFAULT = {
    "ExperimentName": get("Execution.PipelineName"),
    "TrialName": get("Execution.PipelineExecutionId"),
}


@pytest.mark.parametrize("config", [BY_DEFAULT, {}], ids=["as the SDKs write it", "left out"])
def test_each_execution_is_a_trial_of_the_pipeline(world: World, config: Any) -> None:
    """Source: the guide's pipelines-experiments-default."""
    world.create(training("Train"), processing("Process"), experiment=config)
    first, second = succeeded(world), succeeded(world)
    ids = [arn.rpartition("/")[2] for arn in (first, second)]
    trials = world.sagemaker.list_trials(ExperimentName="p")["TrialSummaries"]
    assert {each["TrialName"] for each in trials} == set(ids)
    for arn, id_ in zip((first, second), ids, strict=True):
        assert sources(world, TrialName=id_) == jobs_of(world, arn)
        found = world.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        assert found["PipelineExperimentConfig"] == {"ExperimentName": "p", "TrialName": id_}
    assert len(sources(world, ExperimentName="p")) == 4
    expression = {"Filters": [{"Name": "Parents.TrialName", "Operator": "Equals", "Value": ids[0]}]}
    searched = world.sagemaker.search(
        Resource="ExperimentTrialComponent", SearchExpression=expression
    )
    assert len(searched["Results"]) == 2


def test_a_job_says_what_it_belongs_to(world: World) -> None:
    """Its own names give way, what it is shown as stays: the SDK v2 on ``experiment_config``."""
    step = training("Train")
    step["Arguments"]["ExperimentConfig"] = {
        "ExperimentName": "another",
        "TrialComponentDisplayName": "Shown",
    }
    world.create(step, experiment={"ExperimentName": "mine", "TrialName": "t"})
    arn = succeeded(world)
    assert world.job_of(world.steps(arn)["Train"])["ExperimentConfig"] == {
        "ExperimentName": "mine",
        "TrialName": "t",
        "TrialComponentDisplayName": "Shown",
    }
    (component,) = world.sagemaker.list_trial_components(TrialName="t")["TrialComponentSummaries"]
    assert component["DisplayName"] == "Shown"


def test_an_experiment_and_a_trial_that_are_there_are_added_to(world: World) -> None:
    """Source: the guide's pipelines-experiments."""
    world.sagemaker.create_experiment(ExperimentName="Mine")
    parameter = {"Name": "Trial", "Type": "String", "DefaultValue": "same"}
    config = {"ExperimentName": "Mine", "TrialName": get("Parameters.Trial")}
    world.create(training("Train"), experiment=config, parameters=[parameter])
    both = jobs_of(world, succeeded(world)) | jobs_of(world, succeeded(world))
    assert sources(world, TrialName="same") == both
    other = {"Name": "Trial", "Value": "other"}
    assert sources(world, TrialName="same") == both
    third = succeeded(world, PipelineParameters=[other])
    assert sources(world, TrialName="other") == jobs_of(world, third)


def test_steps_may_refer_to_the_names(world: World) -> None:
    names = ["ExperimentName", "TrialName"]
    told = [get(f"PipelineExperimentConfig.{name}") for name in names]
    message = {"Std:Join": {"On": " ", "Values": told}}
    world.create(fail("Tell", message), experiment={"ExperimentName": "e", "TrialName": "t"})
    arn = world.start()
    world.ended(arn)
    assert world.steps(arn)["Tell"]["FailureReason"] == "e t"


@pytest.mark.parametrize("members", [{}, {"PipelineExperimentConfig": None}])
def test_a_definition_without_the_member_has_no_experiment(
    world: World, members: dict[str, Any]
) -> None:
    """Source: the guide's pipelines-experiments-none."""
    text = json.dumps({"Steps": [training("Train")], **members})
    world.sagemaker.create_pipeline(
        PipelineName="p", PipelineDefinition=text, ClientRequestToken="x" * 32, RoleArn=ROLE
    )
    arn = succeeded(world)
    assert world.sagemaker.list_experiments()["ExperimentSummaries"] == []
    found = world.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    assert "PipelineExperimentConfig" not in found


@pytest.mark.parametrize(
    ("experiment", "said"),
    [
        ({"Name": "e"}, "Cannot parse object, unknown property 'Name'."),
        ([], "Expecting start of Json Object."),
        ({"TrialName": 1}, "PipelineExperimentConfig.TrialName must be text"),
        ({"TrialName": get("Parameters.no")}, "not Parameters.no."),
        ({"TrialName": get("Steps.Train.TrainingJobName")}, "not Steps.Train."),
        ({"TrialName": get("Execution.TrainingJobName")}, "not Execution.TrainingJobName."),
        ({"TrialName": get("no")}, "'no' refers to nothing"),
        ({"TrialName": {"Std:Join": {}}}, "Std:Join needs Values, a list."),
    ],
)
def test_names_that_cannot_be_are_refused(world: World, experiment: Any, said: str) -> None:
    with pytest.raises(ClientError) as caught:
        world.create(training("Train"), experiment=experiment)
    message = caught.value.response["Error"]["Message"]
    assert message.startswith("Unable to parse pipeline definition. ")
    assert said in message


def test_names_are_referred_to_only_where_there_are_any(world: World) -> None:
    step = fail("Tell", get("PipelineExperimentConfig.TrialName"))
    with pytest.raises(ClientError) as caught:
        world.create(step)
    said = "Step Tell refers to PipelineExperimentConfig.TrialName, and the definition has no "
    assert said in caught.value.response["Error"]["Message"]


def test_an_execution_whose_names_nothing_can_have_is_refused(world: World) -> None:
    parameter = {"Name": "Trial", "Type": "String", "DefaultValue": "t"}
    config = {"TrialName": get("Parameters.Trial")}
    world.create(training("Train"), experiment=config, parameters=[parameter])
    with pytest.raises(ClientError) as caught:
        world.start(PipelineParameters=[{"Name": "Trial", "Value": "a trial"}])
    message = caught.value.response["Error"]["Message"]
    assert message.startswith("PipelineExperimentConfig of the definition: ")
    assert "trialName" in message
    executions = world.sagemaker.list_pipeline_executions(PipelineName="p")
    assert executions["PipelineExecutionSummaries"] == []
    assert world.sagemaker.list_experiments()["ExperimentSummaries"] == []
