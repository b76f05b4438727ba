"""The strict check of an answer."""

from datetime import UTC, datetime
from typing import Any

import pytest

from sagedock import api

ANSWER: dict[str, Any] = {
    "TrainingJobName": "job",
    "TrainingJobArn": "arn:aws:sagemaker:us-east-1:123456789012:training-job/job",
    "TrainingJobStatus": "InProgress",
    "SecondaryStatus": "Downloading",
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    "CreationTime": datetime(2026, 1, 1, tzinfo=UTC),
}


def problems(**changes: Any) -> tuple[str, ...]:
    return api.problems_in_answer("sagemaker", "DescribeTrainingJob", {**ANSWER, **changes})


def test_an_answer_as_aws_gives_it_has_no_problem() -> None:
    """ModelArtifacts is required by the model, and left out by AWS while the job runs."""
    assert problems() == ()
    assert problems(CreationTime=1574811611.123) == ()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"Stranger": 1}, "Stranger: not in the model"),
        ({"StoppingCondition": {"X": 1}}, "StoppingCondition.X: not in the model"),
        ({"TrainingJobName": 1}, "TrainingJobName: int where the model has string"),
        (
            {"TrainingTimeInSeconds": 1.5},
            "TrainingTimeInSeconds: float where the model has integer",
        ),
        (
            {"TrainingTimeInSeconds": True},
            "TrainingTimeInSeconds: bool where the model has integer",
        ),
        ({"EnableNetworkIsolation": 0}, "EnableNetworkIsolation: int where the model has boolean"),
        ({"CreationTime": datetime(2026, 1, 1)}, "CreationTime: a datetime without a timezone"),
        ({"CreationTime": "2026"}, "CreationTime: str where the model has timestamp"),
        ({"TrainingJobArn": None}, "TrainingJobArn: Member must not be null"),
        (
            {"TrainingJobStatus": "Running"},
            "TrainingJobStatus: Member must satisfy enum value set: "
            "[InProgress, Completed, Failed, Stopping, Stopped, Deleting]",
        ),
        (
            {"FailureReason": "x" * 1025},
            "FailureReason: Member must have length less than or equal to 1024",
        ),
        (
            {"SecondaryStatusTransitions": [{"Status": "Starting"}]},
            "SecondaryStatusTransitions[0].StartTime: Member must not be null",
        ),
    ],
)
def test_one_change_is_one_problem(changes: Any, problem: str) -> None:
    assert problems(**changes) == (problem,)


def test_an_operation_that_answers_nothing() -> None:
    assert api.problems_in_answer("sagemaker", "StopTrainingJob", {}) == ()
    assert api.problems_in_answer("sagemaker", "StopTrainingJob", {"X": 1}) == (
        "X: StopTrainingJob answers nothing",
    )


def test_a_newer_instance_type_can_be_allowed() -> None:
    newer = {"ResourceConfig": {"InstanceType": "ml.z9.large", "InstanceCount": 1}}
    assert len(problems(**newer)) == 1
    assert not api.problems_in_answer(
        "sagemaker",
        "DescribeTrainingJob",
        {**ANSWER, **newer},
        allow=frozenset({"ml.z9.large"}),
    )
