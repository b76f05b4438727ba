"""Jobs whose machines are taken away, fail, or are not to be had."""

import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock import LocalSageMaker
from sagedock.api import states
from sagedock.errors import InvalidRequest
from sagedock.local import control
from sagedock.local.faults import Interruptions, LostHost, NoCapacity
from sagedock.testing import Container, FakeEngine
from tests.conftest import BUCKET, IMAGE, REGION, Local, succeed

SPOT: dict[str, Any] = {
    "EnableManagedSpotTraining": True,
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200},
}


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Local]:
    """A local SageMaker that waits a second between SIGTERM and SIGKILL."""
    engine = FakeEngine(succeed, images=[IMAGE])
    server = LocalSageMaker(
        home=tmp_path / "home",
        engine=engine,
        check_answers=True,
        shutdown_grace_s=0.2,
        stop_grace_s=1.0,
        checkpoint_sync_s=0.02,
        max_containers=4,
    )
    with server:
        made = Local(server=server, engine=engine)
        made.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        yield made


def ask(local: Local, method: str, what: str, said: Any = None) -> Any:
    return control(local.server.settings.home, method, what, said)


def first_waits(container: Container) -> int:
    """Run until the machine is taken away; the second time, end."""
    container.files["/opt/ml/model/attempt"] = b"x"
    if "/opt/ml/checkpoints/step" in container.files:
        return 0
    container.files["/opt/ml/checkpoints/step"] = b"1"
    container.print("trains")
    container.terminated.wait(20)
    container.print("saves")
    return 143


def checkpointed() -> dict[str, Any]:
    return {"CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/ckpt"}}


def start(local: Local, program: Any, **changes: Any) -> str:
    local.engine.program = program
    request = local.job(**changes)
    local.client("sagemaker").create_training_job(**request)
    return str(request["TrainingJobName"])


def training(local: Local, name: str = "probe-1") -> Any:
    return local.until(name, lambda job: job["SecondaryStatus"] == "Training")


def course(job: Any) -> list[str]:
    return [each["Status"] for each in job["SecondaryStatusTransitions"]]


def told(story: str) -> list[tuple[str, str]]:
    return [(step.status, step.kept) for step in states.STORIES[story].steps]


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
    def takes_three_seconds(container: Container) -> int:
        container.terminated.wait(3.2)
        return 0

    job = local.run(takes_three_seconds, **SPOT)
    assert job["TrainingTimeInSeconds"] >= 3
    assert job["BillableTimeInSeconds"] < job["TrainingTimeInSeconds"]


def test_an_interruption_that_is_asked_for_early_comes_when_the_job_trains(local: Local) -> None:
    gate, create = threading.Event(), local.engine.create

    def create_late(spec: Any) -> str:
        assert gate.wait(20)
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
        urllib.request.urlopen(form, timeout=10)
    assert ask(local, "GET", "faults") == []


def test_a_stop_during_an_interruption_stops_the_job(local: Local) -> None:
    def saves_slowly(container: Container) -> int:
        container.terminated.wait(20)
        time.sleep(0.5)
        return 0

    name = start(local, saves_slowly, **SPOT)
    training(local)
    ask(local, "POST", "interrupt", {"job": name})
    local.until(name, lambda job: job["SecondaryStatus"] == "Interrupted")
    local.client("sagemaker").stop_training_job(TrainingJobName=name)
    job = local.ended(name)
    assert job["TrainingJobStatus"] == "Stopped"
    assert course(job)[-3:] == ["Interrupted", "Stopping", "Stopped"]


def test_random_interruptions_end_with_the_wait(local: Local) -> None:
    local.server.faults.add(Interruptions(every_s=0.01, seed=1))
    limits = {"MaxRuntimeInSeconds": 1, "MaxWaitTimeInSeconds": 2}
    job = local.run(
        lambda container: 1 if container.terminated.wait(20) else 0,
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


def test_capacity_that_comes_late(local: Local) -> None:
    local.server.faults.add(NoCapacity(wait_s=0.3))
    name = start(local, succeed)
    waiting = local.until(
        name, lambda job: "Insufficient" in job["SecondaryStatusTransitions"][-1]["StatusMessage"]
    )
    assert waiting["SecondaryStatus"] == "Starting"
    assert local.statuses(local.ended(name)) == told("capacity-retried")


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
    job = local.run(lambda container: int(container.terminated.wait(20)))
    assert job["FailureReason"] == (
        "InternalServerError: We encountered an internal error.  Please try again."
    )
    assert course(job)[-2:] == ["Training", "Failed"]


def test_a_lost_machine_gets_no_notice_and_the_others_are_stopped(local: Local) -> None:
    seen: dict[str, bool] = {}

    def program(container: Container) -> int:
        told = container.terminated.wait(1.5)
        seen[container.spec.aliases[0]] = told
        return 0

    local.server.faults.add(LostHost(host="algo-2", after_s=0.2))
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 3, "VolumeSizeInGB": 1}
    job = local.run(program, ResourceConfig=resources)
    assert job["TrainingJobStatus"] == "Failed"
    deadline = time.monotonic() + 5
    while len(seen) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert seen == {"algo-1": True, "algo-2": False, "algo-3": True}


def test_a_retry_strategy_tries_again(local: Local) -> None:
    tries: list[int] = []

    def program(container: Container) -> int:
        tries.append(1)
        return int(container.terminated.wait(20)) if len(tries) == 1 else 0

    local.server.faults.add(LostHost())
    job = local.run(program, RetryStrategy={"MaximumRetryAttempts": 1})
    assert local.statuses(job) == told("retried")
    assert job["RetryStrategy"] == {"MaximumRetryAttempts": 1}
    assert len(tries) == 2


def test_retries_are_as_many_as_asked_for_and_not_for_scripts_that_fail(local: Local) -> None:
    local.server.faults.add(LostHost(times=5))
    job = local.run(
        lambda container: int(container.terminated.wait(20)),
        RetryStrategy={"MaximumRetryAttempts": 2},
    )
    assert course(job).count("Restarting") == 2
    assert job["TrainingJobStatus"] == "Failed"
    local.server.faults.remove()
    job = local.run(
        lambda _: 3, TrainingJobName="probe-2", RetryStrategy={"MaximumRetryAttempts": 2}
    )
    assert "Restarting" not in course(job)


def test_the_runtime_is_for_all_attempts_in_total(local: Local) -> None:
    def until_stopped(container: Container) -> int:
        container.terminated.wait(20)
        return 0

    limits = {"MaxRuntimeInSeconds": 2, "MaxWaitTimeInSeconds": 600}
    name = start(local, until_stopped, EnableManagedSpotTraining=True, StoppingCondition=limits)
    training(local)
    time.sleep(1.2)
    ask(local, "POST", "interrupt", {"job": name})
    job = local.ended(name)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    parts = [
        (each["EndTime"] - each["StartTime"]).total_seconds()
        for each in job["SecondaryStatusTransitions"]
        if each["Status"] == "Training"
    ]
    assert len(parts) == 2
    assert 1.8 < sum(parts) < 3.5


def test_checkpoints_are_uploaded_while_the_job_runs_and_deletes_are_mirrored(
    local: Local,
) -> None:
    s3, gate = local.client("s3"), threading.Event()
    s3.put_object(Bucket=BUCKET, Key="ckpt/old", Body=b"old")
    s3.put_object(Bucket=BUCKET, Key="ckpt-other/x", Body=b"not ours")
    found: dict[str, Any] = {}

    def keys() -> list[str]:
        page = s3.list_objects_v2(Bucket=BUCKET, Prefix="ckpt/").get("Contents", [])
        return sorted(each["Key"] for each in page)

    def program(container: Container) -> int:
        found["restored"] = sorted(
            name for name in container.files if name.startswith("/opt/ml/checkpoints/")
        )
        container.files["/opt/ml/checkpoints/deep/new"] = b"1"
        gate.wait(20)
        del container.files["/opt/ml/checkpoints/old"]
        container.files["/opt/ml/checkpoints/deep/new"] = b"22"
        container.files["/opt/ml/checkpoints/last"] = b"3"
        container.files["/opt/ml/checkpoints/part.sagemaker-ignore"] = b"4"
        return 0

    name = start(local, program, **checkpointed())
    deadline = time.monotonic() + 10
    while "ckpt/deep/new" not in keys() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert keys() == ["ckpt/deep/new", "ckpt/old"]
    gate.set()
    local.ended(name)
    assert found["restored"] == ["/opt/ml/checkpoints/old"]
    assert keys() == ["ckpt/deep/new", "ckpt/last"]
    assert s3.get_object(Bucket=BUCKET, Key="ckpt/deep/new")["Body"].read() == b"22"
    assert s3.get_object(Bucket=BUCKET, Key="ckpt-other/x")["Body"].read() == b"not ours"


def test_a_local_path_of_ones_own_and_what_the_container_is_told(local: Local) -> None:
    def program(container: Container) -> int:
        container.files["/tmp/ckpt/a"] = b"1"
        return 0

    config = {"S3Uri": f"s3://{BUCKET}/ckpt/", "LocalPath": "/tmp/ckpt/"}
    local.engine.program = program
    container: list[Container] = []
    local.engine.program = lambda each: container.append(each) or program(each)  # type: ignore[func-returns-value]
    local.client("sagemaker").create_training_job(**local.job(CheckpointConfig=config))
    job = local.ended("probe-1")
    assert job["CheckpointConfig"] == config
    told = container[0].files["/opt/ml/input/config/checkpointconfig.json"].decode()
    assert told == f'{{"S3Uri": "s3://{BUCKET}/ckpt/", "LocalPath": "/tmp/ckpt"}}'
    assert local.client("s3").get_object(Bucket=BUCKET, Key="ckpt/a")["Body"].read() == b"1"


def test_checkpoints_of_a_bucket_that_is_not_there_fail_the_download(local: Local) -> None:
    job = local.run(CheckpointConfig={"S3Uri": "s3://no-such-bucket/ckpt"})
    assert job["FailureReason"].startswith("ClientError: Data download failed:")
    assert "no-such-bucket" in job["FailureReason"]


@pytest.mark.parametrize(
    "path", ["/", "/opt/ml", "/opt/ml/model", "/opt/ml/input/data/x", "/a/../b", '/a,"b']
)
def test_a_local_path_that_hides_the_platforms_own_is_refused(local: Local, path: str) -> None:
    with pytest.raises(ClientError, match=r"CheckpointConfig\.LocalPath"):
        local.run(CheckpointConfig={"S3Uri": f"s3://{BUCKET}/ckpt", "LocalPath": path})


def test_more_jobs_than_the_machine_takes_wait_their_turn(local: Local) -> None:
    gate = threading.Event()
    running: list[int] = []
    most: list[int] = []

    def program(container: Container) -> int:
        running.append(1)
        most.append(len(running))
        gate.wait(20)
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
    assert local.ended(name, 10)["TrainingJobStatus"] == "Stopped"


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
            container.terminated.wait(20)
        return 0

    channel = local.channel(f"s3://{BUCKET}/data/", InputMode="Pipe")
    name = start(local, program, **SPOT, InputDataConfig=[channel])
    training(local)
    ask(local, "POST", "interrupt", {"job": name})
    job = local.ended(name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert attempts == [1, 2]
    assert not any(each.name.startswith("feed ") for each in threading.enumerate())
