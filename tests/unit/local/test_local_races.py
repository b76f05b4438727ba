"""Calls that meet: created, stopped, deleted, listed and shut down at the same moment."""

import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock import LocalSageMaker
from sagedock.local.home import DATABASE
from sagedock.local.resources import Resource
from sagedock.local.training.jobs import TrainingJobs
from sagedock.testing import Container, FakeEngine
from tests.conftest import IMAGE, REGION, Local, succeed


def until_stopped(container: Container) -> int:
    container.terminated.wait(60)
    return 0


def test_jobs_that_are_created_at_once_all_run(local: Local) -> None:
    def create(number: int) -> None:
        client.create_training_job(**local.job(TrainingJobName=f"probe-{number}"))

    client = local.client("sagemaker")
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(create, range(60)))
    for number in range(60):
        assert local.ended(f"probe-{number}")["TrainingJobStatus"] == "Completed"


def test_of_one_name_created_at_once_one_job_runs(local: Local) -> None:
    def create(_: int) -> str:
        try:
            client.create_training_job(**local.job())
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "created"

    client = local.client("sagemaker")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(create, range(8)))
    assert sorted(answers) == ["ResourceInUse"] * 7 + ["created"]
    local.ended("probe-1")


def test_a_stop_that_comes_before_the_job_has_a_thread(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stop arrives while CreateTrainingJob still works."""
    local.engine.program = until_stopped
    sagemaker = local.client("sagemaker")
    begin = TrainingJobs.start

    def stop_first(jobs: TrainingJobs, job: Resource) -> bool:
        sagemaker.stop_training_job(TrainingJobName="probe-1")
        return begin(jobs, job)

    monkeypatch.setattr(TrainingJobs, "start", stop_first)
    sagemaker.create_training_job(**local.job())
    assert local.ended("probe-1")["TrainingJobStatus"] == "Stopped"


def test_a_job_whose_tags_cannot_be_stored_is_not_there(local: Local) -> None:
    """It would be in progress for ever, or run once the server starts again."""
    with closing(sqlite3.connect(local.server.settings.home / DATABASE)) as database:
        database.execute(
            "CREATE TRIGGER full BEFORE INSERT ON tags BEGIN SELECT RAISE(FAIL, 'full'); END"
        )
    sagemaker = local.client("sagemaker")
    with pytest.raises(ClientError, match="InternalFailure"):
        sagemaker.create_training_job(**local.job(Tags=[{"Key": "a", "Value": "b"}]))
    assert sagemaker.list_training_jobs()["TrainingJobSummaries"] == []


def test_a_second_stop_sends_no_second_signal(local: Local) -> None:
    stops: list[float] = []
    stop = local.engine.stop
    local.engine.stop = lambda container, grace_s: (  # type: ignore[method-assign]
        stops.append(grace_s) or stop(container, grace_s)
    )

    saved = threading.Event()

    def saves(container: Container) -> int:
        container.terminated.wait(60)
        return 0 if saved.wait(60) else 1

    local.engine.program = saves
    sagemaker = local.client("sagemaker")
    sagemaker.create_training_job(**local.job())
    local.until("probe-1", lambda job: job["SecondaryStatus"] == "Training")
    sagemaker.stop_training_job(TrainingJobName="probe-1")
    local.until("probe-1", lambda job: job["SecondaryStatus"] == "Stopping")
    sagemaker.stop_training_job(TrainingJobName="probe-1")
    saved.set()
    assert local.ended("probe-1")["TrainingJobStatus"] == "Stopped"
    assert stops == [120.0]


def test_a_deleted_job_leaves_nothing_that_is_cleaned_up_later(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name may be used again at once, and the new job's containers must stay."""
    remove = local.engine.remove

    def slowly(container: str) -> None:
        time.sleep(0.5)
        remove(container)

    monkeypatch.setattr(local.engine, "remove", slowly)
    local.run(succeed)
    local.client("sagemaker").delete_training_job(TrainingJobName="probe-1")
    assert local.engine.all == {}
    assert list((local.server.settings.home / "jobs" / REGION).iterdir()) == []


def test_the_same_name_in_two_regions_at_once(local: Local) -> None:
    local.engine.program = until_stopped
    regions = (REGION, "eu-west-1")
    for region in regions:
        local.client("sagemaker", region).create_training_job(**local.job())
    ends = time.monotonic() + 60
    while len(local.engine.all) < len(regions):
        assert time.monotonic() < ends
        time.sleep(0.01)
    assert len({each.spec.name for each in local.engine.all.values()}) == len(regions)


def test_no_job_begins_once_the_server_ends(tmp_path: Path) -> None:
    """A request that comes while jobs are stopped is refused, and nothing of it is left."""
    engine = FakeEngine(until_stopped, images=[IMAGE])
    server = LocalSageMaker(home=tmp_path / "home", engine=engine, shutdown_grace_s=60)
    server.start()
    local = Local(server=server, engine=engine)
    sagemaker = local.client("sagemaker")
    stopping, refused = threading.Event(), threading.Event()

    def slow_to_stop(container: Container) -> int:
        container.terminated.wait(60)
        stopping.set()
        return 0 if refused.wait(60) else 1

    engine.program = slow_to_stop
    sagemaker.create_training_job(**local.job())
    local.until("probe-1", lambda job: job["SecondaryStatus"] == "Training")
    ending = threading.Thread(target=server.stop)
    ending.start()
    assert stopping.wait(60)
    engine.program = until_stopped
    with pytest.raises(ClientError) as error:
        sagemaker.create_training_job(**local.job(TrainingJobName="probe-2"))
    refused.set()
    ending.join(60)
    assert error.value.response["Error"]["Code"] == "ServiceUnavailable"
    assert engine.all == {}


def test_a_job_is_taken_up_once_however_early_it_is_created(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No request is answered before the jobs of the last server were taken up."""
    engine = FakeEngine(succeed, images=[IMAGE])
    answered: list[bool] = []
    resume = TrainingJobs.resume

    def slowly(jobs: TrainingJobs) -> None:
        answered.append(any(t.name == "local SageMaker" for t in threading.enumerate()))
        resume(jobs)

    monkeypatch.setattr(TrainingJobs, "resume", slowly)
    with LocalSageMaker(home=tmp_path / "home", engine=engine):
        assert answered == [False]


def test_a_job_that_was_stopping_when_its_server_was_killed_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its container has ended meanwhile: that it was asked to stop counts, not its exit code."""
    engine = FakeEngine(until_stopped, images=[IMAGE])
    home = tmp_path / "home"
    with LocalSageMaker(home=home, engine=engine, shutdown_grace_s=0.2) as server:
        local = Local(server=server, engine=engine)
        local.client("sagemaker").create_training_job(**local.job())
        local.until("probe-1", lambda job: job["SecondaryStatus"] == "Training")
        spec = next(iter(engine.all.values())).spec
    kept = sqlite3.connect(home / "state.sqlite")
    kept.execute(
        "UPDATE resources SET status = 'Stopping', document = "
        "json_set(document, '$.TrainingJobStatus', 'Stopping', '$.SecondaryStatus', 'Training')"
    )
    kept.commit()
    kept.close()
    engine.all[engine.create(spec)].end(143)
    start = threading.Thread.start

    def start_and_wait(thread: threading.Thread) -> None:
        start(thread)
        if thread.name.startswith("job "):
            time.sleep(0.5)

    monkeypatch.setattr(threading.Thread, "start", start_and_wait)
    with LocalSageMaker(home=home, engine=engine) as again:
        job = Local(server=again, engine=engine).ended("probe-1")
    assert job["TrainingJobStatus"] == "Stopped"


def test_a_job_whose_time_is_over_is_stopping_until_it_has_stopped(local: Local) -> None:
    """Source: API_DescribeTrainingJob, which has Stopping below the status Stopping only."""

    saved = threading.Event()

    def saves(container: Container) -> int:
        container.terminated.wait(60)
        return 0 if saved.wait(60) else 1

    local.engine.program = saves
    limit = {"MaxRuntimeInSeconds": 1}
    local.client("sagemaker").create_training_job(**local.job(StoppingCondition=limit))
    job = local.until("probe-1", lambda job: job["SecondaryStatus"] == "Stopping")
    assert job["TrainingJobStatus"] == "Stopping"
    saved.set()
    assert local.ended("probe-1")["SecondaryStatus"] == "MaxRuntimeExceeded"


def test_a_job_ends_whatever_breaks_at_its_end(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that an older server let in may have an expression that cannot be used."""

    def broken(*_: object) -> None:
        raise ValueError("no such expression")

    monkeypatch.setattr("sagedock.local.training.conclusion.final_metrics", broken)
    algorithm = {
        "TrainingImage": IMAGE,
        "TrainingInputMode": "File",
        "MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*)"}],
    }
    job = local.run(succeed, AlgorithmSpecification=algorithm)
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("InternalServerError")
    local.client("sagemaker").delete_training_job(TrainingJobName="probe-1")
    assert local.engine.all == {}


def test_a_delete_that_comes_second_spares_the_new_job_of_that_name(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    local.run(succeed)
    sagemaker = local.client("sagemaker")
    wait_until_gone = TrainingJobs.wait_until_gone

    def overtaken(jobs: TrainingJobs, key: Any) -> None:
        monkeypatch.setattr(TrainingJobs, "wait_until_gone", wait_until_gone)
        sagemaker.delete_training_job(TrainingJobName="probe-1")
        sagemaker.create_training_job(**local.job(Tags=[{"Key": "new", "Value": ""}]))

    monkeypatch.setattr(TrainingJobs, "wait_until_gone", overtaken)
    with pytest.raises(ClientError, match="Requested resource not found"):
        sagemaker.delete_training_job(TrainingJobName="probe-1")
    arn = local.ended("probe-1")["TrainingJobArn"]
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "new", "Value": ""}]
