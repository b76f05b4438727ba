"""A program that starts a local SageMaker of its own: nothing of it is left, however it ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sagedock.engine import Engine
from sagedock.local import running
from sagedock.local.platform import HOME_LABEL, home_id
from tests.conftest import ROLE
from tests.docker.hosting_real import SERVING, images
from tests.docker.test_local_process import home

pytestmark = pytest.mark.usefixtures("images")
__all__ = ["home", "images"]

PROGRAM = f"""
import sys, time
from sagedock import Model
model = Model(image_uri={SERVING!r}, role={ROLE!r}, environment={{"WHICH": "own"}})
predictor = model.deploy(1, "ml.m5.large", endpoint_name="endpoint-1")
print(predictor.predict(b"which"), flush=True)
if "stays" in sys.argv:
    time.sleep(600)
"""


@contextmanager
def program(home: Path, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "SAGEDOCK_"))}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**kept, "SAGEDOCK_HOME": str(home)},
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def answered(process: "subprocess.Popen[str]") -> None:
    """Return once the program has called its endpoint."""
    assert process.stdout is not None
    told = []
    for line in process.stdout:
        if "own" in line:
            return
        told.append(line)
    raise AssertionError("the program ended: " + "".join(told))


def until_nothing_is_left(home: Path, engine: Engine) -> None:
    labels = {HOME_LABEL: home_id(home)}
    ends = time.monotonic() + 60
    while running(home) or engine.containers(labels) or list(engine.networks(labels)):
        assert time.monotonic() < ends
        time.sleep(0.05)


def test_a_program_that_ends(home: Path, engine: Engine) -> None:
    with program(home) as process:
        said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert "it ends with this program" in said
    assert "Traceback" not in said
    assert not running(home)
    assert engine.containers({HOME_LABEL: home_id(home)}) == []


@pytest.mark.parametrize(
    "end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda s: s.name
)
def test_a_program_that_is_ended(home: Path, engine: Engine, end: signal.Signals) -> None:
    with program(home, "stays") as process:
        answered(process)
        os.killpg(process.pid, end)
        process.wait(60)
        until_nothing_is_left(home, engine)
