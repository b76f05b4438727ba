"""Machines that fail or are not to be had, and a store that is slow or throttles."""

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock.errors import InvalidRequest
from sagedock.local.faults import LostHost, NoCapacity
from sagedock.testing import Container
from tests.conftest import BUCKET, Local, succeed
from tests.unit.local.spot_jobs import ask, course, hasty, start, told


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Local]:
    with hasty(tmp_path) as made:
        yield made


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({}, "job: is missing"),
        ({"job": 3}, "job: is missing"),
        ({"job": "x", "after_s": -1}, "after_s: -1 is not 0 to"),
        ({"job": "x", "after_s": "now"}, "after_s: 'now' is not 0 to"),
    ],
)
def test_an_interruption_that_makes_no_sense_is_refused(
    local: Local, said: Any, problem: str
) -> None:
    with pytest.raises(InvalidRequest, match=problem):
        ask(local, "POST", "interrupt", said)


def test_a_web_page_cannot_interrupt_jobs(local: Local) -> None:
    """A form that a page of elsewhere sends cannot say that it is JSON."""
    url = f"{local.server.endpoint_url}/_sagedock/faults"
    form = urllib.request.Request(url, data=b'{"kind": "lost-host"}', method="POST")
    with pytest.raises(urllib.error.HTTPError, match="400"):
        urllib.request.urlopen(form, timeout=60)
    assert ask(local, "GET", "faults") == []


def test_capacity_that_comes_late(local: Local) -> None:
    local.server.faults.add(NoCapacity(wait_s=0.1))
    assert local.statuses(local.run()) == told("capacity-retried")


def test_a_job_that_lacks_capacity_says_so_while_it_waits(local: Local) -> None:
    local.server.faults.add(NoCapacity(wait_s=600))
    name = start(local, succeed)
    waiting = local.until(
        name, lambda job: "Insufficient" in job["SecondaryStatusTransitions"][-1]["StatusMessage"]
    )
    assert waiting["SecondaryStatus"] == "Starting"
    local.client("sagemaker").stop_training_job(TrainingJobName=name)
    assert local.ended(name)["TrainingJobStatus"] == "Stopped"


def test_row_46_capacity_that_never_comes(local: Local) -> None:
    local.server.faults.add(NoCapacity(wait_s=0.01, fails=True))
    job = local.run()
    assert local.statuses(job) == told("capacity-failed")
    assert job["FailureReason"] == (
        "CapacityError: Unable to provision requested ML compute capacity. Please retry using a "
        "different ML instance type."
    )


def test_a_lost_machine_fails_a_job_that_is_not_retried(local: Local) -> None:
    local.server.faults.add(LostHost())
    job = local.run(lambda container: int(container.terminated.wait(60)))
    assert job["FailureReason"] == (
        "InternalServerError: We encountered an internal error.  Please try again."
    )
    assert course(job)[-2:] == ["Training", "Failed"]


def test_a_lost_machine_gets_no_notice_and_the_others_are_stopped(local: Local) -> None:
    seen: dict[str, bool] = {}

    def program(container: Container) -> int:
        while not (told := container.terminated.wait(0.05)) and not container.ended.is_set():
            pass
        seen[container.spec.aliases[0]] = told
        return 0

    local.server.faults.add(LostHost(host="algo-2", after_s=0.2))
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 3, "VolumeSizeInGB": 1}
    job = local.run(program, ResourceConfig=resources)
    assert job["TrainingJobStatus"] == "Failed"
    deadline = time.monotonic() + 60
    while len(seen) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert seen == {"algo-1": True, "algo-2": False, "algo-3": True}


def test_a_machine_that_a_job_does_not_have_is_not_lost(local: Local) -> None:
    local.server.faults.add(LostHost(host="algo-2"))
    assert local.run()["TrainingJobStatus"] == "Completed"
    assert [*local.server.faults.all().values()] == [LostHost(host="algo-2")]


def test_a_retry_strategy_tries_again(local: Local) -> None:
    tries: list[int] = []

    def program(container: Container) -> int:
        tries.append(1)
        return int(container.terminated.wait(60)) if len(tries) == 1 else 0

    local.server.faults.add(LostHost())
    job = local.run(program, RetryStrategy={"MaximumRetryAttempts": 1})
    assert local.statuses(job) == told("retried")
    assert job["RetryStrategy"] == {"MaximumRetryAttempts": 1}
    assert len(tries) == 2


def test_retries_are_as_many_as_asked_for_and_not_for_scripts_that_fail(local: Local) -> None:
    local.server.faults.add(LostHost(times=5))
    job = local.run(
        lambda container: int(container.terminated.wait(60)),
        RetryStrategy={"MaximumRetryAttempts": 2},
    )
    assert course(job).count("Restarting") == 2
    assert job["TrainingJobStatus"] == "Failed"
    local.server.faults.remove()
    job = local.run(
        lambda _: 3, TrainingJobName="probe-2", RetryStrategy={"MaximumRetryAttempts": 2}
    )
    assert "Restarting" not in course(job)


def test_more_jobs_than_the_machine_takes_wait_their_turn(local: Local) -> None:
    gate = threading.Event()
    running: list[int] = []
    most: list[int] = []

    def program(container: Container) -> int:
        running.append(1)
        most.append(len(running))
        gate.wait(60)
        running.pop()
        return 0

    local.engine.program = program
    sagemaker = local.client("sagemaker")
    for number in range(9):
        sagemaker.create_training_job(**local.job(TrainingJobName=f"probe-{number}"))
    local.until("probe-3", lambda job: job["SecondaryStatus"] == "Training")
    waiting = local.until("probe-8", lambda job: job["SecondaryStatus"] == "Pending")
    assert local.statuses(waiting)[-1] == ("Pending", "Training job waiting for capacity")
    sagemaker.stop_training_job(TrainingJobName="probe-8")
    job = local.ended("probe-8")
    assert course(job) == ["Starting", "Pending", "Stopping", "Stopped"]
    gate.set()
    for number in range(8):
        assert local.ended(f"probe-{number}")["TrainingJobStatus"] == "Completed"
    assert max(most) == 4


def test_a_type_with_devices_that_are_not_here_says_so_in_the_log(local: Local) -> None:
    resources = {"InstanceType": "ml.g5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1}
    local.run(lambda c: c.print("first line") or 0, ResourceConfig=resources)  # type: ignore[func-returns-value]
    events = local.client("logs").filter_log_events(logGroupName="/aws/sagemaker/TrainingJobs")
    lines = [event["message"] for event in events["events"]]
    assert lines == [
        "sagedock: ml.g5.xlarge has 1 GPU; this machine has none that containers can get: the job "
        "runs without",
        "first line",
    ]


def test_throttled_requests_to_s3_are_answered_slow_down(local: Local) -> None:
    ask(local, "POST", "faults", {"kind": "s3-throttle", "rate": 1, "times": 4})
    s3 = local.client("s3")  # it tries each call twice
    with pytest.raises(ClientError, match="Please reduce your request rate") as error:
        s3.list_buckets()
    answer: Any = error.value.response
    assert answer["Error"]["Code"] == "SlowDown"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 503
    with pytest.raises(ClientError, match="503"):
        s3.head_bucket(Bucket=BUCKET)
    s3.head_bucket(Bucket=BUCKET)


def test_a_slow_download_lasts_and_can_be_stopped(local: Local) -> None:
    local.client("s3").put_object(Bucket=BUCKET, Key="data/a", Body=b"x" * 1000)
    channels = [local.channel(f"s3://{BUCKET}/data")]
    ask(local, "POST", "faults", {"kind": "slow-download", "bytes_per_s": 2000, "times": 1})
    job = local.run(InputDataConfig=channels)
    spent = next(t for t in job["SecondaryStatusTransitions"] if t["Status"] == "Downloading")
    assert (spent["EndTime"] - spent["StartTime"]).total_seconds() >= 0.5
    ask(local, "POST", "faults", {"kind": "slow-download", "bytes_per_s": 1})
    name = start(local, succeed, TrainingJobName="probe-2", InputDataConfig=channels)
    local.until(name, lambda job: job["SecondaryStatus"] == "Downloading")
    local.client("sagemaker").stop_training_job(TrainingJobName=name)
    assert local.ended(name)["TrainingJobStatus"] == "Stopped"
