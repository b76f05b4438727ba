"""``sagedock jobs``: tables, lines and JSON of jobs, once or again and again."""

import io
import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from sagedock.cli import main
from sagedock.engine import Usage
from sagedock.testing import Container
from tests.conftest import IMAGE, Local

DEFINITIONS = [{"Name": "[red]loss", "Regex": "loss=([0-9.]+)"}]
_INTERRUPTED = 130


class Shell:
    """Runs the command line against a local SageMaker that has a job ``probe-1``."""

    def __init__(self, local: Local, folder: Path) -> None:
        self.local, self.folder = local, folder
        self.goes_on = threading.Event()

    def start_job(self, code: int = 0) -> None:
        def program(container: Container) -> int:
            container.usage = Usage(
                at_s=101, started_at_s=100, cpu_s=1.5, cpus=2, memory_bytes=1, memory_limit_bytes=4
            )
            container.print("loss=0.5")
            while not (self.goes_on.is_set() or container.terminated.wait(0.05)):
                pass
            assert container.measured.wait(60)
            container.print("loss=0.25")
            return code

        self.local.engine.program = program
        algorithm = {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": DEFINITIONS,
        }
        request = self.local.job(AlgorithmSpecification=algorithm)
        self.local.client("sagemaker").create_training_job(**request)

    def end_job(self) -> None:
        self.goes_on.set()
        self.local.ended("probe-1")

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "sagedock.cli", "jobs", *words]

    @property
    def environment(self) -> dict[str, str]:
        own = {"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.environ["PATH"]}
        return {**own, **self.local.server.environment(), "COLUMNS": "120"}

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run the command in this process: nothing has to be imported again."""
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as here, redirect_stdout(out), redirect_stderr(err):
            here.chdir(self.folder)
            for name, value in self.environment.items():
                here.setenv(name, value)
            code = main(["jobs", *words])
        return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())

    def begin(self, *words: str, terminal: int | None = None) -> "subprocess.Popen[str]":
        out = subprocess.PIPE if terminal is None else terminal
        return subprocess.Popen(
            self.command(*words),
            env={**self.environment, "TERM": "xterm"},
            cwd=self.folder,
            stdout=out,
            stderr=subprocess.PIPE if terminal is None else terminal,
            text=True,
        )


@pytest.fixture
def shell(local: Local, tmp_path: Path) -> Iterator[Shell]:
    made = Shell(local, tmp_path)
    yield made
    made.goes_on.set()


def test_the_table_has_a_row_for_each_job(shell: Shell) -> None:
    assert shell.run().stdout.strip() == "no jobs"
    shell.start_job()
    shell.end_job()
    done = shell.run()
    assert (done.returncode, done.stderr) == (0, "")
    head, row = done.stdout.splitlines()
    for title in (
        "name",
        "kind",
        "status",
        "elapsed",
        "billable",
        "CPU",
        "memory",
        "latest metrics",
    ):
        assert title in head
    for cell in ("probe-1", "training", "Completed", "150.0 %", "25.0 %", "[red]loss 0.25"):
        assert cell in row


def test_json_is_what_the_table_shows(shell: Shell) -> None:
    shell.start_job()
    shell.end_job()
    (row,) = json.loads(shell.run("--json").stdout)
    assert (row["name"], row["status"]) == ("probe-1", "Completed")
    assert row["metrics"] == {"[red]loss": 0.25}
    shown = json.loads(shell.run("show", "probe-1", "--json").stdout)
    assert shown["row"]["usage"] == {"CPUUtilization": 150.0, "MemoryUtilization": 25.0}
    assert shown["series"][0]["values"] == [0.5, 0.25]
    assert json.loads(shell.run("--json", "--status", "Failed").stdout) == []


def test_show_has_a_row_for_each_metric_and_saves_the_curves(shell: Shell) -> None:
    pytest.importorskip("matplotlib")
    shell.start_job()
    shell.end_job()
    done = shell.run("show", "probe-1", "--save", "curves.png")
    assert done.returncode == 0, done.stderr
    assert "[red]loss" in done.stdout
    assert "algo-1" in done.stdout
    assert done.stdout.splitlines()[-1] == "curves of probe-1: curves.png"
    assert (shell.folder / "curves.png").read_bytes()[:4] == b"\x89PNG"


def test_bad_input_is_words_and_an_exit_code(shell: Shell) -> None:
    wrong = shell.run("show", "probe-1", "--save", "curves.gif")
    assert wrong.returncode == 2
    assert "--save: curves.gif: a picture ends in .png or .svg" in wrong.stderr
    absent = shell.run("show", "absent")
    assert (absent.returncode, absent.stdout) == (2, "")
    assert "not found" in absent.stderr


def test_nothing_is_started_only_to_be_looked_at(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sagedock.cli", "jobs"],
        env={
            "PYTHONPATH": os.pathsep.join(sys.path),
            "PATH": os.environ["PATH"],
            "SAGEDOCK_HOME": str(tmp_path / "home"),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 5
    assert "no local SageMaker runs" in done.stderr
    assert not (tmp_path / "home").exists()


def test_watched_into_a_pipe_each_news_is_a_line_and_the_end_an_exit_code(shell: Shell) -> None:
    shell.start_job(code=3)
    watching = shell.begin("show", "probe-1", "--watch")
    assert watching.stdout is not None
    line = ""
    while "[red]loss=0.5" not in line:
        line = watching.stdout.readline()
        assert line, "it ended before the job did"
    shell.end_job()
    out, err = watching.communicate(timeout=60)
    last = out.splitlines()[-1]
    assert last.startswith("probe-1  Failed")
    assert "[red]loss=0.25" in last
    assert watching.returncode == 4
    assert "probe-1 ended Failed" in err


def test_ctrl_c_ends_a_watched_table_quietly(shell: Shell) -> None:
    shell.start_job()
    shell.local.until("probe-1", lambda job: job["SecondaryStatus"] == "Training")
    ours, theirs = pty.openpty()
    watching = shell.begin("--watch", terminal=theirs)
    os.close(theirs)
    seen = b""
    ends = time.monotonic() + 60
    while b"probe-1" not in seen:
        assert time.monotonic() < ends, seen
        seen += os.read(ours, 4096)
    watching.send_signal(signal.SIGINT)
    assert watching.wait(timeout=60) == _INTERRUPTED
    try:
        while piece := os.read(ours, 4096):
            seen += piece
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    text = seen.decode(errors="replace")
    assert "Traceback" not in text
    assert "Aborted" not in text
    assert text.rstrip().endswith("\x1b[?25h"), "the cursor is shown again"
