"""Ctrl-C in scripts/ that wait for a job: the job is stopped, and the words say what is left."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from sagedock import InvalidRequest
from sagedock.client.interrupted import stopped_by_ctrl_c
from sagedock.testing import Container
from tests.conftest import BUCKET, IMAGE, Local
from tests.unit.client.screen import Terminal

ROOT = Path(__file__).resolve().parents[3]
#: A program that makes its stdin the terminal of its session, and becomes another.
ON_ITS_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
ENDED = ("Completed", "Failed", "Stopped", "Succeeded")


class Held:
    """A program that goes on until it is told to end; where it is ``stubborn``, until ``gate`` is
    set.
    """

    def __init__(self) -> None:
        self.gate, self.stubborn = threading.Event(), False

    def __call__(self, container: Container) -> int:
        container.print("the program runs")
        if not self.stubborn:
            container.terminated.wait(120)
            return 0
        container.terminated.wait(120)
        container.print("the program goes on")
        self.gate.wait(120)
        return 0


class Script:
    """A program of scripts/, in a folder of its own, with few digits; run in a group of its own."""

    def __init__(self, folder: Path, local: Local) -> None:
        self.folder, self.local = folder, local
        shutil.copytree(ROOT / "scripts", folder / "scripts")
        shutil.copytree(ROOT / "examples" / "digits", folder / "examples" / "digits")
        for name in ("train", "test"):
            file = folder / "data" / "digits" / name / "digits.csv"
            file.parent.mkdir(parents=True)
            file.write_text(",".join(["1"] * 65) + "\n")

    def start(self, name: str, *arguments: str) -> "Running":
        process = subprocess.Popen(
            self._command(name, *arguments),
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        return Running(process)

    def start_on(self, terminal: Terminal, name: str, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start a program of which ``terminal`` is the one that Ctrl-C is pressed on."""
        python, *words = self._command(name, *arguments)
        return subprocess.Popen(
            [python, "-c", ON_ITS_TERMINAL, *words],
            env={**self._environment, "TERM": "xterm"},
            stdin=terminal.theirs,
            stdout=terminal.theirs,
            stderr=terminal.theirs,
            start_new_session=True,
        )

    def _command(self, name: str, *arguments: str) -> list[str]:
        return [sys.executable, str(self.folder / "scripts" / name), *arguments]

    @property
    def _environment(self) -> dict[str, str]:
        own = {"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.environ["PATH"]}
        return {**own, **self.local.server.environment()}


class Running:
    """A program that runs, and the lines it has said."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.lines: list[str] = []

    def says(self, words: str) -> None:
        """Wait until the program says ``words``."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if words in line:
                return
        raise AssertionError(f"it ended without {words!r}: {self.text}")

    def interrupt(self) -> None:
        """Press Ctrl-C, as a terminal does: all of the group get it."""
        os.killpg(self.process.pid, signal.SIGINT)

    def ends(self) -> int:
        """Wait for the end; return the exit code."""
        said, _ = self.process.communicate(timeout=120)
        self.lines += said.splitlines()
        return self.process.returncode

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@pytest.fixture
def held(local: Local) -> Iterator[Held]:
    made = Held()
    local.engine.program = made
    yield made
    made.gate.set()


@pytest.fixture
def start(tmp_path: Path, local: Local, held: Held) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []
    script = Script(tmp_path / "checkout", local)

    def starting(name: str, *arguments: str) -> Running:
        started.append(script.start(name, *arguments))
        return started[-1]

    yield starting
    held.gate.set()
    for each in started:
        each.process.kill()
        each.process.wait()
        if each.process.stdout:
            each.process.stdout.close()


def seen_until(terminal: Terminal, words: str) -> list[str]:
    """Return what the terminal shows once ``words`` are there."""
    ends = time.monotonic() + 120
    while words not in "\n".join(seen := terminal.seen()):
        assert time.monotonic() < ends, seen
        time.sleep(0.05)
    return seen


def statuses(local: Local, operation: str, member: str, status: str) -> list[str]:
    """Return the statuses of all resources that an operation lists, once all have ended."""
    ends = time.monotonic() + 60
    while True:
        found: list[Any] = getattr(local.client("sagemaker"), operation)()[member]
        if all(each[status] in ENDED for each in found):
            return [each[status] for each in found]
        assert time.monotonic() < ends, found
        time.sleep(0.05)


def training_jobs(local: Local) -> list[str]:
    return statuses(local, "list_training_jobs", "TrainingJobSummaries", "TrainingJobStatus")


def processing_jobs(local: Local) -> list[str]:
    member = "ProcessingJobSummaries"
    return statuses(local, "list_processing_jobs", member, "ProcessingJobStatus")


def process(start: Callable[..., Running], *more: str) -> Running:
    return start("process.py", "--image", IMAGE, "--output", f"s3://{BUCKET}/sets", *more)


def test_a_processing_job_is_stopped_and_its_outputs_are_named(
    start: Callable[..., Running], local: Local
) -> None:
    running = process(start)
    running.says("the program runs")
    running.interrupt()
    assert running.ends() == 130
    assert "Traceback" not in running.text
    assert "Ctrl-C: stopping the processing job digits-" in running.text
    assert "ended Stopped. What it had stored by then stays: train in s3://" in running.lines[-1]
    assert running.text.count("the program runs") == 1, "no line is shown twice"
    assert processing_jobs(local) == ["Stopped"]


def test_a_second_ctrl_c_does_not_wait_for_the_end(
    start: Callable[..., Running], local: Local, held: Held
) -> None:
    held.stubborn = True
    running = process(start)
    running.says("the program runs")
    running.interrupt()
    running.says("the program goes on")
    running.interrupt()
    assert running.ends() == 130
    assert "Traceback" not in running.text
    assert running.lines[-1].endswith("was asked to stop, and is left to it")
    held.gate.set()
    assert processing_jobs(local) == ["Stopped"]


def test_a_tuning_job_is_stopped_with_its_training_jobs(
    start: Callable[..., Running], local: Local
) -> None:
    running = start("tune.py", "--image", IMAGE, "--jobs", "4", "--parallel", "2")
    running.says("InProgress")
    running.says("InProgress")
    running.interrupt()
    assert running.ends() == 130
    assert "Traceback" not in running.text
    assert "Ctrl-C: stopping the tuning job digits-" in running.text
    assert "ended Stopped (training jobs: 0 Completed, 2 Stopped); what they" in running.lines[-1]
    assert training_jobs(local) == ["Stopped", "Stopped"]


def test_on_a_terminal_the_table_stays_with_how_it_ended(
    local: Local, held: Held, tmp_path: Path
) -> None:
    terminal = Terminal(rows=30, columns=200)
    script = Script(tmp_path / "checkout", local)
    running = script.start_on(terminal, "tune.py", "--image", IMAGE, "--jobs", "1")
    try:
        seen_until(terminal, "1  InProgress")
        os.write(terminal.ours, b"\x03")
        assert running.wait(120) == 130
        seen = seen_until(terminal, "ended Stopped")
    finally:
        running.kill()
        running.wait()
        terminal.close()
    text = "\n".join(seen)
    assert "Traceback" not in text
    told, table = seen.index(next(line for line in seen if "ended Stopped" in line)), seen[-3:]
    assert "Ctrl-C: stopping the tuning job digits-" in seen[told - 1]
    assert table[0].endswith(": Stopped, 1 training job (1 Stopped)")
    assert table[2].split()[:2] == ["1", "Stopped"]
    assert training_jobs(local) == ["Stopped"]


def test_an_execution_of_a_pipeline_is_stopped_with_its_job(
    start: Callable[..., Running], local: Local
) -> None:
    running = start("pipeline.py", "--image", IMAGE, "--serving-image", IMAGE)
    running.says("prepare: Executing")
    running.interrupt()
    assert running.ends() == 130
    assert "Traceback" not in running.text
    assert "Ctrl-C: stopping the execution " in running.text
    assert "ended Stopped (steps: 1 Stopped)" in running.lines[-1]
    assert "retry() goes on from there" in running.lines[-1]
    # It is stopped before its job began, or with it.
    assert processing_jobs(local) in ([], ["Stopped"])


def test_the_story_ends_with_the_chapter_that_is_interrupted(
    start: Callable[..., Running], local: Local
) -> None:
    local.engine.images.add(f"{IMAGE.rpartition('/')[0]}/sagedock-training:cpu")
    running = start("story.py")
    running.says("the program runs")
    running.interrupt()
    assert running.ends() == 130
    assert "Traceback" not in running.text
    assert "ended Stopped. What it had stored" in running.lines[-1]
    assert "== scripts/tune.py" not in running.text
    assert processing_jobs(local) == ["Stopped"]


def interrupted(
    stop: Callable[[], None], follow_again: Callable[[], str] = lambda: "the end"
) -> list[str]:
    """Return what is shown where Ctrl-C is pressed while a job is followed."""
    lines: list[str] = []
    looks = iter([pressed_again, follow_again])

    def follow() -> str:
        return next(looks)()

    with pytest.raises(KeyboardInterrupt):
        stopped_by_ctrl_c(follow, what="a job", stop=stop, left=str, show=lines.append)
    return lines


def pressed_again() -> str:
    raise KeyboardInterrupt


def test_a_job_that_cannot_be_stopped_is_said_not_to_be() -> None:
    def stop() -> None:
        raise InvalidRequest(["it has ended"])

    assert interrupted(stop)[1:] == ["a job was not stopped: it has ended"]


def test_a_service_that_is_gone_is_told_and_the_interrupt_stays() -> None:
    def gone() -> str:
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    (told,) = interrupted(lambda: None, gone)[1:]
    assert told.startswith("a job was asked to stop; its end is not known: Could not connect")


def test_who_presses_it_again_is_told_whether_the_job_was_asked_to_stop() -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    assert interrupted(stop)[1:] == ["a job was perhaps not stopped"]
    assert interrupted(lambda: None)[1:] == ["the end"]
    asked = interrupted(lambda: None, pressed_again)
    assert asked[1:] == ["a job was asked to stop, and is left to it"]
