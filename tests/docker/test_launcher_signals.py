"""A stop reaches the user's code. With the stock toolkit it does not."""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.docker.launcher_job import OURS, STOCK, Job, Ran, job, until_said

__all__ = ["job"]
pytestmark = pytest.mark.docker

HANDLES = """
import pathlib, signal, sys, time
def stop(*_):
    pathlib.Path("/opt/ml/model/checkpoint").write_text("saved")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
pathlib.Path("/opt/ml/output/data/ready").touch()
time.sleep(100)
"""


def stopped(job: Job, how: dict[str, Any], grace_s: int, ready: str = "ready") -> Ran:
    file = job.opt_ml / "output" / "data" / ready
    file.unlink(missing_ok=True)
    container = job.start(how)
    wait_for(file)
    container.stop(timeout=grace_s)
    return job.ended(container)


def wait_for(file: Path) -> None:
    deadline = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < deadline, f"{file} did not appear"
        time.sleep(0.05)


def test_script_saves_its_state_and_ends_with_0(job: Job) -> None:
    job.script(HANDLES)
    ran = stopped(job, OURS, grace_s=60)
    assert ran.code == 0
    assert (job.opt_ml / "model" / "checkpoint").read_text() == "saved"
    assert (job.opt_ml / "output" / "success").exists()


def test_stock_toolkit_never_tells_the_script(job: Job) -> None:
    job.script(HANDLES)
    ran = stopped(job, STOCK, grace_s=3)
    assert ran.code == 137
    assert not (job.opt_ml / "model" / "checkpoint").exists()


def test_script_without_a_handler_dies_of_sigterm_and_is_no_failure(job: Job) -> None:
    job.script(
        "import pathlib, time; pathlib.Path('/opt/ml/output/data/ready').touch(); time.sleep(100)"
    )
    ran = stopped(job, OURS, grace_s=60)
    assert ran.code == 143
    assert not (job.opt_ml / "output" / "failure").exists()


def test_script_that_ignores_sigterm_is_left_to_sigkill(job: Job) -> None:
    job.script(
        "import pathlib, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "pathlib.Path('/opt/ml/output/data/ready').touch(); time.sleep(100)"
    )
    assert stopped(job, OURS, grace_s=3).code == 137


CHILD = """
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (
    pathlib.Path("/opt/ml/output/data/child-told").touch(), sys.exit(0)))
pathlib.Path("/opt/ml/output/data/ready").touch()
time.sleep(100)
"""
PARENT = """
import subprocess, sys
sys.exit(subprocess.run([sys.executable, "child.py"]).returncode)
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [("train.py", PARENT), ("train.sh", "#!/bin/bash\npython child.py\necho done\n")],
    ids=["python", "shell"],
)
def test_children_of_the_script_are_told(job: Job, name: str, text: str) -> None:
    job.script(text, name).script(CHILD, "child.py")
    ran = stopped(job, OURS, grace_s=60)
    assert ran.code in (0, 143)
    assert (job.opt_ml / "output" / "data" / "child-told").exists()


def test_stock_toolkit_does_not_tell_children(job: Job) -> None:
    job.script(PARENT).script(CHILD, "child.py")
    assert stopped(job, STOCK, grace_s=3).code == 137
    assert not (job.opt_ml / "output" / "data" / "child-told").exists()


def test_a_dataloader_lives_until_the_script_has_saved(job: Job) -> None:
    job.script("""
import pathlib, signal, sys, time, torch
stop = []
signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
loader = torch.utils.data.DataLoader(torch.arange(10**6), num_workers=2)
for step, _ in enumerate(loader):
    if step == 10: pathlib.Path("/opt/ml/output/data/ready").touch()
    if stop:
        stop.append(1)
        if len(stop) > 500: break
        time.sleep(0.002)
torch.save({"step": step}, "/opt/ml/model/model.pt")
""")
    ran = stopped(job, OURS, grace_s=60)
    assert ran.code == 0, ran.log
    assert (job.opt_ml / "model" / "model.pt").exists()


ORPHANS = """
import os, pathlib, time
for _ in range(20):
    if os.fork() == 0:          # a child that leaves a grandchild behind and ends
        if os.fork() == 0:
            time.sleep(0.3)
        os._exit(0)
    os.wait()
time.sleep(1)
for _ in range(30):             # seconds for a launcher that is slow to wait for them
    stats = [path.read_text() for path in pathlib.Path("/proc").glob("[0-9]*/stat")]
    states = [stat.rpartition(")")[2].split()[0] for stat in stats]
    if not states.count("Z"): break
    time.sleep(0.1)
print("zombies", states.count("Z"))
"""


def test_orphans_are_waited_for(job: Job) -> None:
    job.script(ORPHANS)
    assert b"zombies 0\n" in job.run(OURS).out
    assert b"zombies 20\n" in job.run(STOCK).out


def test_stop_while_hosts_are_awaited(job: Job) -> None:
    job.script("print('never')")
    job.resources["hosts"] = ["algo-1", "algo-2"]
    container = job.start(OURS, network_mode="none")
    until_said(container, "waiting for")
    container.stop(timeout=60)
    ran = job.ended(container)
    assert ran.code == 143
    assert b"never" not in ran.out
