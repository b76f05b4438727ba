"""What people see of jobs in real containers: the log of a step that failed, and after Ctrl-C."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import docker
import pytest

from sagedock import JobFailed, PipelineExecution, Session
from sagedock.local.platform import HOME_LABEL, home_id
from tests.docker.conftest import RealLocal
from tests.docker.scripts import ROOT, environment
from tests.docker.test_pipelines import started, training

pytestmark = pytest.mark.slow


def test_a_failed_step_is_told_with_the_end_of_its_log(real: RealLocal) -> None:
    lines: list[str] = []
    session = Session(target="local", environ=real.server.environment(), show=lines.append)
    script = "for i in $(seq 1 30); do echo line $i; done; exit 3"
    execution = PipelineExecution(
        started(real, training(real, "train", script)), session, lines.append
    )
    with pytest.raises(JobFailed, match="AlgorithmError"):
        execution.wait()
    (job,) = real.client("sagemaker").list_training_jobs()["TrainingJobSummaries"]
    name = job["TrainingJobName"]
    told = next(n for n, line in enumerate(lines) if f"the training job {name} ended" in line)
    assert lines[told + 1 : told + 11] == [f"  | line {number}" for number in range(21, 31)]
    assert lines[told + 11] == f"  more of it: sagedock jobs show {name} --lines 100"


def wait_for_an_epoch(labels: Mapping[str, str]) -> None:
    """Wait until a job of a home trains: a container that only begins yet loses its SIGTERM, for
    the kernel drops what its first process has no handler for, and ends two minutes later.
    """
    client = docker.from_env()
    asked = {"label": [f"{key}={value}" for key, value in labels.items()]}
    ends = time.monotonic() + 60
    while not any(b"epoch=" in each.logs() for each in client.containers.list(filters=asked)):
        assert time.monotonic() < ends
        time.sleep(0.1)
    client.close()


def test_ctrl_c_stops_a_tuning_job_and_leaves_no_container(tmp_path: Path, engine: Any) -> None:
    labels = {HOME_LABEL: home_id(tmp_path / "sagedock")}
    command = [sys.executable, str(ROOT / "scripts" / "tune.py"), "--epochs", "100000"]
    process = subprocess.Popen(
        [*command, "--jobs", "2", "--parallel", "1"],
        env=environment(tmp_path),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if "InProgress" in line:
                break
        wait_for_an_epoch(labels)
        os.killpg(process.pid, signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(60) == 130
    finally:
        process.kill()
        process.wait()
    assert "Traceback" not in rest
    assert "ended Stopped (training jobs: 0 Completed, 1 Stopped); what they" in rest
    assert list(engine.containers(labels)) == []
