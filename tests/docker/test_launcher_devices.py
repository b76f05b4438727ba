"""What counts the host's devices is asked once. The stock toolkit asks four times."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

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


def run_on(
    device: str, job: Job, how: dict[str, list[str]], volumes: Sequence[str] = (), **options: Any
) -> Ran:
    folder = job.opt_ml / "bin"
    fakes = [f"{folder / name}:/usr/local/bin/{name}:ro" for name in FAKES]
    return job.run(how, devices=[f"/dev/null:/dev/{device}"], volumes=[*fakes, *volumes], **options)


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


def test_without_neuron_ls_the_devices_and_the_type_tell_the_cores(job: Job) -> None:
    job.resources["current_instance_type"] = "ml.trn1.32xlarge"
    job.script("import os; print(os.environ['SM_NUM_NEURONS'])")
    devices = [f"/dev/null:/dev/neuron{number}" for number in range(3)]
    ran = job.run(OURS, devices=devices)
    assert (ran.code, ran.out) == (0, b"6\n"), ran.log


SITE = "/opt/venv/lib/python3.11/site-packages"
TELLS = """
import os, sys
told = (os.environ["SAGEDOCK_DISTRIBUTED_BACKEND"], os.environ.get("PJRT_DEVICE", "-"))
sys.stdout.write(" ".join(told) + "\\n")
"""


@pytest.mark.parametrize(
    ("device", "package", "told"),
    [
        ("nvidia0", f"{SITE}/torch/lib/libtorch_cuda.so", b"nccl -"),
        ("neuron0", f"{SITE}/torch_xla.py", b"xla NEURON"),
        ("nvidia0", None, b"gloo -"),  # a torch without CUDA on a host with GPUs
    ],
)
def test_the_backend_fits_the_device_and_the_images_torch(
    counted: Job, device: str, package: str | None, told: bytes
) -> None:
    counted.script(TELLS).hyperparameters |= {
        "sagemaker_torch_distributed_enabled": True,
        "sagemaker_mpi_num_of_processes_per_host": 1,
    }
    empty = counted.opt_ml / "bin" / "empty"
    empty.touch()
    ran = run_on(device, counted, OURS, [f"{empty}:{package}:ro"] if package else [])
    assert (ran.code, ran.out) == (0, told + b"\n"), ran.log
