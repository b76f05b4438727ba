"""The local SageMaker as a process: detached, found, killed in the middle of a job, ended."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sagedock.engine import Engine
from sagedock.local import control, down, running, up
from sagedock.local.platform import HOME_LABEL, home_id
from tests.conftest import BUCKET, REGION
from tests.docker.conftest import HOLD, RealLocal, let_go

CLI = [sys.executable, "-m", "sagedock.cli"]


class Reached:
    """Stands for a server in another process."""

    def __init__(self, url: str) -> None:
        self.endpoint_url = url


@pytest.fixture
def home(tmp_path: Path, engine: Engine) -> Iterator[Path]:
    """A home of its own; at the end its server is ended, and nothing of it may be left."""
    path = tmp_path / "home"
    yield path
    down(path)
    labels = {HOME_LABEL: home_id(path)}
    assert [each.name for each in engine.containers(labels)] == []
    assert list(engine.networks(labels)) == []


def reach(home: Path, engine: Engine, *, bucket: bool = True) -> RealLocal:
    found = running(home) or up(home, [])
    local = RealLocal(server=Reached(found.url), engine=engine)  # type: ignore[arg-type]
    if bucket:
        local.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
    return local


def kill(home: Path) -> None:
    found = running(home)
    assert found is not None
    os.kill(found.pid, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while running(home) and time.monotonic() < deadline:
        time.sleep(0.01)


def sagedock(*words: str, home: Path, **more: Any) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*CLI, *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "SAGEDOCK_HOME": str(home)},
        **more,
    )


@pytest.mark.slow
def test_a_server_killed_at_any_instant_loses_nothing(home: Path, engine: Engine) -> None:
    local = reach(home, engine)
    name = local.start(
        local.script(
            "for i in $(seq 1 120); do echo line $i; echo warning $i >&2; sleep 0.05; done; "
            "echo weights > /opt/ml/model/w"
        )
    )
    instants = random.Random(7)
    for _ in range(4):
        time.sleep(instants.uniform(0.05, 1.2))
        kill(home)
        local = reach(home, engine, bucket=False)
    job = local.ended(name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    log = local.log(name)
    assert [each for each in log if each.startswith("line")] == [
        f"line {number}" for number in range(1, 121)
    ]
    assert [each for each in log if each.startswith("warning")] == [
        f"warning {number}" for number in range(1, 121)
    ]
    assert job["ModelArtifacts"]["S3ModelArtifacts"].endswith("/probe-1/output/model.tar.gz")
    statuses = [status for status, _ in local.statuses(job)]
    assert statuses == ["Starting", "Pending", "Downloading", "Training", "Uploading", "Completed"]


def test_a_pipe_goes_on_with_the_next_epoch_after_its_server_was_killed(
    home: Path, engine: Engine
) -> None:
    local = reach(home, engine)
    local.put("data/a", bytes(20_000_000))
    name = local.start(
        local.script(
            "cd /opt/ml/input/data; wait_for() { until [ -p $1 ]; do sleep 0.02; done; }; "
            f"(head -c 1000000; echo begun >&2; {HOLD}; cat) < train_0 | wc -c; "
            "for epoch in 1 2; do wait_for train_$epoch; cat train_$epoch | wc -c; done",
            InputDataConfig=[local.channel(f"s3://{BUCKET}/data/", InputMode="Pipe")],
        )
    )
    local.until(name, lambda _: has_log(local, name))
    kill(home)
    let_go(engine, home)
    local = reach(home, engine, bucket=False)
    job = local.ended(name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    first, *others = (int(line) for line in local.log(name) if line != "begun")
    assert 1_000_000 <= first < 20_000_000
    assert others == [20_000_000, 20_000_000]


def has_log(local: RealLocal, name: str) -> bool:
    logs = local.client("logs")
    try:
        return bool(local.log(name))
    except logs.exceptions.ResourceNotFoundException:
        return False


def test_a_job_that_ended_while_no_server_ran_is_collected(home: Path, engine: Engine) -> None:
    local = reach(home, engine)
    name = local.start(local.script(f"echo begun; {HOLD}; echo done; echo w > /opt/ml/model/w"))
    local.until(name, lambda job: job["SecondaryStatus"] == "Training")
    kill(home)
    let_go(engine, home)
    deadline = time.monotonic() + 60
    while {each.state for each in engine.containers({HOME_LABEL: home_id(home)})} != {"exited"}:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    local = reach(home, engine, bucket=False)
    assert local.ended(name)["TrainingJobStatus"] == "Completed"
    assert local.log(name) == ["begun", "done"]


def test_a_restarted_server_answers_for_old_jobs_and_buckets(home: Path, engine: Engine) -> None:
    local = reach(home, engine)
    before = local.run_script("echo kept")
    uri = local.put("kept/object", b"bytes")
    assert sagedock("local", "down", home=home).returncode == 0
    local = reach(home, engine, bucket=False)
    after = local.client("sagemaker").describe_training_job(TrainingJobName="probe-1")
    for answer in (before, after):
        answer.pop("ResponseMetadata")
    assert after == before
    assert local.log("probe-1") == ["kept"]
    assert local.get(uri) == b"bytes"


def test_down_stops_a_running_job_and_leaves_nothing(home: Path, engine: Engine) -> None:
    local = reach(home, engine)
    name = local.start(local.script("trap 'exit 0' TERM; while true; do sleep 0.1; done"))
    local.until(name, lambda job: job["SecondaryStatus"] == "Training")
    assert sagedock("local", "down", home=home).returncode == 0
    labels = {HOME_LABEL: home_id(home)}
    assert not engine.containers(labels)
    assert not engine.networks(labels)
    local = reach(home, engine, bucket=False)
    job = local.client("sagemaker").describe_training_job(TrainingJobName=name)
    assert job["TrainingJobStatus"] == "Stopped"


def test_ctrl_c_ends_a_server_in_the_foreground(home: Path) -> None:
    process = subprocess.Popen(
        [*CLI, "local", "up"],
        env={**os.environ, "SAGEDOCK_HOME": str(home)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("local SageMaker: http://127.0.0.1:")
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert running(home) is None


def test_status_env_and_down_by_the_command_line(home: Path) -> None:
    nothing = sagedock("local", "status", home=home)
    assert nothing.returncode == 5
    assert "start one with `sagedock local up --detach`" in nothing.stderr
    assert sagedock("local", "up", "--detach", home=home).returncode == 0
    status = json.loads(sagedock("local", "status", "--json", home=home).stdout)
    assert status["url"].startswith("http://127.0.0.1:")
    variables = sagedock("local", "env", home=home).stdout
    assert f"export AWS_ENDPOINT_URL={status['url']}\n" in variables
    again = sagedock("local", "up", "--detach", home=home)
    assert again.returncode == 5
    assert f"already runs on {home} at {status['url']}" in again.stderr
    assert f"ended process {status['pid']}" in sagedock("local", "down", home=home).stdout
    assert sagedock("local", "down", home=home).stdout == "no local SageMaker runs\n"


def test_clean_removes_what_a_killed_server_left(home: Path, engine: Engine) -> None:
    local = reach(home, engine)
    local.start(local.script("sleep 600"))
    local.until("probe-1", lambda job: job["SecondaryStatus"] == "Training")
    refused = sagedock("local", "clean", home=home)
    assert refused.returncode == 5
    assert "end it first with `sagedock local down`" in refused.stderr
    kill(home)
    (home / "engine").mkdir()
    cleaned = sagedock("local", "clean", home=home)
    assert cleaned.returncode == 0
    assert "removed container sagedock-" in cleaned.stdout
    assert [each.name for each in home.iterdir()] == ["engine"]
    labels = {HOME_LABEL: home_id(home)}
    assert not engine.containers(labels)
    assert not engine.networks(labels)


def test_run_starts_a_server_passes_the_exit_code_and_cleans_up(home: Path) -> None:
    program = (
        "import boto3, os, sys; assert boto3.client('sts').get_caller_identity()['Account'] == "
        "'123456789012'; print(boto3.client('s3').list_buckets()['Buckets']); sys.exit(7)"
    )
    ran = sagedock("local", "run", "--", sys.executable, "-c", program, home=home)
    assert (ran.returncode, ran.stdout) == (7, "[]\n"), ran.stderr
    assert running(home) is None


def test_run_uses_the_server_that_runs(home: Path, engine: Engine) -> None:
    reach(home, engine)
    program = "import boto3; print(len(boto3.client('s3').list_buckets()['Buckets']))"
    ran = sagedock("local", "run", "--", sys.executable, "-c", program, home=home)
    assert (ran.returncode, ran.stdout) == (0, "1\n"), ran.stderr
    assert running(home) is not None


def test_a_command_that_does_not_exist(home: Path) -> None:
    ran = sagedock("local", "run", "--", "no-such-command", home=home)
    assert ran.returncode == 127
    assert "no-such-command: no such command" in ran.stderr
    assert not home.exists()


def test_options_for_a_server_that_runs_already(home: Path, engine: Engine) -> None:
    reach(home, engine)
    ran = sagedock("local", "run", "--region", "eu-west-1", "--", "true", home=home)
    assert ran.returncode == 5
    assert "leave --region out" in ran.stderr


@pytest.mark.slow
def test_a_server_killed_while_machines_are_taken_away_finishes_the_job(
    home: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAGEDOCK_STOP_GRACE_S", "60")
    local = reach(home, engine)
    name = local.start(
        local.script(
            "cd /opt/ml/checkpoints; if [ -e saved ]; then echo again; exit 0; fi;"
            f"trap '{HOLD}; touch saved; exit 143' TERM; touch begun; echo first;"
            "sleep 60 & wait $!",
            EnableManagedSpotTraining=True,
            StoppingCondition={"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 600},
            CheckpointConfig={"S3Uri": f"s3://{BUCKET}/ckpt"},
        )
    )
    local.until(name, lambda _: has_log(local, name))
    control(home, "POST", "interrupt", {"job": name})
    local.until(name, lambda job: job["SecondaryStatus"] == "Interrupted")
    kill(home)
    local = reach(home, engine, bucket=False)
    let_go(engine, home)
    job = local.ended(name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    statuses = [status for status, _ in local.statuses(job)]
    assert statuses.count("Interrupted") == 1
    assert local.log(name) == ["first", "again"]
    found = local.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="ckpt/")["Contents"]
    assert [each["Key"] for each in found] == ["ckpt/begun", "ckpt/saved"]


@pytest.mark.slow
def test_a_server_killed_while_a_job_trains_goes_on_mirroring_its_checkpoints(
    home: Path, engine: Engine
) -> None:
    local = reach(home, engine)
    name = local.start(
        local.script(
            f"cd /opt/ml/checkpoints; touch a b; {HOLD}; rm a; touch c;"
            f"{HOLD.replace('go', 'end')}; touch d",
            CheckpointConfig={"S3Uri": f"s3://{BUCKET}/ckpt"},
        )
    )
    local.until(name, lambda _: mirrored(local) == ["ckpt/a", "ckpt/b"])
    kill(home)
    let_go(engine, home)
    local = reach(home, engine, bucket=False)
    job = local.until(name, lambda _: mirrored(local) == ["ckpt/b", "ckpt/c"])
    assert job["SecondaryStatus"] == "Training"
    let_go(engine, home, "/tmp/end")
    assert local.ended(name)["TrainingJobStatus"] == "Completed"
    assert mirrored(local) == ["ckpt/b", "ckpt/c", "ckpt/d"]


def mirrored(local: RealLocal) -> list[str]:
    found = local.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="ckpt/")
    return [each["Key"] for each in found.get("Contents", ())]
