"""requirements.txt without a network: from a channel of wheels, or a clear word at once."""

import json
import zipfile
from pathlib import Path

import pytest

from tests.docker.launcher_job import OURS, Job, job

__all__ = ["job"]
pytestmark = pytest.mark.docker

SETUP = "from setuptools import setup; setup(name='own', version='1', py_modules=['train'])"
USES = "import mine; print(mine.VALUE)"
PROGRAMS = {
    "script": {"train.py": USES},
    "package": {"train.py": USES, "setup.py": SETUP},
    "shell": {"train.sh": f"#!/bin/sh\nexec python -c '{USES}'\n"},
}


def wheel(folder: Path, name: str, code: str, requires: str = "") -> None:
    """Write a wheel of one module."""
    folder.mkdir(parents=True, exist_ok=True)
    about = f"{name}-1.dist-info"
    needs = f"Requires-Dist: {requires}\n" if requires else ""
    with zipfile.ZipFile(folder / f"{name}-1-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}.py", code)
        archive.writestr(
            f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n{needs}"
        )
        archive.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{about}/RECORD", f"{name}.py,,\n")


@pytest.fixture
def isolated(job: Job) -> Job:
    """A job without a network, whose requirements.txt asks for a wheel that needs another."""
    job.script("mine==1\n", "requirements.txt")
    wheels = job.opt_ml / "input" / "data" / "wheelhouse"
    wheel(wheels, "mine", "from needed import VALUE", requires="needed")
    wheel(wheels, "needed", "VALUE = 'from the wheelhouse'")
    job.channels["wheelhouse"] = {"TrainingInputMode": "File"}
    return job


@pytest.mark.parametrize("kind", PROGRAMS)
def test_every_kind_of_program_gets_its_wheels(isolated: Job, kind: str) -> None:
    for name, text in PROGRAMS[kind].items():
        isolated.script(text, name)
    isolated.hyperparameters["sagemaker_program"] = next(iter(PROGRAMS[kind]))
    ran = isolated.run(OURS, network_mode="none")
    assert ran.code == 0, ran.log
    assert ran.out.endswith(b"from the wheelhouse\n")


def test_a_wheelhouse_without_wheels_is_named(isolated: Job) -> None:
    for file in (isolated.opt_ml / "input" / "data" / "wheelhouse").iterdir():
        file.unlink()
    isolated.script(USES).hyperparameters["sagemaker_program"] = "train.py"
    ran = isolated.run(OURS, network_mode="none")
    assert ran.code == 1
    assert "channel wheelhouse: /opt/ml/input/data/wheelhouse holds no wheel" in ran.failure


def test_without_a_wheelhouse_the_remedy_is_said_at_once(isolated: Job) -> None:
    isolated.channels.clear()
    isolated.script(USES).hyperparameters["sagemaker_program"] = "train.py"
    ran = isolated.run(OURS, network_mode="none")
    assert ran.code == 1
    assert "Retrying" not in ran.log, "pip alone tries again for half a minute and longer"
    assert "No matching distribution found for mine==1" in ran.failure
    assert "channel 'wheelhouse'" in ran.failure


def test_what_the_image_has_needs_no_index(job: Job) -> None:
    job.script("print('ran')").script("numpy\n", "requirements.txt")
    job.hyperparameters["sagemaker_program"] = "train.py"
    ran = job.run(OURS, network_mode="none")
    assert ran.code == 0, ran.log
    assert ran.out.endswith(b"ran\n")
    assert json.loads((job.opt_ml / "input/config/hyperparameters.json").read_text())
