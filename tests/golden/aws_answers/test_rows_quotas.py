"""Rows 6, 7, 8 and 10 of the fidelity corpus: a quota that is used up, where the settings name one.

The newest wording wins: row 70 has its end, and so has a spot job's refusal of 2026.
"""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock import LocalSageMaker
from sagedock.errors import InvalidRequest
from sagedock.local.settings import Settings
from sagedock.testing import Container, FakeEngine
from tests.conftest import IMAGE, Local

QUOTAS = {
    "ml.p3.2xlarge for training job usage": 0,
    "ml.g5.2xlarge for spot training job usage": 1,
    "ml.m5.large for training job usage": 2,
}
SPOT = {
    "EnableManagedSpotTraining": True,
    "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60},
}


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Local]:
    over = threading.Event()

    def program(container: Container) -> int:
        while not (over.is_set() or container.terminated.wait(0.05)):
            pass
        return 0

    engine = FakeEngine(program, images=[IMAGE])
    with LocalSageMaker(
        home=tmp_path / "home", engine=engine, quotas=QUOTAS, shutdown_grace_s=0.2
    ) as server:
        yield Local(server=server, engine=engine)
        over.set()


def create(local: Local, name: str, instance_type: str, count: int = 1, **changes: Any) -> None:
    resources = {"InstanceType": instance_type, "InstanceCount": count, "VolumeSizeInGB": 1}
    request = local.job(TrainingJobName=name, ResourceConfig=resources, **changes)
    local.client("sagemaker").create_training_job(**request)


def refusal(local: Local, instance_type: str, count: int = 1, **changes: Any) -> str:
    with pytest.raises(ClientError) as error:
        create(local, "refused", instance_type, count, **changes)
    answer: Any = error.value.response
    assert answer["Error"]["Code"] == "ResourceLimitExceeded"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    listed = local.client("sagemaker").list_training_jobs(NameContains="refused")
    assert listed["TrainingJobSummaries"] == []
    return str(answer["Error"]["Message"])


def wording(quota: str, limit: int, used: int, asked: int) -> str:
    return (
        f"The account-level service limit '{quota}' is {limit} Instances, with current utilization "
        f"of {used} Instances and a request delta of {asked} Instances. Please use AWS Service "
        "Quotas to request an increase for this quota. If AWS Service Quotas is not available, "
        "contact AWS support to request an increase for this quota."
    )


def test_rows_6_and_7_a_quota_of_nothing(limited: Local) -> None:
    assert refusal(limited, "ml.p3.2xlarge") == wording(
        "ml.p3.2xlarge for training job usage", 0, 0, 1
    )


def test_row_8_spot_jobs_have_a_quota_of_their_own(limited: Local) -> None:
    create(limited, "spot-1", "ml.g5.2xlarge", **SPOT)
    assert refusal(limited, "ml.g5.2xlarge", **SPOT) == wording(
        "ml.g5.2xlarge for spot training job usage", 1, 1, 1
    )
    create(limited, "on-demand-1", "ml.g5.2xlarge")


def test_row_10_what_runs_is_counted_until_it_has_ended(limited: Local) -> None:
    create(limited, "first", "ml.m5.large", 2)
    assert refusal(limited, "ml.m5.large", 2) == wording(
        "ml.m5.large for training job usage", 2, 2, 2
    )
    limited.client("sagemaker").stop_training_job(TrainingJobName="first")
    limited.ended("first")
    create(limited, "second", "ml.m5.large", 2)


def test_instances_of_groups_are_counted_by_their_types(limited: Local) -> None:
    groups = [
        {"InstanceGroupName": name, "InstanceType": "ml.m5.large", "InstanceCount": 2}
        for name in ("a", "b")
    ]
    resources = {"InstanceGroups": groups, "VolumeSizeInGB": 1}
    with pytest.raises(ClientError, match="a request delta of 4 Instances"):
        limited.client("sagemaker").create_training_job(**limited.job(ResourceConfig=resources))


@pytest.mark.parametrize("count", [101, 2**31 - 1])
def test_more_instances_than_any_machine_runs_are_refused_at_once(local: Local, count: int) -> None:
    """The local SageMaker's own refusal, not AWS's."""
    with pytest.raises(ClientError, match=f"cannot carry out: ResourceConfig with {count} inst"):
        create(local, "many", "ml.m5.large", count)
    assert local.client("sagemaker").list_training_jobs()["TrainingJobSummaries"] == []


def test_quotas_come_from_the_environment() -> None:
    text = "ml.p3.2xlarge for training job usage=0, ml.m5.large for spot training job usage = 3"
    assert Settings.from_environment({"SAGEDOCK_QUOTAS": text}).quotas == {
        "ml.p3.2xlarge for training job usage": 0,
        "ml.m5.large for spot training job usage": 3,
    }


@pytest.mark.parametrize(
    "text", ["ml.m5.large for training job usage", "=3", "ml.m5.large=3", "a for b=x"]
)
def test_a_quota_that_is_none_is_named(text: str) -> None:
    with pytest.raises(InvalidRequest, match="for training job usage"):
        Settings.from_environment({"SAGEDOCK_QUOTAS": text})
