"""Tuning jobs from their creation to their end, with containers that are Python functions."""

import threading
from typing import Any

import pytest

from sagedock.local.faults import Refusals
from sagedock.testing import Container
from tests.conftest import Local
from tests.unit.local.tuning.tuning_world import (
    begin,
    children,
    continuous,
    describe,
    ended,
    tuned,
    until,
    values_of,
)


def squared(container: Container) -> int:
    """Print how far x is from 0.3."""
    container.print(f"loss={(float(values_of(container)['x']) - 0.3) ** 2:.6f}")
    return 0


def test_the_best_of_all_is_found(local: Local) -> None:
    job = tuned(local, squared, jobs=6, parallel=2)
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["TrainingJobStatusCounters"] == {
        "Completed": 6,
        "InProgress": 0,
        "RetryableError": 0,
        "NonRetryableError": 0,
        "Stopped": 0,
    }
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 6, "Pending": 0, "Failed": 0}
    found = children(local)
    losses = {
        each["TrainingJobName"]: each["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
        for each in found
    }
    assert job["BestTrainingJob"]["TrainingJobName"] == min(losses, key=lambda name: losses[name])
    assert job["BestTrainingJob"]["ObjectiveStatus"] == "Succeeded"
    assert "OverallBestTrainingJob" not in job
    assert job["HyperParameterTuningEndTime"] >= job["CreationTime"]
    assert job["ConsumedResources"]["RuntimeInSeconds"] >= 0
    assert job["TuningJobCompletionDetails"]["NumberOfTrainingJobsObjectiveNotImproving"] < 6


def test_the_largest_is_best_where_it_is_to_be_maximized(local: Local) -> None:
    objective = {"Type": "Maximize", "MetricName": "loss"}
    job = tuned(local, squared, jobs=4, config={"HyperParameterTuningJobObjective": objective})
    values = [
        each["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for each in children(local)
    ]
    best = job["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]
    assert best["Value"] == max(values)


def test_a_training_job_is_what_the_definition_says(local: Local) -> None:
    tags = [{"Key": "team", "Value": "a"}]
    tuned(
        local,
        squared,
        jobs=1,
        definition={
            "StaticHyperParameters": {"epochs": "3"},
            "Environment": {"COLOUR": "blue"},
            "EnableManagedSpotTraining": True,
            "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 120},
            "CheckpointConfig": {"S3Uri": "s3://probe-bucket/checkpoints/"},
            "RetryStrategy": {"MaximumRetryAttempts": 2},
        },
        Tags=tags,
    )
    (summary,) = children(local)
    sagemaker = local.client("sagemaker")
    job = sagemaker.describe_training_job(TrainingJobName=summary["TrainingJobName"])
    assert job["HyperParameters"] == {
        "_tuning_objective_metric": "loss",
        "epochs": "3",
        **summary["TunedHyperParameters"],
    }
    assert list(summary["TunedHyperParameters"]) == ["x"]
    assert job["TuningJobArn"] == describe(local)["HyperParameterTuningJobArn"]
    assert job["Environment"] == {"COLOUR": "blue"}
    assert job["EnableManagedSpotTraining"] is True
    assert job["StoppingCondition"]["MaxWaitTimeInSeconds"] == 120
    assert job["RetryStrategy"] == {"MaximumRetryAttempts": 2}
    name = summary["TrainingJobName"]
    assert job["CheckpointConfig"]["S3Uri"] == f"s3://probe-bucket/checkpoints/{name}"
    assert sagemaker.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"] == tags
    arn = describe(local)["HyperParameterTuningJobArn"]
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == tags


def test_the_first_of_several_instance_configs_is_taken(local: Local) -> None:
    configs = [
        {"InstanceType": kind, "InstanceCount": count, "VolumeSizeInGB": 5}
        for kind, count in (("ml.m5.xlarge", 1), ("ml.c5.xlarge", 2))
    ]
    tuned(
        local,
        squared,
        jobs=1,
        definition={
            "ResourceConfig": None,
            "HyperParameterTuningResourceConfig": {
                "AllocationStrategy": "Prioritized",
                "InstanceConfigs": configs,
            },
        },
    )
    (summary,) = children(local)
    job = local.client("sagemaker").describe_training_job(
        TrainingJobName=summary["TrainingJobName"]
    )
    assert job["ResourceConfig"] == configs[0]


def test_so_many_run_at_once(local: Local) -> None:
    running, most = set[str](), list[int]()
    lock, both = threading.Lock(), threading.Barrier(3)

    def program(container: Container) -> int:
        with lock:
            running.add(container.id)
            most.append(len(running))
        both.wait(60)  # three run, or this test hangs
        with lock:
            running.discard(container.id)
        return 0

    job = tuned(local, program, jobs=6, parallel=3)
    assert job["TrainingJobStatusCounters"]["Completed"] == 6
    assert max(most) == 3


def test_a_grid_is_every_combination(local: Local) -> None:
    ranges = {
        "CategoricalParameterRanges": [
            {"Name": "x", "Values": ["0.1", "0.3"]},
            {"Name": "y", "Values": ["a", "b", "c"]},
        ]
    }
    job = tuned(local, squared, jobs=None, parallel=2, ranges=ranges, config={"Strategy": "Grid"})
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    found = [tuple(each["TunedHyperParameters"].values()) for each in children(local)]
    assert sorted(found) == [(x, y) for x in ("0.1", "0.3") for y in "abc"]
    assert job["BestTrainingJob"]["TunedHyperParameters"]["x"] == "0.3"


def test_the_same_seed_tries_the_same(local: Local) -> None:
    for name in ("one", "two"):
        tuned(
            local,
            squared,
            jobs=8,
            config={"Strategy": "Bayesian", "RandomSeed": 7},
            HyperParameterTuningJobName=name,
        )
    first, second = (
        [each["TunedHyperParameters"] for each in children(local, name)] for name in ("one", "two")
    )
    assert first == second


def test_a_failed_training_job_has_no_objective_and_the_next_one_runs(local: Local) -> None:
    def program(container: Container) -> int:
        squared(container)
        return 1 if "-002-" in container.spec.environment["TRAINING_JOB_NAME"] else 0

    job = tuned(local, program, jobs=3)
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["TrainingJobStatusCounters"]["NonRetryableError"] == 1
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 2, "Pending": 0, "Failed": 1}
    failed = children(local, StatusEquals="Failed")
    assert [each["ObjectiveStatus"] for each in failed] == ["Failed"]
    assert failed[0]["FailureReason"].startswith("AlgorithmError: ")


def test_without_a_metric_there_is_no_best(local: Local) -> None:
    job = tuned(local, lambda _: 0, jobs=2)
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 0, "Pending": 0, "Failed": 2}
    assert "BestTrainingJob" not in job


def test_the_target_ends_the_job_and_what_runs(local: Local) -> None:
    def program(container: Container) -> int:
        if "-001-" in container.spec.environment["TRAINING_JOB_NAME"]:
            container.print("loss=0.01")
            return 0
        container.terminated.wait(60)
        return 0

    criteria = {"TargetObjectiveMetricValue": 0.1}
    job = tuned(
        local, program, jobs=10, parallel=2, config={"TuningJobCompletionCriteria": criteria}
    )
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["TrainingJobStatusCounters"]["Completed"] == 1
    assert job["TrainingJobStatusCounters"]["Stopped"] == 1


def test_a_stop_stops_all_that_runs(local: Local) -> None:
    def program(container: Container) -> int:
        container.print("loss=0.5")
        container.terminated.wait(60)
        return 0

    local.engine.program = program
    name = begin(local, jobs=9, parallel=3)
    until(local, lambda job: job["TrainingJobStatusCounters"]["InProgress"] == 3)
    for summary in children(local):
        local.until(summary["TrainingJobName"], lambda job: job["SecondaryStatus"] == "Training")
    local.client("sagemaker").stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    assert describe(local)["HyperParameterTuningJobStatus"] in ("Stopping", "Stopped")
    job = ended(local)
    assert job["HyperParameterTuningJobStatus"] == "Stopped"
    assert job["TrainingJobStatusCounters"]["Stopped"] == 3
    # Row 142: one that was stopped has succeeded if it told its objective.
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 3, "Pending": 0, "Failed": 0}
    with pytest.raises(local.client("sagemaker").exceptions.ClientError, match="in status Stopped"):
        local.client("sagemaker").stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)


def epochs(count: int, loss: dict[int, float]) -> Any:
    """Return a program that prints a loss for each epoch, each when the one before was read."""

    def program(container: Container) -> int:
        number = int(container.spec.environment["TRAINING_JOB_NAME"].split("-")[2])
        for _ in range(count):
            container.print(f"loss={loss.get(number, 0.5)}")
        if number in loss:
            container.terminated.wait(60)
        return 0

    return program


def test_what_has_no_prospects_is_stopped_early(local: Local) -> None:
    job = tuned(
        local,
        epochs(3, {5: 0.9}),
        jobs=5,
        config={"TrainingJobEarlyStoppingType": "Auto"},
    )
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["TrainingJobStatusCounters"]["Completed"] == 4
    assert job["TrainingJobStatusCounters"]["Stopped"] == 1
    assert job["ObjectiveStatusCounters"]["Succeeded"] == 5
    (stopped,) = children(local, StatusEquals="Stopped")
    assert "-005-" in stopped["TrainingJobName"]


def test_hyperband_stops_what_reached_the_most(local: Local) -> None:
    job = tuned(
        local,
        epochs(4, {1: 0.5, 2: 0.6}),
        jobs=2,
        parallel=2,
        config={
            "Strategy": "Hyperband",
            "StrategyConfig": {"HyperbandStrategyConfig": {"MinResource": 4, "MaxResource": 4}},
        },
    )
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["TrainingJobStatusCounters"]["Stopped"] == 2
    assert job["ObjectiveStatusCounters"]["Succeeded"] == 2


def test_several_definitions_take_turns(local: Local) -> None:
    algorithm = {
        **local.job()["AlgorithmSpecification"],
        "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
    }
    shared = {
        name: local.job()[name]
        for name in ("RoleArn", "OutputDataConfig", "ResourceConfig", "StoppingCondition")
    }
    definitions = [
        {
            **shared,
            "DefinitionName": name,
            "AlgorithmSpecification": algorithm,
            "TuningObjective": {"Type": "Minimize", "MetricName": "loss"},
            "HyperParameterRanges": {"ContinuousParameterRanges": [continuous(tuned_one)]},
            "StaticHyperParameters": {static: "0.5"},
        }
        for name, tuned_one, static in (("first", "x", "y"), ("second", "y", "x"))
    ]
    limits = {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 1}
    job = tuned(
        local,
        squared,
        TrainingJobDefinition=None,
        TrainingJobDefinitions=definitions,
        HyperParameterTuningJobConfig={"Strategy": "Random", "ResourceLimits": limits},
    )
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    found = [
        (each["TrainingJobDefinitionName"], *each["TunedHyperParameters"])
        for each in children(local)
    ]
    assert found == [("first", "x"), ("second", "y")] * 2
    assert job["BestTrainingJob"]["TrainingJobDefinitionName"] in ("first", "second")
    static = [each["StaticHyperParameters"] for each in job["TrainingJobDefinitions"]]
    assert static == [
        {"_tuning_objective_metric": "loss", "y": "0.5"},
        {"_tuning_objective_metric": "loss", "x": "0.5"},
    ]


def test_autotune_finds_the_ranges(local: Local) -> None:
    limits = {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 1}
    job = tuned(
        local,
        squared,
        config={"ResourceLimits": limits},
        ranges={"AutoParameters": [{"Name": "x", "ValueHint": "0.3"}]},
        Autotune={"Mode": "Enabled"},
    )
    assert job["Autotune"] == {"Mode": "Enabled"}
    assert job["HyperParameterTuningJobConfig"]["TrainingJobEarlyStoppingType"] == "Auto"
    for each in children(local):
        assert 0.03 <= float(each["TunedHyperParameters"]["x"]) <= 3.0


def test_a_training_job_that_is_refused_for_now_is_created_later(local: Local) -> None:
    local.engine.program = squared
    local.server.faults.add(Refusals(error="throttling", operation="CreateTrainingJob", times=2))
    job = ended(local, begin(local, jobs=2))
    assert job["TrainingJobStatusCounters"]["Completed"] == 2


def test_a_training_job_that_is_refused_for_good_fails_the_tuning_job(local: Local) -> None:
    def program(container: Container) -> int:
        local.engine.images.clear()
        return squared(container)

    job = tuned(local, program, jobs=3)
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("Cannot find the requested image: ")
    assert job["TrainingJobStatusCounters"]["Completed"] == 1
    assert job["TrainingJobStatusCounters"]["InProgress"] == 0
