"""Rows 88 to 102 and 141 to 144 of the fidelity corpus: tuning jobs."""

import re
from typing import Any

import pytest

from sagedock import LocalSageMaker
from sagedock.testing import Container, FakeEngine
from tests.conftest import IMAGE, Local
from tests.unit.local.tuning.tuning_world import (
    begin,
    children,
    continuous,
    describe,
    request,
    tuned,
    until,
)

ROW_100 = (
    "All training jobs failed. Please take a look at the training jobs failures to get more "
    "details."
)
NO_COUNTS = {
    "TrainingJobStatusCounters": {
        "Completed": 0,
        "InProgress": 0,
        "RetryableError": 0,
        "NonRetryableError": 0,
        "Stopped": 0,
    },
    "ObjectiveStatusCounters": {"Succeeded": 0, "Pending": 0, "Failed": 0},
}


def refused(local: Local, **changes: Any) -> tuple[str, str]:
    sagemaker = local.client("sagemaker")
    with pytest.raises(sagemaker.exceptions.ClientError) as caught:
        begin(local, **changes)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def waiting(container: Container) -> int:
    container.terminated.wait(60)
    return 0


def told(container: Container) -> int:
    container.print("loss=0.5")
    return 0


def test_row_88_the_name_is_used(local: Local) -> None:
    tuned(local, told, jobs=1)
    assert refused(local) == (
        "ResourceInUse",
        "A hyperparameter tuning job with the name, tune-1, already exists. Choose a different "
        "name.",
    )
    code, _ = refused(local, HyperParameterTuningJobName="TUNE-1")  # it is not case sensitive
    assert code == "ResourceInUse"


def test_row_89_the_objective_has_no_definition(local: Local) -> None:
    for definitions in (None, [{"Name": "other", "Regex": "x=(.*)"}]):
        algorithm = {**local.job()["AlgorithmSpecification"]}
        if definitions:
            algorithm["MetricDefinitions"] = definitions
        assert refused(local, definition={"AlgorithmSpecification": algorithm}) == (
            "ValidationException",
            "A metric is required for this hyperparameter tuning job objective. Provide a metric "
            "in the metric definitions.",
        )


def test_row_90_too_few_combinations(local: Local) -> None:
    ranges = {"IntegerParameterRanges": [continuous("n", "1", "3")]}
    assert refused(local, jobs=10, ranges=ranges) == (
        "ValidationException",
        "You don't have enough combinations of hyperparameter ranges. The total number of "
        "hyperparameter combinations for the provided ranges [3.0] must be equal or greater than "
        "the value of MaxNumberOfJobs, [10]. Provide additional ranges.",
    )


def test_row_92_a_warm_start_changes_what_may_not_change(local: Local) -> None:
    tuned(local, told, jobs=1)
    parents = [{"HyperParameterTuningJobName": "tune-1"}]
    assert refused(
        local,
        definition={"Environment": {"NEW": "1"}},
        HyperParameterTuningJobName="child",
        WarmStartConfig={
            "ParentHyperParameterTuningJobs": parents,
            "WarmStartType": "TransferLearning",
        },
    ) == (
        "ValidationException",
        "Only the following fields in TrainingJobDefinition are allowed to change: "
        "[algorithmSpecification, inputDataConfig, outputDataConfig, staticHyperParameters, "
        "roleArn, resourceConfig, stoppingCondition, vpcConfig, enableManagedSpotTraining, "
        "checkpointConfig].",
    )


def test_row_93_max_wait_without_spot(local: Local) -> None:
    stopping = {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 120}
    assert refused(local, definition={"StoppingCondition": stopping}) == (
        "ValidationException",
        "Invalid MaxWaitTimeInSeconds. It is only supported when EnableManagedSpotTraining is set "
        "to true",
    )


def test_row_94_a_quota_counts_the_parallel_jobs(tmp_path: Any) -> None:
    quota = "ml.m5.large for training job usage"
    engine = FakeEngine(told, images=[IMAGE])
    with LocalSageMaker(
        home=tmp_path / "home", engine=engine, check_answers=True, quotas={quota: 3}
    ) as server:
        local = Local(server=server, engine=engine)
        resources = {**local.job()["ResourceConfig"], "InstanceCount": 2}
        assert refused(local, parallel=2, definition={"ResourceConfig": resources}) == (
            "ResourceLimitExceeded",
            f"The account-level service limit '{quota}' is 3 Instances, with current utilization "
            "of 0 Instances and a request delta of 4 Instances. Please use AWS Service Quotas to "
            "request an increase for this quota. If AWS Service Quotas is not available, contact "
            "AWS support to request an increase for this quota.",
        )


@pytest.mark.parametrize(
    "operation",
    [
        "describe_hyper_parameter_tuning_job",
        "stop_hyper_parameter_tuning_job",
        "delete_hyper_parameter_tuning_job",
        "list_training_jobs_for_hyper_parameter_tuning_job",
    ],
)
def test_row_97_no_such_job(local: Local, operation: str) -> None:
    sagemaker = local.client("sagemaker")
    with pytest.raises(sagemaker.exceptions.ClientError) as caught:
        getattr(sagemaker, operation)(HyperParameterTuningJobName="absent")
    assert caught.value.response["Error"] == {
        "Code": "ResourceNotFound",
        "Message": "Amazon SageMaker can't find a tuning job called absent. Type another name.",
    }


def test_row_100_all_training_jobs_failed(local: Local) -> None:
    job = tuned(local, lambda _: 1, jobs=2)
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert job["FailureReason"] == ROW_100
    assert job["TrainingJobStatusCounters"]["NonRetryableError"] == 2


def test_no_training_job_succeeded_after_five(local: Local) -> None:
    """aws/amazon-sagemaker-examples#2436."""
    job = tuned(local, lambda _: 1, jobs=9)
    assert job["FailureReason"] == (
        "No training job succeeded after 5 attempts. Please take a look at the training job "
        "failures to get more details."
    )
    assert job["TrainingJobStatusCounters"]["NonRetryableError"] == 5


def test_hyperband_without_a_max_resource(local: Local) -> None:
    """awslabs/graphstorm#1243."""
    assert refused(local, config={"Strategy": "Hyperband"}) == (
        "ValidationException",
        "MaxResource parameter is not provided and could not be inferred from provided static "
        "hyperparameters of TrainingJobDefinition.",
    )


def test_row_141_describe_from_the_start(local: Local) -> None:
    local.engine.program = waiting
    local.client("s3").put_object(Bucket="probe-bucket", Key="data/a", Body=b"a")
    ranges = {
        "ContinuousParameterRanges": [continuous()],
        "IntegerParameterRanges": [],
        "CategoricalParameterRanges": [],
    }
    channels = [local.channel("s3://probe-bucket/data/")]
    sent = request(local, ranges=ranges, definition={"InputDataConfig": channels})
    sagemaker = local.client("sagemaker")
    sagemaker.create_hyper_parameter_tuning_job(**sent)
    job = describe(local)
    config = job["HyperParameterTuningJobConfig"]
    assert config["TrainingJobEarlyStoppingType"] == "Off"
    assert config["ParameterRanges"] == ranges
    definition = job["TrainingJobDefinition"]
    assert definition["InputDataConfig"] == channels
    assert definition["OutputDataConfig"] == sent["TrainingJobDefinition"]["OutputDataConfig"]
    assert set(job["TrainingJobStatusCounters"]) == set(NO_COUNTS["TrainingJobStatusCounters"])
    assert set(job["ObjectiveStatusCounters"]) == set(NO_COUNTS["ObjectiveStatusCounters"])


def test_row_142_pending_is_what_runs(local: Local) -> None:
    local.engine.program = waiting
    begin(local, jobs=4, parallel=2)
    job = until(local, lambda one: one["TrainingJobStatusCounters"]["InProgress"] == 2)
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 0, "Pending": 2, "Failed": 0}


def test_row_144_names_of_training_jobs_and_the_arn(local: Local) -> None:
    job = tuned(local, told, jobs=3)
    assert job["HyperParameterTuningJobArn"].endswith(":hyper-parameter-tuning-job/tune-1")
    names = [each["TrainingJobName"] for each in children(local)]
    for number, name in enumerate(names, start=1):
        assert re.fullmatch(rf"tune-1-{number:03d}-[0-9a-f]{{8}}", name)
