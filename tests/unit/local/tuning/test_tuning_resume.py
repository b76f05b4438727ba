"""A server that is killed amid a tuning job: the next one goes on, and loses nothing."""

import json
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sagedock import LocalSageMaker
from sagedock.testing import Container, FakeEngine
from tests.conftest import IMAGE, Local
from tests.unit.local.tuning.tuning_world import (
    begin,
    children,
    describe,
    ended,
    until,
    values_of,
)

BAYESIAN = {"Strategy": "Bayesian", "RandomSeed": 11}


def squared(container: Container) -> int:
    container.print(f"loss={(float(values_of(container)['x']) - 0.3) ** 2:.6f}")
    return 0


@contextmanager
def server(home: Path, engine: FakeEngine) -> Iterator[Local]:
    with LocalSageMaker(
        home=home, engine=engine, check_answers=True, shutdown_grace_s=0.2
    ) as started:
        yield Local(server=started, engine=engine)


def killed_at_the_third(local: Local, copied: Path, **changes: object) -> None:
    """Run until the third training job trains, and take down what a kill would leave there."""
    over = threading.Event()

    def program(container: Container) -> int:
        if "-003-" in container.spec.environment["TRAINING_JOB_NAME"]:
            while not (over.is_set() or container.terminated.wait(0.05)):
                pass
        return squared(container)

    local.engine.program = program
    begin(local, jobs=5, config=BAYESIAN, **changes)
    until(local, lambda job: sum(job["TrainingJobStatusCounters"].values()) == 3)
    third = children(local)[2]["TrainingJobName"]
    local.until(third, lambda job: job["SecondaryStatus"] == "Training")
    shutil.copytree(local.server.settings.home, copied)
    over.set()


def test_the_search_goes_on_as_if_nothing_had_been(local: Local, tmp_path: Path) -> None:
    copied = tmp_path / "copied"
    killed_at_the_third(local, copied)
    ended(local)
    whole = children(local)
    with server(copied, FakeEngine(squared, images=[IMAGE])) as again:
        job = ended(again)
        resumed = children(again)
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["TrainingJobStatusCounters"]["Completed"] == 5
    assert [each["TunedHyperParameters"] for each in resumed] == [
        each["TunedHyperParameters"] for each in whole
    ]
    assert [each["TrainingJobName"] for each in resumed[:3]] == [
        each["TrainingJobName"] for each in whole[:3]
    ]


def test_a_training_job_that_was_only_written_down_is_created(local: Local, tmp_path: Path) -> None:
    copied = tmp_path / "copied"
    killed_at_the_third(local, copied)
    third = children(local)[2]["TrainingJobName"]
    database = sqlite3.connect(copied / "state.sqlite")
    with database:
        (text,) = database.execute("SELECT document FROM tuning_trials WHERE number = 3").fetchone()
        document = {**json.loads(text), "is_created": False}
        database.execute(
            "UPDATE tuning_trials SET document = ? WHERE number = 3", (json.dumps(document),)
        )
        database.execute("DELETE FROM resources WHERE name = ?", (third,))
    database.close()
    with server(copied, FakeEngine(squared, images=[IMAGE])) as again:
        job = ended(again)
        assert job["TrainingJobStatusCounters"]["Completed"] == 5
        assert children(again)[2]["TrainingJobName"] == third
        found = again.client("sagemaker").describe_training_job(TrainingJobName=third)
        assert found["HyperParameters"]["x"] == document["values"]["x"]


def test_a_time_that_ran_out_while_no_server_ran_stops_all(local: Local, tmp_path: Path) -> None:
    copied = tmp_path / "copied"
    limits = {
        "MaxNumberOfTrainingJobs": 5,
        "MaxParallelTrainingJobs": 1,
        "MaxRuntimeInSeconds": 120,
    }
    over = threading.Event()

    def program(container: Container) -> int:
        while not (over.is_set() or container.terminated.wait(0.05)):
            pass
        return 0

    local.engine.program = program
    begin(local, config={**BAYESIAN, "ResourceLimits": limits})
    until(local, lambda job: job["TrainingJobStatusCounters"]["InProgress"] == 1)
    shutil.copytree(local.server.settings.home, copied)
    over.set()
    database = sqlite3.connect(copied / "state.sqlite")
    with database:
        database.execute(
            "UPDATE resources SET created = created - 130 WHERE kind = 'hyper-parameter-tuning-job'"
        )
    database.close()

    def waiting(container: Container) -> int:
        container.terminated.wait(60)
        return 0

    with server(copied, FakeEngine(waiting, images=[IMAGE])) as again:
        job = ended(again)
        assert job["HyperParameterTuningJobStatus"] == "Stopped"
        assert job["TrainingJobStatusCounters"]["Stopped"] == 1
        assert [each["TrainingJobStatus"] for each in children(again)] == ["Stopped"]


def test_a_server_that_ends_stops_the_tuning_job(tmp_path: Path) -> None:
    home = tmp_path / "home"

    def waiting(container: Container) -> int:
        container.terminated.wait(60)
        return 0

    with server(home, FakeEngine(waiting, images=[IMAGE])) as local:
        local.client("s3").create_bucket(
            Bucket="probe-bucket",
            CreateBucketConfiguration={"LocationConstraint": "us-west-2"},
        )
        begin(local, jobs=5, parallel=2)
        until(local, lambda job: job["TrainingJobStatusCounters"]["InProgress"] == 2)
    with server(home, FakeEngine(squared, images=[IMAGE])) as again:
        job = ended(again)
        assert job["HyperParameterTuningJobStatus"] == "Stopped"
        assert job["TrainingJobStatusCounters"]["Stopped"] == 2
        assert len(children(again)) == 2


def test_a_job_that_was_stopping_is_stopped(local: Local, tmp_path: Path) -> None:
    copied = tmp_path / "copied"
    killed_at_the_third(local, copied)
    database = sqlite3.connect(copied / "state.sqlite")
    with database:
        (text,) = database.execute(
            "SELECT document FROM resources WHERE kind = 'hyper-parameter-tuning-job'"
        ).fetchone()
        document = {**json.loads(text), "HyperParameterTuningJobStatus": "Stopping"}
        database.execute(
            "UPDATE resources SET status = 'Stopping', document = ? "
            "WHERE kind = 'hyper-parameter-tuning-job'",
            (json.dumps(document),),
        )
    database.close()

    def waiting(container: Container) -> int:
        container.terminated.wait(60)
        return 0

    with server(copied, FakeEngine(waiting, images=[IMAGE])) as again:
        job = ended(again)
        assert job["HyperParameterTuningJobStatus"] == "Stopped"
        assert len(children(again)) == 3
        assert describe(again)["TrainingJobStatusCounters"]["InProgress"] == 0
