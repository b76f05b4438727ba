"""A training job's /opt/ml, and the training image run on it by our `train` or the stock one."""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import DockerException, ImageNotFound
from docker.models.containers import Container

IMAGE = os.environ.get("SAGEDOCK_TEST_TRAINING_IMAGE", "sagedock-training:cpu")
OURS = {"command": ["train"]}
#: AWS's toolkit as installed in the same image.
STOCK = {"entrypoint": ["/opt/venv/bin/train"]}
#: The launcher of this working tree, not the one of the last build.
SOURCE = Path(__file__).parents[2] / "src" / "sagedock"
LABEL = "sagedock.test.launcher"


@dataclass(frozen=True, kw_only=True)
class Ran:
    """How a container ended, and what it left."""

    code: int
    out: bytes
    err: bytes
    opt_ml: Path

    @property
    def failure(self) -> str:
        return (self.opt_ml / "output" / "failure").read_text(encoding="utf-8")

    @property
    def log(self) -> str:
        return (self.out + self.err).decode("utf-8", "replace")


@dataclass
class Job:
    """One job: change its files, then run it. Each run starts from the files as they are then."""

    client: Any
    opt_ml: Path
    hyperparameters: dict[str, Any] = field(default_factory=dict)
    channels: dict[str, dict[str, str]] = field(default_factory=dict)
    resources: dict[str, Any] = field(
        default_factory=lambda: {
            "current_host": "algo-1",
            "hosts": ["algo-1"],
            "network_interface_name": "eth0",
        }
    )
    containers: list[Container] = field(default_factory=list)
    image: str = IMAGE

    def script(self, text: str, name: str = "train.py") -> "Job":
        file = self.opt_ml / "code" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        self.hyperparameters.setdefault("sagemaker_program", name)
        return self

    def start(self, how: dict[str, Any], **options: Any) -> Container:
        config = self.opt_ml / "input" / "config"
        config.mkdir(parents=True, exist_ok=True)
        for folder in ("model", "output/data"):
            (self.opt_ml / folder).mkdir(parents=True, exist_ok=True)
        for name in ("failure", "success"):
            (self.opt_ml / "output" / name).unlink(missing_ok=True)
        texts = {name: json.dumps(value) for name, value in self.hyperparameters.items()}
        (config / "hyperparameters.json").write_text(json.dumps(texts))
        (config / "inputdataconfig.json").write_text(json.dumps(self.channels))
        (config / "resourceconfig.json").write_text(json.dumps(self.resources))
        volumes = [
            f"{self.opt_ml}:/opt/ml",
            f"{SOURCE}:/opt/sagedock/lib/sagedock:ro",
            *options.pop("volumes", []),
        ]
        if "network_mode" not in options:
            options.setdefault("extra_hosts", {"algo-1": "127.0.0.1"})
        container = self.client.containers.run(
            IMAGE, detach=True, volumes=volumes, labels=[LABEL], **how, **options
        )
        self.containers.append(container)
        return container

    def ended(self, container: Container, timeout_s: int = 120) -> Ran:
        code = container.wait(timeout=timeout_s)["StatusCode"]
        out = container.logs(stdout=True, stderr=False)
        err = container.logs(stdout=False, stderr=True)
        return Ran(code=code, out=out, err=err, opt_ml=self.opt_ml)

    def run(self, how: dict[str, Any], **options: Any) -> Ran:
        return self.ended(self.start(how, **options))


def until_said(container: Container, text: str) -> None:
    """Wait until a container's log has ``text``."""
    deadline = time.monotonic() + 60
    while text.encode() not in (log := container.logs()):
        assert time.monotonic() < deadline, log.decode("utf-8", "replace")
        time.sleep(0.1)


def new_job(opt_ml: Path) -> Iterator[Job]:
    """Yield a job of which nothing is left afterwards; skip where there is no engine or image."""
    try:
        client = docker.from_env()
        client.images.get(IMAGE)
    except ImageNotFound:
        pytest.skip(f"the image {IMAGE} is not built: make build")
    except DockerException as error:
        pytest.skip(f"no Docker engine answers: {error}")
    job = Job(client=client, opt_ml=opt_ml)
    yield job
    for container in job.containers:
        container.remove(force=True, v=True)
    client.close()


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    yield from new_job(tmp_path)
