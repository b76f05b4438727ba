"""`sagedock load` of endpoints of the local SageMaker: the serving image, called for real."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sagedock import Model, Session
from tests.conftest import ROLE
from tests.docker.conftest import RealLocal

IMAGE = "123456789012.dkr.ecr.us-west-2.amazonaws.com/sagedock-serving:cpu"
PROGRAM = """
def model_fn(model_dir):
    return 100

def predict_fn(numbers, model):
    return [model + number for number in numbers]

def output_fn(prediction, accept):
    import json
    for number in prediction:
        yield json.dumps(int(number)) + "\\n"
"""


@pytest.fixture
def endpoint(real: RealLocal, tmp_path: Path) -> str:
    """An endpoint with two instances."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "inference.py").write_text(PROGRAM)
    session = Session(target="local", environ=real.server.environment(), show=lambda _: None)
    model = Model(
        image_uri=IMAGE,
        role=ROLE,
        entry_point="inference.py",
        source_dir=str(source),
        session=session,
        show=lambda _: None,
    )
    return model.deploy(2, "ml.m5.large", endpoint_name="adds").endpoint_name


def load(real: RealLocal, *words: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "sagedock.cli", "load", *words, "--json"],
        env=real.server.environment() | {"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_an_endpoint_is_measured_and_advised(
    real: RealLocal, endpoint: str, tmp_path: Path
) -> None:
    report = tmp_path / "load.html"
    body = ("--text", "[1, 2]", "--content-type", "application/json")
    told = load(
        real,
        *(endpoint, *body, "--sweep", "concurrency=1,4", "--requests", "50"),
        *("--latency-goal", "1000", "--report", str(report)),
    )
    levels = told["levels"]
    assert [level["result"]["answered"] for level in levels] == [50, 50]
    assert all(level["result"]["failed"] == 0 for level in levels)
    assert told["advice"]["invocations"] > 0
    assert "requests/s per instance" in told["advice"]["why"]["invocations"]
    assert "adds" in report.read_text()


def test_a_stream_is_measured_to_its_first_piece(real: RealLocal, endpoint: str) -> None:
    told = load(
        real,
        *(endpoint, "--text", "[1, 2, 3]", "--content-type", "application/json"),
        *("--stream", "--requests", "20", "--concurrency", "2"),
    )
    (level,) = told["levels"]
    assert level["result"]["answered"] == 20
    assert level["result"]["first_byte"]["p50_ms"] <= level["result"]["latency"]["p50_ms"]
