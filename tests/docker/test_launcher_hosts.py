"""A host that does not resolve is said after seconds; the stock toolkit is silent 15 minutes."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from docker.models.containers import Container

from tests.docker.launcher_job import LABEL, OURS, STOCK, Job, job, until_said

__all__ = ["job"]
pytestmark = pytest.mark.docker


@pytest.fixture
def pair(job: Job) -> Job:
    job.script("print('trained')").script("import time; time.sleep(60)", "sleep.py")
    job.resources["hosts"] = ["algo-1", "algo-2"]
    return job


def test_wait_is_said_and_bounded(pair: Job) -> None:
    ran = pair.run(OURS, environment={"SAGEDOCK_HOSTS_RESOLVE_S": "7"})
    assert ran.code == 1
    assert "waiting for algo-2 to resolve (" in ran.log
    assert "algo-2 did not resolve in" in ran.failure
    assert b"trained" not in ran.out


def test_stock_toolkit_waits_in_silence(pair: Job) -> None:
    container = pair.start(STOCK)
    time.sleep(5)  # ours has said it twice by then
    container.reload()
    assert container.status == "running"
    assert b"algo-2" not in container.logs()
    container.kill()


@pytest.fixture
def network(job: Job) -> Iterator[Any]:
    network = job.client.networks.create("sagedock-test-hosts", labels={LABEL: ""})
    yield network
    for container in job.containers:
        container.remove(force=True)
    job.containers.clear()
    network.remove()


def start_on(network: Any, job: Job, host: str, **options: Any) -> Container:
    endpoint = job.client.api.create_endpoint_config(aliases=[host])
    options |= {"network": network.name, "networking_config": {network.name: endpoint}}
    return job.start(OURS, extra_hosts={}, **options)


def test_host_that_comes_later_is_waited_for(pair: Job, network: Any) -> None:
    first = start_on(network, pair, "algo-1")
    until_said(first, "waiting for algo-2")
    start_on(network, pair, "algo-2", environment={"SAGEMAKER_PROGRAM": "sleep.py"})
    ran = pair.ended(first)
    assert ran.code == 0, ran.log
    assert "waiting for algo-2" in ran.log


SUMS = """
import torch, torch.distributed as dist
dist.init_process_group("gloo")
total = torch.tensor([dist.get_rank() + 1])
dist.all_reduce(total)
print("rank", dist.get_rank(), "of", dist.get_world_size(), "total", int(total))
dist.destroy_process_group()
"""


def test_torchrun_over_two_hosts(job: Job, network: Any, tmp_path: Path) -> None:
    started = []
    for host in ("algo-1", "algo-2"):
        one = replace(job, opt_ml=tmp_path / host, hyperparameters={}, resources={})
        one.script(SUMS).hyperparameters["sagemaker_torch_distributed_enabled"] = True
        one.resources |= {"current_host": host, "hosts": ["algo-1", "algo-2"]}
        started.append(start_on(network, one, host, hostname="aws"))
    lines = [job.ended(container).out for container in started]
    assert lines == [b"rank 0 of 2 total 3\n", b"rank 1 of 2 total 3\n"]


def test_studio_local_mode_does_not_wait(pair: Job) -> None:
    ran = pair.run(OURS, environment={"SM_STUDIO_LOCAL_MODE": "true"})
    assert (ran.code, ran.out) == (0, b"trained\n")


def test_single_host_needs_no_names(job: Job) -> None:
    job.script("print('trained')")
    ran = job.run(OURS, network_mode="none")
    assert (ran.code, ran.out) == (0, b"trained\n")
