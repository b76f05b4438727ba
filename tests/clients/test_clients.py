"""Other people's clients, unmodified, under ``sagedock local run``.

Each is a program that knows nothing of sagedock, run by a Python of its own that has only the
public packages of requirements.lock.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sagedock.engine import connect
from sagedock.errors import EngineUnavailable

pytestmark = [pytest.mark.clients, pytest.mark.docker]

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
IMAGE = "123456789012.dkr.ecr.us-west-2.amazonaws.com/sagedock-training:cpu"
ROLE = "arn:aws:iam::123456789012:role/anyone"


@pytest.fixture(scope="module")
def clients_python() -> Path:
    """The Python of the clients' own environment, which ``make test`` makes."""
    try:
        connect()
    except EngineUnavailable as error:
        pytest.skip(str(error))
    installed = ROOT / ".venv-clients" / ".installed"
    if not installed.exists():
        pytest.skip("the clients' environment is missing: run `make .venv-clients/.installed`")
    return installed.parent / "bin" / "python"


def run_client(python: Path, home: Path, program: str, *arguments: str) -> Any:
    """Run a program against a local SageMaker of its own; return the JSON it printed last."""
    # Nothing of this process's AWS settings may reach the program: the variables that
    # `sagedock local run` sets must be enough.
    environment = {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "SAGEDOCK_HOME": str(home / "sagedock"),
    }
    done = subprocess.run(
        [
            *(sys.executable, "-m", "sagedock.cli", "local", "run", "--"),
            *(str(python), str(HERE / program), *arguments),
        ],
        env=environment,
        cwd=home,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1]) | {"printed": done.stdout}


def test_plain_boto3_with_nothing_but_the_environment(clients_python: Path, tmp_path: Path) -> None:
    facts = run_client(clients_python, tmp_path, "boto3_train.py", IMAGE)
    assert facts["status"] == "Completed"
    assert facts["metrics"] == {"total": 12.0}
    assert json.loads(facts["model"]) == {"total": 12.0, "label": ""}
    assert facts["model_uri"].endswith(f"/output/{facts['job']}/output/model.tar.gz")
    assert "total=12.0" in facts["log"]


@pytest.mark.slow
def test_the_sdk_v2_estimator_fits_shows_the_log_and_finds_the_model(
    clients_python: Path, tmp_path: Path
) -> None:
    facts = run_client(clients_python, tmp_path, "sdk_v2_estimator.py", IMAGE, ROLE)
    assert facts["status"] == "Completed"
    assert facts["metrics"] == {"total": 12.0}
    assert json.loads(facts["model"]) == {"total": 12.0, "label": "sdk-v2"}
    assert facts["model_uri"].endswith(f"/{facts['job']}/output/model.tar.gz")
    lines = facts["printed"].splitlines()
    assert lines.count("hello from algo-1 sdk-v2") == 1
    assert lines.count("total=12.0") == 1
