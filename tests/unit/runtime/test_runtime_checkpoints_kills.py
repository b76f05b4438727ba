"""Kills at random instants: nothing but the steps since the last checkpoint is ever lost.

The children's clock counts steps, so the interval is exact: five steps, whatever the machine does.
"""

import os
import random
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from tests.amount import amount
from tests.unit.runtime.checkpoint_states import checkpoints, steps_in, unfinished_in

KILLS = amount(200, quick=30)
INTERVAL = 5
KEEP = 2
SEED = 20240229
STEP_S = 0.0005
#: A kill comes within so many intervals after the child has begun.
LATEST = 3


def train(folder: Path, report: int) -> None:
    """Train for ever; report each step done, then let it be saved where it is due."""
    now = [0]
    made = checkpoints(folder, every_s=INTERVAL, keep=KEEP, clock=lambda: now[0])
    step = made.load() or 0
    while True:
        os.write(report, b"%d %d\n" % (step, made.done))
        time.sleep(STEP_S)
        step += 1
        now[0] += 1
        made.step(step, lambda step=step: step)


@dataclass
class Child:
    """A training in a process of its own, and what it reports."""

    pid: int
    reports: IO[str]
    first: str


def start(folder: Path) -> Child:
    """Fork a child, and await its first report."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            train(folder, write)
        finally:
            os._exit(1)
    os.close(write)
    reports = os.fdopen(read)
    return Child(pid=pid, reports=reports, first=reports.readline())


def kill(child: Child, after_s: float) -> tuple[int, int]:
    """Kill a child; return the step and the newest saved step that it reported last."""
    time.sleep(after_s)
    os.kill(child.pid, signal.SIGKILL)
    _, status = os.waitpid(child.pid, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL, "it ended before it was killed"
    with child.reports:
        last = (child.first + child.reports.read()).splitlines()[-1]
    step, saved = last.split()
    return int(step), int(saved)


def seconds_of_an_interval(folder: Path) -> float:
    """Measure on this machine how long a child takes from one checkpoint to the next."""
    child = start(folder)
    began = time.monotonic()
    while int(child.reports.readline().split()[1]) < 4 * INTERVAL:
        continue
    took_s = time.monotonic() - began
    kill(child, 0)
    return took_s / 4


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_kills_at_random_instants(tmp_path: Path) -> None:
    instants = random.Random(SEED)
    latest_s = LATEST * seconds_of_an_interval(tmp_path)
    in_the_middle, progress = 0, checkpoints(tmp_path).load()
    for number in range(KILLS):
        there = len(steps_in(tmp_path))
        child = start(tmp_path)
        after_s = instants.uniform(0, latest_s)
        reported, saved = kill(child, after_s)
        where = f"kill {number} after {after_s:.4f} s at step {reported}, {saved} saved"
        in_the_middle += bool(unfinished_in(tmp_path))
        assert len(unfinished_in(tmp_path)) <= 1, where
        assert len(steps_in(tmp_path)) <= (KEEP if saved > progress else there) + 1, where
        said: list[str] = []
        done = checkpoints(tmp_path, said).load() or 0
        assert not any("passed over" in line for line in said), (where, said)
        assert done >= saved, where
        assert done >= progress, where
        assert reported - done <= INTERVAL, where
        assert unfinished_in(tmp_path) == [], where
        progress = done
    print(f"seed {SEED}: {KILLS} kills within {latest_s:.3f} s, {in_the_middle} of them in a save")
    assert in_the_middle >= KILLS // 20, "too few kills hit a checkpoint that was being written"
    assert progress > KILLS
