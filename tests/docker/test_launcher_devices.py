"""What counts the host's devices is asked once. The stock toolkit asks four times."""

from pathlib import Path

import pytest

from tests.docker.launcher_job import OURS, STOCK, Job, Ran, job

__all__ = ["job"]
pytestmark = pytest.mark.docker

#: Each appends a line per call, and answers as the real one on a host with two devices.
FAKES = {
    "nvidia-smi": "printf 'GPU 0: x\\nGPU 1: x\\n'",
    "neuron-ls": """echo '[{"nc_count": 2}, {"nc_count": 2}]'""",
}


@pytest.fixture
def counted(job: Job, tmp_path: Path) -> Job:
    for name, answer in FAKES.items():
        fake = tmp_path / "bin" / name
        fake.parent.mkdir(exist_ok=True)
        fake.write_text(f"#!/bin/sh\necho call >>/opt/ml/output/data/{name}\n{answer}\n")
        fake.chmod(0o755)
    return job


def run_on(device: str, job: Job, how: dict[str, list[str]]) -> Ran:
    folder = job.opt_ml / "bin"
    return job.run(
        how,
        devices=[f"/dev/null:/dev/{device}"],
        volumes=[f"{folder / name}:/usr/local/bin/{name}:ro" for name in FAKES],
    )


def calls(job: Job, name: str) -> int:
    file = job.opt_ml / "output" / "data" / name
    return len(file.read_text().splitlines()) if file.exists() else 0


@pytest.mark.parametrize(
    ("device", "program", "variable", "count"),
    [("nvidia0", "nvidia-smi", "SM_NUM_GPUS", 2), ("neuron0", "neuron-ls", "SM_NUM_NEURONS", 4)],
)
def test_each_is_asked_once_and_only_where_its_device_is(
    counted: Job, device: str, program: str, variable: str, count: int
) -> None:
    counted.script(f"import os; print(os.environ['{variable}'])")
    ran = run_on(device, counted, OURS)
    assert (ran.code, ran.out) == (0, f"{count}\n".encode()), ran.log
    assert {name: calls(counted, name) for name in FAKES} == {
        name: int(name == program) for name in FAKES
    }


def test_the_stock_toolkit_asks_again_and_again(counted: Job) -> None:
    counted.script("pass")
    run_on("nvidia0", counted, STOCK)
    assert calls(counted, "nvidia-smi") > 1


@pytest.mark.parametrize(
    "enabled", ["sagemaker_torch_distributed_enabled", "sagemaker_mpi_enabled"]
)
def test_a_process_per_device_is_started_without_asking_again(counted: Job, enabled: str) -> None:
    counted.script("import sys; sys.stdout.write('a process\\n')").hyperparameters[enabled] = True
    ran = run_on("nvidia0", counted, OURS)
    assert ran.code == 0, ran.log
    assert ran.out.count(b"a process\n") == 2
    assert calls(counted, "nvidia-smi") == 1
