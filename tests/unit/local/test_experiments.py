"""Experiments, trials and trial components, and those of jobs."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock.testing import Container
from tests.conftest import ACCOUNT, IMAGE, REGION, ROLE, Local
from tests.unit.local.hosting.test_hosting_models import refused

ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:experiment"


def error(call: Any, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as raised:
        call(**request)
    told = raised.value.response["Error"]
    return told["Code"], told["Message"]


@pytest.fixture
def trial(local: Local) -> Local:
    sagemaker = local.client("sagemaker")
    sagemaker.create_experiment(ExperimentName="Exp", Description="why")
    sagemaker.create_trial(TrialName="Trial-1", ExperimentName="exp")
    return local


def listed(local: Local, **asked: Any) -> list[str]:
    found = local.client("sagemaker").list_trial_components(**asked)["TrialComponentSummaries"]
    return [each["TrialComponentName"] for each in found]


def test_experiments_and_trials_are_described_renamed_and_listed(trial: Local) -> None:
    sagemaker = trial.client("sagemaker")
    found = sagemaker.describe_experiment(ExperimentName="exp")
    assert found["ExperimentArn"] == f"{ARN}/exp"
    assert (found["ExperimentName"], found["DisplayName"]) == ("Exp", "Exp")
    sagemaker.update_experiment(ExperimentName="Exp", DisplayName="Better", Description="")
    found = sagemaker.describe_experiment(ExperimentName="Exp")
    assert found["DisplayName"] == "Better"
    assert "Description" not in found
    found = sagemaker.describe_trial(TrialName="Trial-1")
    assert found["ExperimentName"] == "Exp"
    assert found["TrialArn"] == f"{ARN}-trial/trial-1"
    answer = sagemaker.update_trial(TrialName="Trial-1", DisplayName="T")
    assert answer["TrialArn"] == f"{ARN}-trial/trial-1"
    assert sagemaker.describe_trial(TrialName="trial-1")["DisplayName"] == "T"
    for number in range(3):
        sagemaker.create_trial(TrialName=f"more-{number}", ExperimentName="Exp")
    pages = sagemaker.get_paginator("list_trials").paginate(
        ExperimentName="Exp",
        SortBy="Name",
        SortOrder="Ascending",
        PaginationConfig={"PageSize": 2},
    )
    names = [[each["TrialName"] for each in page["TrialSummaries"]] for page in pages]
    assert names == [["Trial-1", "more-0"], ["more-1", "more-2"]]
    (summary,) = sagemaker.list_experiments()["ExperimentSummaries"]
    assert summary["ExperimentName"] == "Exp"


def test_components_are_associated_updated_and_deleted(trial: Local) -> None:
    sagemaker = trial.client("sagemaker")
    began = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    arn = sagemaker.create_trial_component(
        TrialComponentName="Step",
        StartTime=began,
        Status={"PrimaryStatus": "InProgress"},
        Parameters={"lr": {"NumberValue": 0.1}, "kind": {"StringValue": "a"}},
        InputArtifacts={"data": {"Value": "s3://b/in"}},
    )["TrialComponentArn"]
    assert arn == f"{ARN}-trial-component/step"
    association = {"TrialComponentName": "step", "TrialName": "trial-1"}
    for _ in range(2):
        sagemaker.associate_trial_component(**association)
    assert listed(trial, TrialName="Trial-1") == listed(trial, ExperimentName="Exp") == ["Step"]
    trials = sagemaker.list_trials(TrialComponentName="Step")["TrialSummaries"]
    assert [each["TrialName"] for each in trials] == ["Trial-1"]
    sagemaker.update_trial_component(
        TrialComponentName="Step",
        Status={"PrimaryStatus": "Completed", "Message": "done"},
        Parameters={"epochs": {"NumberValue": 3}},
        ParametersToRemove=["kind"],
    )
    found = sagemaker.describe_trial_component(TrialComponentName=arn)
    assert found["Parameters"] == {"lr": {"NumberValue": 0.1}, "epochs": {"NumberValue": 3.0}}
    assert found["Status"] == {"PrimaryStatus": "Completed", "Message": "done"}
    assert found["StartTime"] == began
    told = refused(sagemaker.delete_trial_component, TrialComponentName="Step")
    assert told.startswith(f"Trial component '{arn}' cannot be deleted")
    assert "trial components (Step)" in refused(sagemaker.delete_trial, TrialName="Trial-1")
    assert "trials (Trial-1)" in refused(sagemaker.delete_experiment, ExperimentName="Exp")
    sagemaker.disassociate_trial_component(**association)
    sagemaker.delete_trial_component(TrialComponentName="Step")
    sagemaker.delete_trial(TrialName="Trial-1")
    sagemaker.delete_experiment(ExperimentName="Exp")
    assert sagemaker.list_experiments()["ExperimentSummaries"] == []


def test_names_are_unique_whatever_their_case(trial: Local) -> None:
    sagemaker = trial.client("sagemaker")
    told = refused(sagemaker.create_experiment, ExperimentName="EXP")
    assert told == (
        "Experiment names must be unique within an AWS account and region. Experiment with name "
        "(EXP) already exists."
    )


def test_what_is_not_there(trial: Local) -> None:
    sagemaker = trial.client("sagemaker")
    not_found = ("ResourceNotFound", f"Experiment '{ARN}/no' does not exist.")
    assert error(sagemaker.describe_experiment, ExperimentName="no") == not_found
    assert error(sagemaker.create_trial, TrialName="t", ExperimentName="no") == not_found
    code, _ = error(sagemaker.describe_trial_component, TrialComponentName="no")
    assert code == "ResourceNotFound"
    told = refused(sagemaker.list_trial_components, TrialName="a", SourceArn="arn")
    assert told.startswith("Only one of these filters can be specified: TrialName, SourceArn")


def test_a_job_is_a_component_of_its_trial(trial: Local) -> None:
    sagemaker = trial.client("sagemaker")

    def program(container: Container) -> int:
        container.print("loss=0.5")
        container.print("loss=0.25")
        return 0

    job = trial.run(
        program,
        HyperParameters={"lr": "0.1"},
        ExperimentConfig={
            "ExperimentName": "Exp",
            "TrialName": "Trial-1",
            "TrialComponentDisplayName": "Train",
        },
        AlgorithmSpecification={
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
        },
    )
    assert listed(trial, TrialName="Trial-1") == ["probe-1-aws-training-job"]
    assert listed(trial, SourceArn=job["TrainingJobArn"]) == ["probe-1-aws-training-job"]
    found = sagemaker.describe_trial_component(TrialComponentName="probe-1-aws-training-job")
    assert found["DisplayName"] == "Train"
    assert found["Source"] == {
        "SourceArn": job["TrainingJobArn"],
        "SourceType": "SageMakerTrainingJob",
    }
    assert found["Status"] == {"PrimaryStatus": "Completed"}
    assert found["Parameters"]["lr"] == {"StringValue": "0.1"}
    assert found["Parameters"]["SageMaker.InstanceCount"] == {"NumberValue": 1.0}
    artifact = found["OutputArtifacts"]["SageMaker.ModelArtifact"]["Value"]
    assert artifact == job["ModelArtifacts"]["S3ModelArtifacts"]
    (loss,) = [each for each in found["Metrics"] if each["MetricName"] == "loss"]
    assert (loss["Min"], loss["Max"], loss["Last"], loss["Count"]) == (0.25, 0.5, 0.25, 2)
    (component,) = sagemaker.search(
        Resource="ExperimentTrialComponent",
        SearchExpression={
            "Filters": [
                {"Name": "Parents.ExperimentName", "Operator": "Equals", "Value": "Exp"},
                {"Name": "metrics.loss.min", "Operator": "LessThan", "Value": "0.3"},
            ]
        },
        SortBy="metrics.loss.last",
    )["Results"]
    assert component["TrialComponent"]["Parents"] == [
        {"TrialName": "Trial-1", "ExperimentName": "Exp"}
    ]
    (shown,) = sagemaker.search(Resource="ExperimentTrial")["Results"]
    (of_trial,) = shown["Trial"]["TrialComponentSummaries"]
    assert of_trial["TrialComponentName"] == "probe-1-aws-training-job"


def test_a_job_without_a_trial_gets_one(trial: Local) -> None:
    trial.run(ExperimentConfig={"ExperimentName": "Exp"})
    (made,) = [
        each["TrialName"]
        for each in trial.client("sagemaker").list_trials(ExperimentName="Exp")["TrialSummaries"]
        if each["TrialName"] != "Trial-1"
    ]
    assert listed(trial, TrialName=made) == ["probe-1-aws-training-job"]


@pytest.mark.parametrize(
    "config",
    [{"ExperimentName": "no"}, {"TrialName": "no"}, {"ExperimentName": "Exp", "TrialName": "no"}],
)
def test_a_job_of_what_is_not_there_is_refused(trial: Local, config: dict[str, str]) -> None:
    sagemaker = trial.client("sagemaker")
    code, message = error(sagemaker.create_training_job, **trial.job(ExperimentConfig=config))
    assert code == "ResourceNotFound"
    assert message.endswith("/no' does not exist.")
    assert sagemaker.list_training_jobs()["TrainingJobSummaries"] == []
    assert listed(trial) == []


def test_metrics_that_were_put_are_shown(trial: Local) -> None:
    sagemaker = trial.client("sagemaker")
    sagemaker.create_trial_component(TrialComponentName="run")
    now = datetime.now(UTC).timestamp()
    trial.client("sagemaker-metrics").batch_put_metrics(
        TrialComponentName="run",
        MetricData=[
            {"MetricName": "f1", "Timestamp": now + step, "Value": step / 2, "Step": step}
            for step in range(3)
        ],
    )
    (f1,) = sagemaker.describe_trial_component(TrialComponentName="run")["Metrics"]
    assert (f1["MetricName"], f1["Last"], f1["Count"], f1["Avg"]) == ("f1", 1.0, 3, 0.5)


def test_a_processing_job_is_a_component_of_its_trial(trial: Local) -> None:
    sagemaker = trial.client("sagemaker")
    arn = sagemaker.create_processing_job(
        ProcessingJobName="clean",
        ProcessingResources={
            "ClusterConfig": {
                "InstanceCount": 1,
                "InstanceType": "ml.m5.large",
                "VolumeSizeInGB": 10,
            }
        },
        AppSpecification={"ImageUri": IMAGE},
        RoleArn=ROLE,
        ExperimentConfig={"ExperimentName": "Exp", "TrialName": "Trial-1"},
    )["ProcessingJobArn"]
    sagemaker.get_waiter("processing_job_completed_or_stopped").wait(
        ProcessingJobName="clean", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    found = sagemaker.describe_trial_component(TrialComponentName="clean-aws-processing-job")
    assert found["Source"] == {"SourceArn": arn, "SourceType": "SageMakerProcessingJob"}
    assert found["Status"] == {"PrimaryStatus": "Completed"}
    assert found["Parameters"]["SageMaker.InstanceType"] == {"StringValue": "ml.m5.large"}
    assert found["InputArtifacts"] == {"SageMaker.ImageUri": {"Value": IMAGE}}
    assert listed(trial, TrialName="Trial-1") == ["clean-aws-processing-job"]
