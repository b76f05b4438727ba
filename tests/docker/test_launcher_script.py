"""What the script sees is what AWS's toolkit shows it; and it starts no later."""

import json
import time
from typing import Any

import pytest

from tests.docker.launcher_job import OURS, STOCK, Job, job

__all__ = ["job"]
pytestmark = pytest.mark.docker

#: Prints everything that the launcher decides for a script.
TELLS = """
import json, os, sys
print(json.dumps({"env": dict(os.environ), "argv": sys.argv, "cwd": os.getcwd()}))
"""
LOCAL_MODE = {"current_host": "algo-1", "hosts": ["algo-1"], "network_interface_name": "eth0"}
PLATFORM = {
    **LOCAL_MODE,
    "current_instance_type": "ml.m5.large",
    "current_group_name": "homogeneousCluster",
    "instance_groups": [
        {
            "instance_group_name": "homogeneousCluster",
            "instance_type": "ml.m5.large",
            "hosts": ["algo-1"],
        }
    ],
}
NEWER = {**PLATFORM, "topology": [{"host": "algo-1"}], "future_key": {"deep": [1]}}
CHANNELS = {"train": {"TrainingInputMode": "File"}, "val": {"ContentType": "text/csv"}}


def told(job: Job, how: dict[str, Any]) -> dict[str, Any]:
    environment = {"TRAINING_JOB_NAME": "digits-1", "AWS_REGION": "eu-west-1", "MY": "own"}
    ran = job.run(how, environment=environment)
    assert ran.code == 0, ran.log
    seen: dict[str, Any] = json.loads(ran.out.splitlines()[-1])
    return seen


@pytest.mark.parametrize("resources", [LOCAL_MODE, PLATFORM, NEWER])
@pytest.mark.parametrize("channels", [{}, CHANNELS])
def test_script_sees_what_the_toolkit_shows(
    job: Job, resources: dict[str, Any], channels: dict[str, dict[str, str]]
) -> None:
    job.script(TELLS)
    job.resources, job.channels = resources, channels
    job.hyperparameters |= {
        "epochs": 3,
        "batch-size": 64,
        "flag": True,
        "name": "résnet 'x'; $(id)",
        "nested": {"b": 1, "a": [1, 2]},
        "k": 0.5,
        "sagemaker_job_name": "digits-1",
        "sagemaker_instance_type": "ml.m5.large",
    }
    ours, stock = told(job, OURS), told(job, STOCK)
    for seen in (ours, stock):  # what differs by container, or by where `train` lies
        seen["env"].pop("HOSTNAME")
        seen["env"]["PYTHONPATH"] = seen["env"]["PYTHONPATH"].split(":")[0]
    assert ours == stock


def test_program_variable_wins_over_the_hyperparameter(job: Job) -> None:
    job.script("print('no')").script("print('yes')", "other.py")
    ran = job.run(OURS, environment={"SAGEMAKER_PROGRAM": "other.py"})
    assert ran.out == b"yes\n"


def test_dot_slash_is_accepted(job: Job) -> None:
    job.script("print('ran')").hyperparameters["sagemaker_program"] = "./train.py"
    assert job.run(OURS).out == b"ran\n"
    assert job.run(STOCK).code == 1


def test_a_hundred_long_hyperparameters(job: Job) -> None:
    job.script("import sys; print(len(sys.argv), sum(map(len, sys.argv)) > 240_000)")
    job.hyperparameters |= {f"name_{number}": "x" * 2490 for number in range(98)}
    ran = job.run(OURS)
    assert (ran.code, ran.out) == (0, b"197 True\n")
    assert "SM_HPS" in ran.log
    assert job.run(STOCK).code != 0  # Argument list too long


SETUP = "from setuptools import setup; setup(name='mine', version='1', py_modules=['trainer'])"


def test_package(job: Job) -> None:
    job.script("import sys; print('package', sys.argv[1:])", "trainer.py").script(SETUP, "setup.py")
    job.hyperparameters |= {"sagemaker_program": "trainer.py", "epochs": 3}
    offline = {"PIP_NO_BUILD_ISOLATION": "0", "PIP_NO_INDEX": "1"}
    ran = job.run(OURS, environment=offline)
    assert ran.code == 0, ran.log
    assert b"package ['--epochs', '3']\n" in ran.out


def test_requirements_of_a_shell_script_are_installed(job: Job) -> None:
    job.script("#!/bin/sh\npython -c 'import mine; print(mine.VALUE)'\n", "train.sh")
    job.script("VALUE = 'installed'", "local/mine.py")
    job.script(SETUP.replace("trainer", "mine"), "local/setup.py")
    job.script("./local\n", "requirements.txt")
    offline = {"PIP_NO_BUILD_ISOLATION": "0", "PIP_NO_INDEX": "1"}
    job.hyperparameters["sagemaker_program"] = "train.sh"
    ran = job.run(OURS, environment=offline)
    assert ran.code == 0, ran.log
    assert ran.out.endswith(b"installed\n")
    assert job.run(STOCK, environment=offline).code == 1


def test_torchrun_on_one_host(job: Job) -> None:
    job.script(
        "import os, torch.distributed as dist; dist.init_process_group('gloo')\n"
        "print('rank', dist.get_rank(), 'of', dist.get_world_size())\n"
        "dist.destroy_process_group()"
    ).hyperparameters["sagemaker_torch_distributed_enabled"] = True
    ran = job.run(OURS)
    assert ran.code == 0, ran.log
    assert ran.out == b"rank 0 of 1\n"


def test_torchrun_failure_names_the_workers_error(job: Job) -> None:
    job.script("raise ValueError('in the worker')").hyperparameters[
        "sagemaker_torch_distributed_enabled"
    ] = True
    ran = job.run(OURS)
    assert ran.code == 1
    assert 'ErrorMessage "ValueError: in the worker\n' in ran.failure


def test_first_line_comes_no_later_than_with_the_stock_toolkit(job: Job) -> None:
    job.script("import time; print(time.time())")

    def seconds(train: str) -> float:
        how = {"entrypoint": ["/bin/bash", "-c", f"date +%s.%N; exec {train}"]}
        begun, first = job.run(how).out.split()
        return float(first) - float(begun)

    ours, stock = [], []
    for _ in range(5):
        ours.append(seconds("train"))
        stock.append(seconds("/opt/venv/bin/train"))
        time.sleep(0.1)
    assert min(ours) <= min(stock), (ours, stock)


IN_THE_IMAGE = """
import subprocess, time
def seconds(*command):
    began = time.time()
    return float(subprocess.run(command, stdout=-1, text=True).stdout.split()[-1]) - began
now = "import time; print(time.time())"
toolkit = "from sagemaker_training import environment;" + now
rounds = [(seconds("train"), seconds("python", "-c", toolkit)) for _ in range(5)]
print(*map(min, zip(*rounds)))
"""


def test_the_launcher_adds_little_to_the_toolkits_import(job: Job) -> None:
    """Beside what `docker run` takes, which is no less, so that the whole is within 1.2x."""
    job.script("import time; print(time.time())")
    timed = {"entrypoint": ["python", "-c", IN_THE_IMAGE]}
    ours, toolkit = map(float, job.run(timed).out.split())
    assert ours < 2 * toolkit, (ours, toolkit)
