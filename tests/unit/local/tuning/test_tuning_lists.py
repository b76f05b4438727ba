"""Lists of tuning jobs, and of the training jobs that one launched; and deletion."""

from typing import Any

import pytest

from sagedock.testing import Container
from tests.conftest import Local
from tests.unit.local.tuning.tuning_world import children, describe, tuned, values_of


def some(container: Container) -> int:
    """Print x as the loss, but not for the second."""
    name = container.spec.environment["TRAINING_JOB_NAME"]
    if "-002-" not in name:
        container.print(f"loss={values_of(container)['x']}")
    return 1 if "-003-" in name else 0


def test_training_jobs_are_listed_in_every_order(local: Local) -> None:
    tuned(local, some, jobs=5)
    names = [each["TrainingJobName"] for each in children(local)]
    assert names == sorted(names)
    assert [name.split("-")[2] for name in names] == ["001", "002", "003", "004", "005"]
    assert [each["TrainingJobName"] for each in children(local, SortOrder="Descending")] == names[
        ::-1
    ]
    assert [each["TrainingJobName"] for each in children(local, SortBy="CreationTime")] == names
    statuses = [each["TrainingJobStatus"] for each in children(local, SortBy="Status")]
    assert statuses == ["Completed"] * 4 + ["Failed"]
    by_value = children(local, SortBy="FinalObjectiveMetricValue")
    values = [each["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for each in by_value]
    assert values == sorted(values)
    assert names[1] not in [each["TrainingJobName"] for each in by_value]
    assert len(children(local, StatusEquals="Failed")) == 1
    assert [
        each["TrainingJobName"] for each in children(local, PaginationConfig={"PageSize": 2})
    ] == names


def test_a_page_has_ten_unless_it_is_said_otherwise(local: Local) -> None:
    tuned(local, some, jobs=12, parallel=4)
    asked = {"HyperParameterTuningJobName": "tune-1"}
    sagemaker = local.client("sagemaker")
    first = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(**asked)
    assert len(first["TrainingJobSummaries"]) == 10
    second = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
        **asked, NextToken=first["NextToken"]
    )
    assert len(second["TrainingJobSummaries"]) == 2
    assert "NextToken" not in second
    for token in ("nonsense", "MTIzNDU2Nzg5MDEy", "LTE="):
        with pytest.raises(sagemaker.exceptions.ClientError, match="Invalid pagination token"):
            sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(**asked, NextToken=token)


def test_tuning_jobs_are_listed_by_name(local: Local) -> None:
    for name in ("bb", "cc", "aa"):
        tuned(local, some, jobs=1, HyperParameterTuningJobName=name)
    sagemaker = local.client("sagemaker")

    def listed(**more: Any) -> list[str]:
        found = sagemaker.list_hyper_parameter_tuning_jobs(**more)
        return [
            each["HyperParameterTuningJobName"]
            for each in found["HyperParameterTuningJobSummaries"]
        ]

    assert listed() == ["aa", "bb", "cc"]
    assert listed(SortBy="CreationTime", SortOrder="Descending") == ["aa", "cc", "bb"]
    assert listed(NameContains="b") == ["bb"]
    assert listed(StatusEquals="Stopped") == []
    (summary,) = sagemaker.list_hyper_parameter_tuning_jobs(NameContains="aa")[
        "HyperParameterTuningJobSummaries"
    ]
    assert summary["Strategy"] == "Random"
    assert summary["ResourceLimits"] == {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1}
    assert summary["TrainingJobStatusCounters"]["Completed"] == 1
    assert "HyperParameterTuningEndTime" in summary
    assert "Strategy" not in describe(local, "aa")


def test_a_deleted_tuning_job_leaves_its_training_jobs(local: Local) -> None:
    tuned(local, some, jobs=2)
    names = [each["TrainingJobName"] for each in children(local)]
    sagemaker = local.client("sagemaker")
    sagemaker.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName="tune-1")
    with pytest.raises(sagemaker.exceptions.ResourceNotFound):
        describe(local)
    with pytest.raises(sagemaker.exceptions.ResourceNotFound):
        children(local)
    for name in names:
        assert sagemaker.describe_training_job(TrainingJobName=name)
    again = tuned(local, some, jobs=1)  # the name is free
    assert again["TrainingJobStatusCounters"]["Completed"] == 1
    assert len(children(local)) == 1
