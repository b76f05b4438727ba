"""Spot jobs whose machines are taken away."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sagedock.errors import InvalidRequest
from sagedock.local.faults import Interruptions, NoCapacity
from sagedock.testing import Container
from tests.conftest import BUCKET, Local
from tests.unit.local.spot_jobs import (
    SPOT,
    age,
    ask,
    checkpointed,
    course,
    hasty,
    start,
    told,
    training,
)


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Local]:
    with hasty(tmp_path) as made:
        yield made


def first_waits(container: Container) -> int:
    """Run until the machine is taken away; the second time, end."""
    container.files["/opt/ml/model/attempt"] = b"x"
    if "/opt/ml/checkpoints/step" in container.files:
        return 0
    container.files["/opt/ml/checkpoints/step"] = b"1"
    container.print("trains")
    container.terminated.wait(60)
    container.print("saves")
    return 143


def test_an_interrupted_spot_job_starts_again_with_its_checkpoints(local: Local) -> None:
    name = start(local, first_waits, **SPOT, **checkpointed())
    training(local)
    ask(local, "POST", "interrupt", {"job": name})
    job = local.ended(name)
    assert local.statuses(job) == told("spot-interrupted")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Completed", "Completed")
    assert "FailureReason" not in job


def test_each_attempt_has_a_stream_of_its_own_from_its_first_byte(local: Local) -> None:
    name = start(local, first_waits, **SPOT, **checkpointed())
    training(local)
    time.sleep(1.0 - time.time() % 1)  # streams are told apart by the second
    ask(local, "POST", "interrupt", {"job": name})
    local.ended(name)
    logs = local.client("logs")
    group = "/aws/sagemaker/TrainingJobs"
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")
    lines = [
        event["message"]
        for stream in streams["logStreams"]
        for event in logs.get_log_events(
            logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True
        )["events"]
    ]
    assert lines == ["trains", "saves"]


def test_a_spot_job_pays_less_than_it_trains(local: Local) -> None:
    gate = threading.Event()
    name = start(local, lambda _: 0 if gate.wait(60) else 1, **SPOT)
    training(local)
    age(local, 100)
    gate.set()
    job = local.ended(name)
    assert job["TrainingTimeInSeconds"] >= 100
    assert job["BillableTimeInSeconds"] < job["TrainingTimeInSeconds"]


def test_an_interruption_that_is_asked_for_early_comes_when_the_job_trains(local: Local) -> None:
    gate, create = threading.Event(), local.engine.create

    def create_late(spec: Any) -> str:
        assert gate.wait(60)
        return create(spec)

    local.engine.create = create_late  # type: ignore[method-assign]
    name = start(local, first_waits, **SPOT, **checkpointed())
    ask(local, "POST", "interrupt", {"job": name, "after_s": 0.01})
    time.sleep(0.1)
    gate.set()
    assert course(local.ended(name)).count("Interrupted") == 1


def test_only_spot_jobs_that_run_are_interrupted(local: Local) -> None:
    with pytest.raises(InvalidRequest, match="nobody does not exist in us-west-2"):
        ask(local, "POST", "interrupt", {"job": "nobody"})
    name = start(local, first_waits)
    training(local)
    with pytest.raises(InvalidRequest, match="is no spot job"):
        ask(local, "POST", "interrupt", {"job": name})
    local.client("sagemaker").stop_training_job(TrainingJobName=name)
    local.ended(name)
    with pytest.raises(InvalidRequest, match="is Stopped"):
        ask(local, "POST", "interrupt", {"job": name})


def test_a_stop_during_an_interruption_stops_the_job(tmp_path: Path) -> None:
    saved = threading.Event()

    def saves_slowly(container: Container) -> int:
        container.terminated.wait(60)
        saved.wait(60)
        return 0

    with hasty(tmp_path) as local:
        name = start(local, saves_slowly, **SPOT)
        training(local)
        ask(local, "POST", "interrupt", {"job": name})
        local.until(name, lambda job: job["SecondaryStatus"] == "Interrupted")
        assert ask(local, "POST", "interrupt", {"job": name})["already"] is True
        local.client("sagemaker").stop_training_job(TrainingJobName=name)
        local.until(name, lambda job: job["SecondaryStatus"] == "Stopping")
        saved.set()
        job = local.ended(name)
    assert job["TrainingJobStatus"] == "Stopped"
    assert course(job)[-3:] == ["Interrupted", "Stopping", "Stopped"]


def test_random_interruptions_end_with_the_wait(local: Local) -> None:
    local.server.faults.add(Interruptions(every_s=0.01, seed=1))
    limits = {"MaxRuntimeInSeconds": 3, "MaxWaitTimeInSeconds": 3}
    job = local.run(
        lambda container: 1 if container.terminated.wait(60) else 0,
        EnableManagedSpotTraining=True,
        StoppingCondition=limits,
    )
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxWaitTimeExceeded")
    assert course(job).count("Interrupted") > 1
    assert course(job)[-2:] == ["Stopping", "MaxWaitTimeExceeded"]


def test_random_interruptions_spare_jobs_on_demand(local: Local) -> None:
    local.server.faults.add(Interruptions(every_s=0.001, seed=1))
    job = local.run(lambda container: int(container.terminated.wait(0.3)))
    assert "Interrupted" not in course(job)


def test_a_spot_job_that_never_got_machines(local: Local) -> None:
    local.server.faults.add(NoCapacity(wait_s=60))
    limits = {"MaxRuntimeInSeconds": 1, "MaxWaitTimeInSeconds": 1}
    job = local.run(EnableManagedSpotTraining=True, StoppingCondition=limits)
    assert course(job) == ["Starting", "Stopping", "MaxWaitTimeExceeded"]
    assert "TrainingStartTime" not in job


def test_the_runtime_is_for_all_attempts_in_total(local: Local) -> None:
    def until_stopped(container: Container) -> int:
        container.terminated.wait(60)
        return 0

    limits = {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 6000}
    name = start(local, until_stopped, EnableManagedSpotTraining=True, StoppingCondition=limits)
    training(local)
    age(local, 600)
    ask(local, "POST", "interrupt", {"job": name})
    job = local.ended(name)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    parts = [
        (each["EndTime"] - each["StartTime"]).total_seconds()
        for each in job["SecondaryStatusTransitions"]
        if each["Status"] == "Training"
    ]
    assert len(parts) == 2
    assert parts[0] >= 600 > parts[1], "the second began with nothing left"


def test_an_interrupted_jobs_pipe_begins_with_its_first_epoch_again(local: Local) -> None:
    local.client("s3").put_object(Bucket=BUCKET, Key="data/a", Body=b"one")
    attempts: list[int] = []

    def program(container: Container) -> int:
        attempts.append(len(attempts) + 1)
        for epoch in range(attempts[-1]):
            path = container.on_host(f"/opt/ml/input/data/train_{epoch}")
            while not path.exists():
                time.sleep(0.005)
            container.print(f"{attempts[-1]}: {epoch} {path.read_text()}")
        if attempts[-1] == 1:
            container.terminated.wait(60)
        return 0

    channel = local.channel(f"s3://{BUCKET}/data/", InputMode="Pipe")
    name = start(local, program, **SPOT, InputDataConfig=[channel])
    training(local)
    ask(local, "POST", "interrupt", {"job": name})
    job = local.ended(name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert attempts == [1, 2]
    assert not any(each.name.startswith("feed ") for each in threading.enumerate())
