"""Warm pools: kept, reused, expired, ended, and found again after a restart."""

import threading
import time
from pathlib import Path
from typing import Any, ClassVar

import pytest

from sagedock import LocalSageMaker
from sagedock.api import states
from sagedock.contract import paths
from sagedock.testing import Container, FakeEngine
from tests.conftest import BUCKET, IMAGE, REGION, Local, succeed

_COMPLETED = ("Completed", "Training job completed")


def resources(keep_alive_s: int | None = None, **changes: Any) -> dict[str, Any]:
    kept = {} if keep_alive_s is None else {"KeepAlivePeriodInSeconds": keep_alive_s}
    machines = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}
    return {"ResourceConfig": {**machines, **kept, **changes}}


def described(local: Local, name: str) -> Any:
    return local.client("sagemaker").describe_training_job(TrainingJobName=name)


def told(story: str) -> list[tuple[str, str]]:
    return [(step.status, step.kept) for step in states.STORIES[story].steps]


def test_a_job_that_asks_for_it_keeps_its_machines(local: Local) -> None:
    job = local.run(**resources(600))
    assert local.statuses(job)[-1] == ("Completed", "Resource retained for reuse")
    assert job["WarmPoolStatus"] == {
        "Status": "Available",
        "ResourceRetainedBillableTimeInSeconds": 0,
    }
    listed = local.client("sagemaker").list_training_jobs(WarmPoolStatusEquals="Available")
    assert [each["TrainingJobName"] for each in listed["TrainingJobSummaries"]] == ["probe-1"]


def test_a_failed_job_keeps_them_too(local: Local) -> None:
    job = local.run(lambda _: 1, **resources(600))
    assert local.statuses(job)[-1] == ("Failed", "Resource retained for reuse")
    assert job["WarmPoolStatus"]["Status"] == "Available"


def test_a_job_that_runs_uses_its_pool(local: Local) -> None:
    local.engine.program = lambda container: int(container.terminated.wait(60))
    local.client("sagemaker").create_training_job(**local.job(**resources(600)))
    job = local.until("probe-1", lambda job: "WarmPoolStatus" in job)
    assert job["WarmPoolStatus"] == {"Status": "InUse"}
    local.client("sagemaker").stop_training_job(TrainingJobName="probe-1")
    job = local.ended("probe-1")
    assert local.statuses(job)[-1] == ("Stopped", "Training job stopped")


def test_the_next_job_that_fits_reuses_it(local: Local) -> None:
    caches: list[str] = []

    def program(container: Container) -> int:
        caches.extend(each.name for each in container.spec.volumes if each.name)
        told = container.spec.environment["SAGEMAKER_MANAGED_WARMPOOL_CACHE_DIRECTORY"]
        return 0 if told == paths.WARM_POOL_CACHE.path else 1

    local.run(program, **resources(600))
    second = local.run(TrainingJobName="probe-2", **resources(600))
    assert local.statuses(second) == told("warm-pool-hit")
    assert second["WarmPoolStatus"]["Status"] == "Available"
    first = described(local, "probe-1")
    assert first["WarmPoolStatus"] == {
        "Status": "Reused",
        "ReusedByJob": "probe-2",
        "ResourceRetainedBillableTimeInSeconds": 0,
    }
    assert local.statuses(first)[-1] == (
        "Completed",
        "Resource reused by training job: probe-2",
    )
    assert len(caches) == 2
    assert caches[0] == caches[1]


def test_a_job_that_did_not_ask_reuses_it_and_ends_it(local: Local) -> None:
    local.run(**resources(600))
    second = local.run(TrainingJobName="probe-2", **resources())
    assert local.statuses(second)[0] == ("Starting", "Found matching resource for reuse")
    assert local.statuses(second)[-1] == _COMPLETED
    third = local.run(TrainingJobName="probe-3", **resources())
    assert local.statuses(third)[0] == ("Starting", "Starting the training job")


@pytest.mark.parametrize(
    "changes",
    [
        resources(InstanceType="ml.m5.xlarge"),
        resources(VolumeSizeInGB=11),
        resources(InstanceCount=2),
        {"RoleArn": "arn:aws:iam::123456789012:role/other", **resources()},
        {"EnableNetworkIsolation": True, **resources()},
        {"VpcConfig": {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}, **resources()},
        {
            "EnableManagedSpotTraining": True,
            "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60},
            **resources(),
        },
    ],
)
def test_a_job_that_does_not_fit_leaves_it(local: Local, changes: Any) -> None:
    local.run(**resources(600))
    other = local.run(TrainingJobName="probe-2", **changes)
    assert local.statuses(other)[-1] == _COMPLETED
    assert ("Starting", "Found matching resource for reuse") not in local.statuses(other)
    assert described(local, "probe-1")["WarmPoolStatus"]["Status"] == "Available"


def test_it_expires(local: Local) -> None:
    local.run(**resources(1))
    job = local.until("probe-1", lambda job: job["WarmPoolStatus"]["Status"] == "Terminated")
    assert local.statuses(job)[-1] == (
        "Completed",
        "Resource released due to keep alive period expiry",
    )
    assert job["WarmPoolStatus"]["ResourceRetainedBillableTimeInSeconds"] >= 1
    job = local.run(TrainingJobName="probe-2", **resources())
    assert local.statuses(job)[0] == ("Starting", "Starting the training job")


class Alarm(threading.Timer):
    """A timer that rings when the test says so; one of no time rings by itself."""

    set_up: ClassVar[list["Alarm"]] = []

    def start(self) -> None:
        if self.interval:
            self.set_up.append(self)
        else:
            super().start()

    def ring(self) -> None:
        """Do what is due, unless it was cancelled."""
        if not self.finished.is_set():
            self.function(*self.args, **self.kwargs)


def test_an_update_ends_it_or_lets_it_last(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Alarm, "set_up", [])
    monkeypatch.setattr(threading, "Timer", Alarm)
    local.run(**resources(60))
    sagemaker = local.client("sagemaker")

    def update(seconds: int) -> None:
        config = {"KeepAlivePeriodInSeconds": seconds}
        sagemaker.update_training_job(TrainingJobName="probe-1", ResourceConfig=config)

    update(3600)
    first, second = Alarm.set_up
    first.ring()  # the first minute is over
    assert described(local, "probe-1")["WarmPoolStatus"]["Status"] == "Available"
    assert first.interval == 60
    assert 3000 < second.interval <= 3600  # from the job's end
    update(0)
    local.until("probe-1", lambda job: job["WarmPoolStatus"]["Status"] == "Terminated")


def test_a_deleted_job_leaves_no_pool(local: Local) -> None:
    local.run(**resources(600))
    local.client("sagemaker").delete_training_job(TrainingJobName="probe-1")
    job = local.run(TrainingJobName="probe-2", **resources())
    assert local.statuses(job)[0] == ("Starting", "Starting the training job")


def test_two_jobs_at_once_do_not_share_one(local: Local) -> None:
    local.run(**resources(600))
    gate = threading.Event()
    local.engine.program = lambda _: 0 if gate.wait(60) else 1
    sagemaker = local.client("sagemaker")
    for name in ("probe-2", "probe-3"):
        sagemaker.create_training_job(**local.job(TrainingJobName=name, **resources()))
        local.until(name, lambda job: job["SecondaryStatus"] == "Training")
    gate.set()
    starts = [local.statuses(local.ended(name))[0][1] for name in ("probe-2", "probe-3")]
    assert sorted(starts) == ["Found matching resource for reuse", "Starting the training job"]


def test_a_server_that_starts_again_knows_its_pools(tmp_path: Path) -> None:
    def serve() -> tuple[LocalSageMaker, Local]:
        engine = FakeEngine(succeed, images=[IMAGE])
        server = LocalSageMaker(home=tmp_path / "home", engine=engine, check_answers=True)
        return server, Local(server=server, engine=engine)

    server, local = serve()
    with server:
        local.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        local.run(**resources(600))
        local.run(TrainingJobName="short", **resources(1, VolumeSizeInGB=99))
        ended_s = time.monotonic()
    server, local = serve()
    time.sleep(max(0.0, 2.5 - (time.monotonic() - ended_s)))
    with server:
        late = local.until("short", lambda job: job["WarmPoolStatus"]["Status"] == "Terminated")
        assert late["WarmPoolStatus"]["ResourceRetainedBillableTimeInSeconds"] == 1
        job = local.run(TrainingJobName="probe-2", **resources())
        assert local.statuses(job)[0] == ("Starting", "Found matching resource for reuse")
