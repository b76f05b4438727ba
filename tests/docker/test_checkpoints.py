"""Checkpoints in the training image: with torch, through the launcher, killed and started again."""

import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from docker.models.containers import Container

from tests.docker.launcher_job import OURS, Job, Ran, job

__all__ = ["job"]
pytestmark = pytest.mark.docker

ROOT = Path(__file__).parents[2]
EPOCHS = 25
SEED = 11


def log_of(container: Container) -> list[str]:
    lines: list[str] = container.logs().decode().splitlines()
    return lines


def wait_for(container: Container, seen: Callable[[list[str]], bool]) -> None:
    """Wait until the log of a container is as it should be."""
    deadline = time.monotonic() + 120
    while not seen(log_of(container)):
        assert time.monotonic() < deadline, "\n".join(log_of(container))
        assert container.client.api.inspect_container(container.id)["State"]["Running"], "\n".join(
            log_of(container)
        )
        time.sleep(0.1)  # asking takes the processor from the job


def epochs_of(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith("epoch=")]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The digits, as the script prepares them."""
    data = tmp_path_factory.mktemp("digits")
    prepare = [sys.executable, str(ROOT / "scripts" / "prepare_data.py"), "--output", str(data)]
    subprocess.run(prepare, check=True, capture_output=True)
    return data


def digits(job: Job, prepared: Path, **hyperparameters: Any) -> Job:
    """Make the job that trains on the digits."""
    shutil.copytree(prepared, job.opt_ml / "input" / "data", dirs_exist_ok=True)
    job.channels = {name: {"TrainingInputMode": "File"} for name in ("train", "test")}
    job.hyperparameters |= hyperparameters
    return job.script((ROOT / "examples" / "digits" / "train.py").read_text())


def start_over(job: Job) -> None:
    """Take away what the last run left, as a new machine does; the checkpoints are restored."""
    for file in (job.opt_ml / "model").iterdir():
        file.unlink()


def test_digits_interrupted_end_as_if_they_had_not_been(job: Job, prepared: Path) -> None:
    moments = random.Random(SEED)
    digits(job, prepared, epochs=EPOCHS, **{"checkpoint-every-s": 0})
    whole = job.run(OURS)
    assert whole.code == 0, whole.log
    assert len(epochs_of(whole.log.splitlines())) == EPOCHS
    model = (job.opt_ml / "model" / "model.pt").read_bytes()
    for file in (job.opt_ml / "checkpoints").iterdir():
        file.unlink()
    start_over(job)

    done = 0
    for _ in range(2):
        container = job.start(OURS)
        wanted = moments.randint(1, 6)
        wait_for(container, lambda lines, wanted=wanted: len(epochs_of(lines)) >= wanted)
        container.kill(signal.SIGKILL)
        killed = job.ended(container)
        first, *_, last = [
            int(line.split()[0][6:]) for line in epochs_of(killed.out.decode().splitlines())
        ] * 2
        assert first in (done, done + 1), "an epoch was lost that had been saved"
        done = last
    start_over(job)
    ended = job.run(OURS)
    assert ended.code == 0, ended.log
    assert (
        epochs_of(ended.out.decode().splitlines())[-1]
        == epochs_of(whole.out.decode().splitlines())[-1]
    )
    assert (job.opt_ml / "model" / "model.pt").read_bytes() == model


def test_digits_without_checkpoints_print_what_they_printed(job: Job, prepared: Path) -> None:
    ran = digits(job, prepared, epochs=2).run(OURS)
    shown = [line for line in ran.out.decode().splitlines() if line]
    assert [line.split("=")[0] for line in shown] == ["1438 digits to train on, 359 to test on"] + [
        "epoch"
    ] * 2
    assert "checkpoint" not in ran.log
    assert list((job.opt_ml / "checkpoints").iterdir()) == []


def test_a_stop_saves_and_is_no_failure(job: Job, prepared: Path) -> None:
    digits(job, prepared, epochs=100_000, **{"checkpoint-every-s": 1000})
    container = job.start(OURS)
    wait_for(container, lambda lines: len(epochs_of(lines)) >= 3)
    container.stop(timeout=60)
    ran = job.ended(container)
    assert ran.code == 143, ran.log
    assert "saving what is learnt so far" in ran.log
    assert not (job.opt_ml / "output" / "failure").exists()
    last = int(epochs_of(ran.out.decode().splitlines())[-1].split()[0][6:])
    (kept,) = (job.opt_ml / "checkpoints").iterdir()
    assert kept.name == f"step-{last:012d}.rank-0.ckpt"


FILLED = """
import sys, time, torch
from sagedock.runtime import Checkpoints
with Checkpoints(every_s=0.02) as checkpoints:
    state = checkpoints.load() or {"step": 0, "weights": torch.zeros(1 << 20)}
    assert state["step"] == checkpoints.done
    assert bool((state["weights"] == checkpoints.done).all()), "weights of another step"
    print(f"loaded {checkpoints.done}", flush=True)
    weights = state["weights"]
    for step in range(checkpoints.done + 1, 10**6):
        weights += 1
        checkpoints.step(step, lambda: {"step": step, "weights": weights})
        print(f"saved {checkpoints.done}", flush=True)  # in one write: a kill may tear no line
"""


def test_kills_of_the_container(job: Job) -> None:
    moments = random.Random(SEED)
    job.script(FILLED)
    saved = 0
    for _ in range(3):
        container = job.start(OURS)
        wait_for(container, lambda lines: sum(line.startswith("saved") for line in lines) > 3)
        time.sleep(moments.uniform(0, 0.3))
        container.kill(signal.SIGKILL)
        ran = job.ended(container)
        words = [line.split() for line in ran.out.decode().splitlines() if line]
        assert words[0][0] == "loaded", ran.log
        assert int(words[0][1]) >= saved
        saved = int(words[-1][1])
    assert saved > 0
    assert "passed over" not in ran.log


def run(job: Job, text: str, *command: str, **options: Any) -> Ran:
    """Run a program by hand, without the launcher."""
    job.script(text)
    return job.run({"command": [*(command or ("python",)), "/opt/ml/code/train.py"]}, **options)


def test_a_full_disk_leaves_the_older_ones(job: Job) -> None:
    text = """
import os, torch
from sagedock.errors import StorageError
from sagedock.runtime import Checkpoints
def made(): return Checkpoints("/full")
first = made(); first.load(); first.save(1, {"w": torch.ones(250_000)})
second = made(); second.load()
try:
    second.save(2, {"w": torch.ones(1_000_000)})
except StorageError as error:
    print(error)
third = made(); print(third.load()["w"].sum().item(), os.listdir("/full"))
"""
    ran = run(job, text, tmpfs={"/full": "size=3m"})
    lines = ran.out.decode().splitlines()
    assert "No space left on device" in lines[0], ran.log
    assert "VolumeSizeInGB" in lines[0]
    assert lines[1] == "250000.0 ['step-000000000001.rank-0.ckpt']"


def test_loading_runs_no_code(job: Job) -> None:
    text = """
import os, pickle, torch
from sagedock.errors import InvalidRequest
from sagedock.runtime import Checkpoints
from sagedock.runtime.checkpoints import TORCH, Format
class Evil:
    def __reduce__(self): return os.system, ("touch /tmp/ran",)
honest = Checkpoints("/a"); honest.load()
try:
    honest.save(1, {"w": torch.ones(3), "evil": Evil()})
except InvalidRequest as error:
    print(error)
forged = Format(name="torch", save=torch.save, load=TORCH.load)
forger = Checkpoints("/b", format=forged); forger.load(); forger.save(1, {"evil": Evil()})
try:
    Checkpoints("/b").load()
except pickle.UnpicklingError as error:
    print(error.__notes__[0])
print(os.listdir("/a"), os.path.exists("/tmp/ran"))
"""
    ran = run(job, text)
    assert "posix.system" in ran.out.decode().splitlines()[0], ran.log
    assert "step-000000000001.rank-0.ckpt is as it was written" in ran.out.decode().splitlines()[1]
    assert ran.out.decode().splitlines()[2] == "[] False"


def test_a_checkpoint_is_a_file_that_torch_itself_loads(job: Job) -> None:
    text = """
import torch
from sagedock.runtime import Checkpoints
made = Checkpoints(); made.load()
state = {"w": torch.randn(1000), "half": torch.ones(3, dtype=torch.bfloat16), "n": [1, (2, "x")]}
made.save(7, state)
found = torch.load("/opt/ml/checkpoints/step-000000000007.rank-0.ckpt", weights_only=True)
ours = Checkpoints().load()
for each in (found, ours):
    print(torch.equal(each["w"], state["w"]), each["half"].dtype, each["n"])
"""
    ran = run(job, text)
    assert ran.out.decode().splitlines() == ["True torch.bfloat16 [1, (2, 'x')]"] * 2, ran.log


SHARDED = """
import os
def tell(*words): os.write(1, (" ".join(map(str, words)) + "\\n").encode())  # one line, whole
import atexit, os, sys, time, torch, torch.distributed as dist
from sagedock.runtime import Checkpoints
dist.init_process_group("gloo")
atexit.register(dist.destroy_process_group)
rank = dist.get_rank()
with Checkpoints(every_s=0.05, sharded=True) as checkpoints:
    state = checkpoints.load() or {"rank": rank, "w": torch.zeros(100_000)}
    assert state["rank"] == rank and bool((state["w"] == checkpoints.done).all())
    tell("loaded", rank, checkpoints.done)
    w = state["w"]
    for step in range(checkpoints.done + 1, 10**6):
        w += 1
        dist.all_reduce(torch.ones(1))
        checkpoints.step(step, lambda: {"rank": rank, "w": w})
        if checkpoints.done == step:
            tell("saved", rank, step)
"""
TORCHRUN = ("python", "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=3")


def words(ran: Ran, first: str) -> list[int]:
    """Return the last number of each line that begins with a word."""
    found = [line.split() for line in ran.out.decode().splitlines()]
    return [int(each[2]) for each in found if len(each) == 3 and each[0] == first]


def test_shards_of_three_processes_survive_kills_together(job: Job) -> None:
    moments = random.Random(SEED)
    job.script(SHARDED)
    saved = 0
    for _ in range(2):
        container = job.start({"command": [*TORCHRUN, "/opt/ml/code/train.py"]})
        wait_for(container, lambda lines: sum(line.startswith("saved") for line in lines) > 6)
        time.sleep(moments.uniform(0, 0.2))
        container.kill(signal.SIGKILL)
        ran = job.ended(container)
        loaded = words(ran, "loaded")
        assert len(loaded) == 3, ran.log
        assert len(set(loaded)) == 1, ran.log
        assert loaded[0] >= saved
        saved = max(words(ran, "saved"))


def test_three_processes_stop_after_the_same_step(job: Job) -> None:
    job.script(SHARDED.replace("every_s=0.05", "every_s=1000"))
    container = job.start({"command": [*TORCHRUN, "/opt/ml/code/train.py"]})
    wait_for(container, lambda lines: sum(line.startswith("loaded") for line in lines) == 3)
    container.stop(timeout=60)
    job.ended(container)
    names = sorted(file.name for file in (job.opt_ml / "checkpoints").iterdir())
    assert len(names) == 3, names
    assert len({name.partition(".")[0] for name in names}) == 1, names
