"""A host that does not resolve is said after seconds; the stock toolkit is silent 15 minutes."""

import time

import pytest

from tests.docker.launcher_job import OURS, STOCK, Job, job

__all__ = ["job"]
pytestmark = pytest.mark.docker


@pytest.fixture
def pair(job: Job) -> Job:
    job.script("print('trained')").resources["hosts"] = ["algo-1", "algo-2"]
    return job


def test_wait_is_said_and_bounded(pair: Job) -> None:
    ran = pair.run(OURS, environment={"SAGEDOCK_HOSTS_RESOLVE_S": "7"})
    assert ran.code == 1
    assert "waiting for algo-2 to resolve (" in ran.log
    assert "algo-2 did not resolve in" in ran.failure
    assert b"trained" not in ran.out


def test_stock_toolkit_waits_in_silence(pair: Job) -> None:
    container = pair.start(STOCK)
    time.sleep(8)
    container.reload()
    assert container.status == "running"
    assert b"algo-2" not in container.logs()
    container.kill()


def test_host_that_comes_later_is_waited_for(pair: Job) -> None:
    network = pair.client.networks.create("sagedock-test-hosts")
    try:
        first = pair.start(OURS, network=network.name)
        time.sleep(4)
        second = pair.client.containers.run(
            "sagedock-training:cpu",
            ["sleep", "60"],
            detach=True,
            name="sagedock-test-algo-2",
        )
        pair.containers.append(second)
        network.connect(second, aliases=["algo-2"])
        ran = pair.ended(first)
        assert ran.code == 0, ran.log
        assert "waiting for algo-2" in ran.log
    finally:
        for container in pair.containers:
            container.remove(force=True)
        pair.containers.clear()
        network.remove()


def test_studio_local_mode_does_not_wait(pair: Job) -> None:
    ran = pair.run(OURS, environment={"SM_STUDIO_LOCAL_MODE": "true"})
    assert (ran.code, ran.out) == (0, b"trained\n")


def test_single_host_needs_no_names(job: Job) -> None:
    job.script("print('trained')")
    ran = job.run(OURS, network_mode="none")
    assert (ran.code, ran.out) == (0, b"trained\n")
