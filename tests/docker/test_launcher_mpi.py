"""An MPI job over two hosts: ranks, names, signals, failures; nobody waits for who is gone."""

import json
import time
from pathlib import Path

import pytest

from tests.docker.hosts_job import Hosts, hosts
from tests.docker.launcher_job import OURS, Job, job, until_said

__all__ = ["hosts", "job"]
pytestmark = pytest.mark.docker

SUMS = """
import json, os, socket, sys
from mpi4py import MPI
world = MPI.COMM_WORLD
facts = {"rank": world.rank, "of": world.size, "total": world.allreduce(world.rank + 1),
         "name": socket.gethostname(), "host": os.environ["SM_CURRENT_HOST"], "args": sys.argv[1:],
         "secret": os.environ.get("MY_TOKEN")}
for fact in world.gather(facts) or ():
    print(json.dumps(fact), flush=True)
"""


@pytest.fixture
def pair(hosts: Hosts) -> Hosts:
    hosts.job.hyperparameters["sagemaker_mpi_enabled"] = True
    return hosts


def facts(out: bytes) -> list[dict[str, object]]:
    lines = [line.partition(b">:")[2] or line for line in out.splitlines()]
    return [json.loads(line.decode()) for line in lines if line.startswith(b'{"rank"')]


def test_two_ranks_on_each_of_two_hosts_add_up(pair: Hosts) -> None:
    pair.script(SUMS)
    pair.job.hyperparameters |= {
        "sagemaker_mpi_num_of_processes_per_host": 2,
        "sagemaker_mpi_custom_mpi_options": "--NCCL_DEBUG WARN -x MY_TOKEN='a b'",
        "note": "$(id); 'x'",
    }
    ran = pair.run()
    assert [each.code for each in ran.values()] == [0, 0], ran["algo-1"].log + ran["algo-2"].log
    told = facts(ran["algo-1"].out)
    assert [fact["rank"] for fact in told] == [0, 1, 2, 3]
    assert {(fact["of"], fact["total"], fact["secret"]) for fact in told} == {(4, 10, "a b")}
    assert [fact["host"] for fact in told] == ["algo-1", "algo-1", "algo-2", "algo-2"]
    assert [fact["name"] for fact in told] == ["algo-1", "algo-1", "algo-2", "algo-2"]
    assert {tuple(fact["args"]) for fact in told} == {("--note", "$(id); 'x'")}
    assert "mpirun ended on algo-1 with 0" in ran["algo-2"].log


def test_a_host_that_comes_later_is_waited_for(pair: Hosts) -> None:
    pair.script(SUMS)
    first = pair.start("algo-1")
    until_said(first, "waiting for algo-2")
    second = pair.start("algo-2")
    ran = pair.ended("algo-1", first)
    assert (ran.code, len(facts(ran.out))) == (0, 2), ran.log
    assert pair.ended("algo-2", second).code == 0


def test_a_rank_that_raises_on_the_other_host_fails_the_job_with_its_error(pair: Hosts) -> None:
    pair.script(
        "from mpi4py import MPI\n"
        "if MPI.COMM_WORLD.rank == 1: raise ValueError('bad shard on the second host')\n"
        "MPI.COMM_WORLD.barrier()"
    )
    began = time.monotonic()
    ran = pair.run()
    assert ran["algo-1"].code != 0
    assert 'ErrorMessage "ValueError: bad shard on the second host\n' in ran["algo-1"].failure
    assert ran["algo-2"].code == 0  # it served to the end; the first host says how the job went
    assert time.monotonic() - began < 120


def test_a_first_host_that_fails_before_mpirun_does_not_keep_the_other(pair: Hosts) -> None:
    pair.script("print('never')")
    first = pair.each("algo-1").script("no-such-package==1\n", "requirements.txt")
    first.hyperparameters["sagemaker_program"] = "train.py"
    ran = pair.run(environment={"SAGEDOCK_HOSTS_RESOLVE_S": "8", "PIP_NO_INDEX": "1"})
    assert ran["algo-1"].code == 1
    assert ran["algo-2"].code != 0
    assert "algo-1" in ran["algo-2"].failure


def test_a_first_host_that_is_killed_does_not_keep_the_other(pair: Hosts) -> None:
    pair.script("import time; time.sleep(100)")
    first, second = pair.start("algo-1"), pair.start("algo-2")
    deadline = time.monotonic() + 60
    while "mpi4py" not in str(second.top()["Processes"]):
        assert time.monotonic() < deadline, first.logs()
        time.sleep(0.2)
    first.kill()
    ran = pair.ended("algo-2", second)
    assert ran.code != 0
    assert "algo-1 is gone" in ran.failure


SAVES = """
import pathlib, signal, time
from mpi4py import MPI
rank = MPI.COMM_WORLD.rank
stop = []
signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
pathlib.Path(f"/opt/ml/output/data/ready").touch()
while not stop: time.sleep(0.05)
time.sleep(4)  # longer than mpirun leaves a rank that it ends
pathlib.Path(f"/opt/ml/model/rank-{rank}").write_text(str(len(stop)))
"""


def test_every_rank_saves_its_state_on_a_stop(pair: Hosts) -> None:
    pair.script(SAVES)
    started = {name: pair.start(name) for name in pair.names}
    for name in pair.names:
        wait_for(pair.folder / name / "output/data/ready")
    for container in started.values():
        container.kill("SIGTERM")
    ran = {name: pair.ended(name, container) for name, container in started.items()}
    assert [each.code for each in ran.values()] == [0, 0], ran["algo-1"].log + ran["algo-2"].log
    saved = [pair.folder / f"algo-{rank + 1}" / f"model/rank-{rank}" for rank in (0, 1)]
    assert [file.read_text() for file in saved] == ["1", "1"]


def wait_for(file: Path) -> None:
    deadline = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < deadline, f"{file} did not appear"
        time.sleep(0.05)


def test_no_key_is_in_the_image_and_two_jobs_have_two(pair: Hosts) -> None:
    found = pair.job.client.containers.run(
        pair.job.image,
        ["bash", "-c", "ls /etc/ssh/ssh_host_* ~/.ssh 2>/dev/null; true"],
        remove=True,
    )
    assert found == b""


@pytest.mark.parametrize("kind", ["script", "shell"])
def test_one_host_needs_no_network(job: Job, kind: str) -> None:
    job.script("import os; print('rank', os.environ['OMPI_COMM_WORLD_RANK'])")
    job.script("#!/bin/sh\nexec python train.py\n", "train.sh")
    program = "train.py" if kind == "script" else "train.sh"
    job.hyperparameters = {
        "sagemaker_program": program,
        "sagemaker_mpi_enabled": True,
        "sagemaker_mpi_num_of_processes_per_host": 2,
    }
    ran = job.run(OURS, network_mode="none", hostname="aws")
    assert ran.code == 0, ran.log
    assert sorted(line for line in ran.out.splitlines() if b"rank " in line) == [
        b"[1,0]<stdout>:rank 0",
        b"[1,1]<stdout>:rank 1",
    ]


def test_an_image_without_mpi_is_refused_by_what_it_lacks(job: Job) -> None:
    job.script("print('never')").hyperparameters["sagemaker_mpi_enabled"] = True
    hidden = {"entrypoint": ["/bin/sh", "-c", "rm /usr/bin/mpirun && exec train"]}
    ran = job.run(hidden)
    assert ran.code == 1
    assert "sagemaker_mpi_enabled: this image lacks mpirun" in ran.failure
    assert "torch_distributed" in ran.failure
    assert b"never" not in ran.out


BOTH_COMMANDS = """
import json, sys
from pathlib import Path
from sagemaker_training import environment, mpi as stock
from sagedock.runtime import configuration, toolkit
from sagedock.runtime.entry_point import Kind
from sagedock.runtime.mpi.command import command
job = toolkit.read_environment(configuration.check({}), Path("/opt/ml/code"))
runner = stock.MasterRunner(
    "train.py", ["--epochs", "3"], {}, 2, "algo-1", ["algo-1", "algo-2"], "--verbose", "eth0")
print(json.dumps([command(job, "train.py", Kind.SCRIPT, None), runner._create_command()]))
"""


def test_mpirun_gets_the_toolkits_options(job: Job) -> None:
    job.script(BOTH_COMMANDS, "both.py").hyperparameters |= {
        "epochs": 3,
        "sagemaker_program": "train.py",
        "sagemaker_mpi_enabled": True,
        "sagemaker_mpi_num_of_processes_per_host": 2,
        "sagemaker_mpi_custom_mpi_options": "--verbose",
    }
    job.resources["hosts"] = ["algo-1", "algo-2"]
    ran = job.run({"entrypoint": ["python", "/opt/ml/code/both.py"]}, hostname="aws")
    assert ran.code == 0, ran.log
    ours, stock = (options(command) for command in json.loads(ran.out.splitlines()[-1]))
    # What the toolkit exports to all ranks, each host here has in its own environment.
    exported = {option for option in stock if option[:1] == ("-x",)}
    assert stock - exported == ours - {("-x", "PYTHONUNBUFFERED=")}
    assert {option[1].partition("=")[0] for option in exported} == {
        *("NCCL_MIN_NRINGS", "NCCL_SOCKET_IFNAME", "NCCL_DEBUG"),
        *("LD_LIBRARY_PATH", "PATH", "LD_PRELOAD"),
    }


def options(command: list[str]) -> set[tuple[str, ...]]:
    """Return the options of a command line, each with its values, in no order."""
    starts = [n for n, word in enumerate(command) if n == 0 or word.startswith("-")]
    return {tuple(command[a:b]) for a, b in zip(starts, [*starts[1:], None], strict=True)}
