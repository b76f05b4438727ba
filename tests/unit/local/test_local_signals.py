"""Signals to `sagedock local up` and `run`: whoever sends how many, the shutdown is completed.

The program's containers are Python functions, so that no Docker is needed.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PROGRAM = """
import sys, sagedock.local.kinds as kinds, sagedock.local.server as server
from sagedock.testing import FakeEngine
shut_down = kinds.TrainingJobs.shut_down
def slowly(jobs, grace_s):
    import time
    print("stopping", flush=True)
    time.sleep(1)
    shut_down(jobs, grace_s)
kinds.TrainingJobs.shut_down = slowly
server.connect = lambda: FakeEngine(None)
from sagedock.cli.app import main
sys.exit(main(sys.argv[1:]))
"""


@contextmanager
def started(home: Path, *words: str) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "local", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "SAGEDOCK_HOME": str(home)},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until_said(process: "subprocess.Popen[str]", text: str) -> None:
    assert process.stdout is not None
    while line := process.stdout.readline():
        if text in line:
            return
    raise AssertionError(f"it ended without {text!r}")


def test_a_terminal_that_closes_ends_the_server_in_order(tmp_path: Path) -> None:
    with started(tmp_path / "home", "up") as process:
        until_said(process, "Ctrl-C ends it")
        process.send_signal(signal.SIGHUP)
        assert process.wait(60) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_does_not_cut_the_shutdown_of_a_run_short(
    tmp_path: Path, number: signal.Signals
) -> None:
    command = ["--", "sh", "-c", "echo begun; exec sleep 60"]
    with started(tmp_path / "home", "run", *command) as process:
        until_said(process, "begun")
        os.killpg(process.pid, number)
        until_said(process, "stopping")
        os.killpg(process.pid, number)
        assert process.wait(60) == 128 + number
        assert process.stdout is not None
        assert "Traceback" not in process.stdout.read()
