"""torchrun over two hosts that are both called `aws`: names, backend, variables, stops."""

import json
import time
from pathlib import Path

import pytest

from tests.docker.hosts_job import Hosts, hosts
from tests.docker.launcher_job import OURS, Job, job, until_said

__all__ = ["hosts", "job"]
pytestmark = pytest.mark.docker

TELLS = """
import json, os, socket, sys
import torch, torch.distributed as dist
dist.init_process_group(%s)
total = torch.tensor([dist.get_rank() + 1])
dist.all_reduce(total)
names = ("NCCL_SOCKET_IFNAME", "GLOO_SOCKET_IFNAME", "FI_PROVIDER", "NCCL_PROTO", "MASTER_ADDR",
         "FI_EFA_USE_DEVICE_RDMA", "SAGEDOCK_DISTRIBUTED_BACKEND", "SM_CURRENT_HOST")
facts = {"rank": dist.get_rank(), "of": dist.get_world_size(), "total": int(total),
         "backend": dist.get_backend(), "name": socket.gethostname(),
         **{name: os.environ.get(name) for name in names}}
sys.stdout.write(json.dumps(facts) + "\\n")
dist.destroy_process_group()
"""


def told(out: bytes) -> list[dict[str, object]]:
    facts = [json.loads(line) for line in out.splitlines() if line.startswith(b"{")]
    return sorted(facts, key=lambda each: int(each["rank"]))


@pytest.fixture
def pair(hosts: Hosts) -> Hosts:
    hosts.job.hyperparameters["sagemaker_torch_distributed_enabled"] = True
    return hosts


def test_two_hosts_know_their_names_and_the_backend(pair: Hosts) -> None:
    pair.job.resources["current_instance_type"] = "ml.p5en.48xlarge"
    pair.script(TELLS % "os.environ['SAGEDOCK_DISTRIBUTED_BACKEND']")
    ran = pair.run(environment={"FI_PROVIDER": "tcp"})
    assert [each.code for each in ran.values()] == [0, 0], ran["algo-1"].log + ran["algo-2"].log
    for rank, (name, each) in enumerate(ran.items()):
        (facts,) = told(each.out)
        assert facts == {
            "rank": rank,
            "of": 2,
            "total": 3,
            "backend": "gloo",
            "name": name,
            "NCCL_SOCKET_IFNAME": "eth0",
            "GLOO_SOCKET_IFNAME": "eth0",
            "FI_PROVIDER": "tcp",  # the job's own wish wins
            "FI_EFA_USE_DEVICE_RDMA": "1",
            "NCCL_PROTO": None,  # the toolkit's `simple` would hold P5 back
            "MASTER_ADDR": "algo-1",
            "SAGEDOCK_DISTRIBUTED_BACKEND": "gloo",
            "SM_CURRENT_HOST": name,
        }


def test_an_interface_that_is_not_there_and_no_backend_named(pair: Hosts) -> None:
    pair.job.resources["network_interface_name"] = "ethwe"
    pair.script(TELLS % "")
    ran = pair.run()
    assert [each.code for each in ran.values()] == [0, 0], ran["algo-1"].log + ran["algo-2"].log
    assert told(ran["algo-1"].out)[0]["GLOO_SOCKET_IFNAME"] == "eth0"


def test_a_host_that_comes_seconds_later_is_waited_for(pair: Hosts) -> None:
    pair.script(TELLS % "")
    first = pair.start("algo-1")
    until_said(first, "waiting for algo-2")
    second = pair.start("algo-2")
    ran = pair.ended("algo-1", first)
    assert (ran.code, told(ran.out)[0]["of"]) == (0, 2), ran.log
    assert "waiting for algo-2 to resolve" in ran.log
    assert pair.ended("algo-2", second).code == 0


@pytest.mark.parametrize(
    "enabled", ["sagemaker_torch_distributed_enabled", "sagemaker_pytorch_ddp_enabled"]
)
def test_a_host_may_run_several_processes(job: Job, enabled: str) -> None:
    job.script(TELLS % "").hyperparameters |= {
        enabled: True,
        "sagemaker_mpi_num_of_processes_per_host": 2,
    }
    ran = job.run(OURS)
    assert ran.code == 0, ran.log
    assert [(each["rank"], each["total"]) for each in told(ran.out)] == [(0, 3), (1, 3)]
    assert "by torchrun: 1 host(s) x 2 process(es)" in ran.log


GROUPS = [
    {"instance_group_name": "data", "instance_type": "ml.c5.xlarge", "hosts": ["algo-1"]},
    {"instance_group_name": "train", "instance_type": "ml.g5.xlarge", "hosts": ["algo-2"]},
]
PLAIN_OR_RANK = """
import os
print(os.environ.get("RANK", "plain"), os.environ["SM_CURRENT_INSTANCE_GROUP"])
"""


def test_of_a_heterogeneous_cluster_only_the_named_group_is_distributed(pair: Hosts) -> None:
    pair.script(PLAIN_OR_RANK)
    pair.job.hyperparameters["sagemaker_distribution_instance_groups"] = ["train"]
    pair.job.resources["instance_groups"] = GROUPS
    started = []
    for name, group in zip(pair.names, GROUPS, strict=True):
        pair.job.resources["current_group_name"] = group["instance_group_name"]
        started.append((name, pair.start(name)))
    ran = [pair.ended(name, container) for name, container in started]
    assert [each.out for each in ran] == [b"plain data\n", b"0 train\n"], ran[1].log


SAVES = """
import os, pathlib, signal, time
import torch.distributed as dist
dist.init_process_group()
stop = []
signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
pathlib.Path(f"/opt/ml/output/data/ready-{dist.get_rank()}").touch()
while not stop: time.sleep(0.05)
time.sleep(2)
pathlib.Path(f"/opt/ml/model/rank-{dist.get_rank()}").write_text(str(len(stop)))
dist.destroy_process_group()
"""


def test_every_worker_saves_its_state_on_a_stop(job: Job) -> None:
    job.script(SAVES).hyperparameters |= {
        "sagemaker_torch_distributed_enabled": True,
        "sagemaker_mpi_num_of_processes_per_host": 2,
    }
    container = job.start(OURS)
    for rank in (0, 1):
        wait_for(job.opt_ml / "output" / "data" / f"ready-{rank}")
    container.stop(timeout=100)
    ran = job.ended(container)
    assert ran.code == 0, ran.log
    assert [(job.opt_ml / f"model/rank-{rank}").read_text() for rank in (0, 1)] == ["1", "1"]


@pytest.mark.parametrize(
    "enabled", ["sagemaker_torch_distributed_enabled", "sagemaker_mpi_enabled"]
)
def test_a_stop_that_no_worker_handles_is_no_failure(job: Job, enabled: str) -> None:
    job.script(
        "import os, pathlib, time\n"
        "rank = os.environ.get('RANK') or os.environ['OMPI_COMM_WORLD_RANK']\n"
        "pathlib.Path(f'/opt/ml/output/data/ready-{rank}').touch()\n"
        "time.sleep(100)"
    ).hyperparameters |= {enabled: True, "sagemaker_mpi_num_of_processes_per_host": 2}
    container = job.start(OURS)
    for rank in (0, 1):
        wait_for(job.opt_ml / "output" / "data" / f"ready-{rank}")
    container.stop(timeout=100)
    ran = job.ended(container)
    assert ran.code not in (0, 137), ran.log
    assert not (job.opt_ml / "output" / "failure").exists()
    assert "the script ended on the stop signal" in ran.log


def wait_for(file: Path) -> None:
    deadline = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < deadline, f"{file} did not appear"
        time.sleep(0.05)
