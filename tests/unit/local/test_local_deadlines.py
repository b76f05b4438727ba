"""When a job's time is over."""

import math
from typing import Any

import pytest

from sagedock.local.training.deadlines import pending_deadline, runtime_deadline, wait_deadline
from sagedock.local.training.lifecycle import attempt, billable_s


def transition(status: str, start: float, end: float | None = None) -> dict[str, Any]:
    return {"Status": status, "StartTime": start, **({} if end is None else {"EndTime": end})}


def document(*transitions: dict[str, Any], **limits: int) -> dict[str, Any]:
    return {
        "CreationTime": 1000.0,
        "StoppingCondition": {"MaxRuntimeInSeconds": 100, **limits},
        "ResourceConfig": {"InstanceType": "ml.g5.xlarge", "InstanceCount": 1},
        "EnableManagedSpotTraining": True,
        "SecondaryStatusTransitions": list(transitions),
    }


def test_the_runtime_counts_the_training_of_all_attempts() -> None:
    job = document(
        transition("Starting", 1000, 1010),
        transition("Training", 1010, 1050),
        transition("Interrupted", 1050, 1060),
        transition("Starting", 1060, 1090),
        transition("Training", 1090),
    )
    assert runtime_deadline(job, 1095.0) == 1090 + 100 - 40
    assert attempt(job) == 2


def test_a_job_that_does_not_train_yet_has_all_its_time() -> None:
    assert runtime_deadline(document(transition("Starting", 1000)), 1200.0) == 1300


def test_the_wait_counts_from_the_creation() -> None:
    assert wait_deadline(document(MaxWaitTimeInSeconds=500)) == 1500
    assert wait_deadline(document()) == math.inf


@pytest.mark.parametrize(
    ("instance_type", "expected"),
    [("ml.g5.xlarge", 2900), ("ml.trn1.2xlarge", 2900), ("ml.m5.large", math.inf)],
)
def test_pending_is_limited_for_accelerated_types_only(instance_type: str, expected: float) -> None:
    job = document(transition("Pending", 1100), MaxPendingTimeInSeconds=1800)
    job["ResourceConfig"]["InstanceType"] = instance_type
    assert pending_deadline(job) == expected


def test_only_pending_is_limited_by_the_pending_time() -> None:
    job = document(transition("Training", 1100), MaxPendingTimeInSeconds=1800)
    assert pending_deadline(job) == math.inf
    assert pending_deadline(document(transition("Pending", 1100))) == math.inf


def test_a_spot_job_does_not_pay_for_the_time_without_machines() -> None:
    transitions = (
        transition("Starting", 0, 100),
        transition("Downloading", 100, 110),
        transition("Training", 110, 200),
        transition("Interrupted", 200, 300),
        transition("Starting", 300, 900),
        transition("Downloading", 900, 910),
        transition("Training", 910, 1000),
        transition("Uploading", 1000, 1001),
    )
    job = {**document(*transitions), "TrainingTimeInSeconds": 901}
    assert billable_s(job) == int(201 * 0.3)
    assert billable_s({**job, "EnableManagedSpotTraining": False}) == 901


def test_a_spot_job_pays_for_a_second_at_least() -> None:
    job = {**document(transition("Training", 10, 11)), "TrainingTimeInSeconds": 1}
    assert billable_s(job) == 1
