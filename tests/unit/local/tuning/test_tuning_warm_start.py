"""Tuning jobs that learn from earlier ones."""

from typing import Any

import pytest

from sagedock.testing import Container
from tests.conftest import Local
from tests.unit.local.tuning.tuning_world import begin, continuous, ended, request, tuned, values_of


def squared(container: Container) -> int:
    container.print(f"loss={(float(values_of(container)['x']) - 0.3) ** 2:.6f}")
    return 0


def far(container: Container) -> int:
    container.print("loss=9.0")
    return 0


def warm(kind: str = "IdenticalDataAndAlgorithm", *parents: str) -> dict[str, Any]:
    names = parents or ("tune-1",)
    return {
        "WarmStartType": kind,
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": n} for n in names],
    }


def refused(local: Local, **changes: Any) -> tuple[str, str]:
    sagemaker = local.client("sagemaker")
    changes = {"HyperParameterTuningJobName": "child", "WarmStartConfig": warm(), **changes}
    with pytest.raises(sagemaker.exceptions.ClientError) as caught:
        begin(local, **changes)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_the_best_of_all_is_of_the_parent_if_it_is(local: Local) -> None:
    parent = tuned(local, squared, jobs=4)
    job = tuned(local, far, jobs=2, HyperParameterTuningJobName="child", WarmStartConfig=warm())
    assert job["WarmStartConfig"] == warm()
    overall = job["OverallBestTrainingJob"]
    assert overall["TrainingJobName"] == parent["BestTrainingJob"]["TrainingJobName"]
    assert overall["TuningJobName"] == "tune-1"
    assert job["BestTrainingJob"]["TrainingJobName"].startswith("child-")


def test_the_best_of_all_is_its_own_if_it_is(local: Local) -> None:
    tuned(local, far, jobs=2)
    job = tuned(local, squared, jobs=2, HyperParameterTuningJobName="child", WarmStartConfig=warm())
    overall = job["OverallBestTrainingJob"]
    assert overall["TuningJobName"] == "child"
    assert overall["TrainingJobName"] == job["BestTrainingJob"]["TrainingJobName"]


def test_transfer_learning_has_no_best_of_all(local: Local) -> None:
    tuned(local, squared, jobs=2)
    job = tuned(
        local,
        squared,
        jobs=1,
        HyperParameterTuningJobName="child",
        WarmStartConfig=warm("TransferLearning"),
    )
    assert "OverallBestTrainingJob" not in job


def test_the_search_knows_what_the_parent_found(local: Local) -> None:
    bayesian = {"Strategy": "Bayesian", "RandomSeed": 1}
    tuned(local, squared, jobs=12, parallel=1, config=bayesian)
    job = tuned(
        local,
        squared,
        jobs=1,
        config=bayesian,
        HyperParameterTuningJobName="child",
        WarmStartConfig=warm(),
    )
    tried = float(job["BestTrainingJob"]["TunedHyperParameters"]["x"])
    assert abs(tried - 0.3) < 0.1


def test_a_parent_that_was_deleted_since_is_remembered(local: Local) -> None:
    parent = tuned(local, squared, jobs=3)
    changes = {"HyperParameterTuningJobName": "child", "WarmStartConfig": warm()}
    local.engine.program = far
    name = begin(local, jobs=2, **changes)
    local.client("sagemaker").delete_hyper_parameter_tuning_job(
        HyperParameterTuningJobName="tune-1"
    )
    job = ended(local, name)
    best = parent["BestTrainingJob"]["TrainingJobName"]
    assert job["OverallBestTrainingJob"]["TrainingJobName"] == best


def test_a_parent_must_be_there_and_have_ended(local: Local) -> None:
    assert refused(local) == (
        "ResourceNotFound",
        "Amazon SageMaker can't find a tuning job called tune-1. Type another name.",
    )

    def waiting(container: Container) -> int:
        container.terminated.wait(60)
        return 0

    local.engine.program = waiting
    begin(local)
    code, message = refused(local)
    assert code == "ValidationException"
    assert message.startswith("The parent tuning job tune-1 is in status InProgress.")


def test_what_must_be_alike(local: Local) -> None:
    tuned(local, squared, jobs=1)
    algorithm = request(local)["TrainingJobDefinition"]["AlgorithmSpecification"]
    other = {**algorithm["MetricDefinitions"][0], "Name": "other"}
    objective = {"Type": "Minimize", "MetricName": "other"}
    _, message = refused(
        local,
        config={"HyperParameterTuningJobObjective": objective},
        definition={"AlgorithmSpecification": {**algorithm, "MetricDefinitions": [other]}},
    )
    assert message.startswith("The objective metric must be the same")
    two = {"ContinuousParameterRanges": [continuous(), continuous("y")]}
    _, message = refused(local, ranges=two)
    assert message.startswith("The total number of static and tunable hyperparameters")
    local.client("s3").put_object(Bucket="probe-bucket", Key="data/a", Body=b"a")
    data = {"InputDataConfig": [local.channel("s3://probe-bucket/data/")]}
    _, message = refused(local, definition=data)
    assert message.startswith("WarmStartType IdenticalDataAndAlgorithm needs the input data")
    transferred = tuned(
        local,
        squared,
        jobs=1,
        definition=data,
        HyperParameterTuningJobName="child",
        WarmStartConfig=warm("TransferLearning"),
    )
    assert transferred["HyperParameterTuningJobStatus"] == "Completed"


def test_what_was_tuned_may_be_static(local: Local) -> None:
    two = {"ContinuousParameterRanges": [continuous(), continuous("y")]}
    tuned(local, squared, jobs=1, ranges=two)
    job = tuned(
        local,
        squared,
        jobs=1,
        definition={"StaticHyperParameters": {"y": "0.5"}},
        HyperParameterTuningJobName="child",
        WarmStartConfig=warm(),
    )
    assert job["HyperParameterTuningJobStatus"] == "Completed"
