"""The SageMaker SDK v3: ModelTrainer with source code, without, and with torchrun."""

import uuid
from collections.abc import Iterator
from typing import Any

import docker
import pytest

from tests.clients.conftest import ACCOUNT, HERE, IMAGE, REGION, Runner

pytestmark = pytest.mark.slow

BASE = "sagedock/base:bookworm-py3.11"


@pytest.fixture
def own_image(engine: Any) -> Iterator[str]:
    """The name in ECR of an image that is built for this test, and removed after it."""
    client = docker.from_env()
    try:
        client.images.get(BASE)
    except docker.errors.ImageNotFound:
        pytest.skip(f"the image {BASE} is missing: run `make base`")
    name = f"own-image-{uuid.uuid4().hex[:8]}:1"
    client.images.build(path=str(HERE / "own_image"), tag=name, rm=True)
    yield f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{name}"
    client.images.remove(name)
    client.close()


def test_an_image_of_ones_own_without_source_code(runner: Runner, own_image: str) -> None:
    facts = runner.client("sdk_v3", "sdk_v3/own_image.py", own_image)
    assert facts["status"] == "Completed"
    assert facts["role"] == f"arn:aws:iam::{ACCOUNT}:role/sagedock"
    assert facts["model"] == {
        "parameters": {"rate": "0.5", "layers": "[1, 2]", "label": "own", "deep": "true"},
        "files": ["local/b.csv", "remote/a.csv", "remote/b.csv"],
    }
    assert "files ['local/b.csv', 'remote/a.csv', 'remote/b.csv']" in facts["printed"].splitlines()


def test_source_code_with_its_log(runner: Runner) -> None:
    facts = runner.client("sdk_v3", "sdk_v3/source_code.py", IMAGE, "ours")
    assert facts["status"] == "Completed"
    assert facts["role"] == f"arn:aws:iam::{ACCOUNT}:role/ours"
    assert facts["channels"] == ["train", "code", "sm_drivers"]
    assert facts["metrics"] == {"total": 12.0}
    assert facts["model_uri"].startswith("s3://models-of-ours/out/sagedock-training-job-")
    lines = facts["printed"].splitlines()
    assert lines.count("hello from algo-1 a [v3] job") == 1
    assert lines.count("total=12.0") == 1


def test_torchrun_on_one_host_and_on_two(runner: Runner) -> None:
    facts = runner.client("sdk_v3", "sdk_v3/torchrun.py", IMAGE, "ours")
    assert facts["one-host"] == facts["two-hosts"] == "Completed"
    lines = facts["printed"].splitlines()
    # one host with two processes, and two hosts with one each
    assert lines.count("rank 0 of 2 on algo-1: 9.0") == 2
    assert lines.count("rank 1 of 2 on algo-1: 9.0") == 1
    assert lines.count("rank 1 of 2 on algo-2: 9.0") == 1
