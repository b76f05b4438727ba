"""scripts/ that are interrupted: nothing goes on, and nothing stays, without a word."""

import os
import signal
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagedock.testing import Call, Reply, serving
from tests.conftest import BUCKET, IMAGE, Local
from tests.unit.client.deploying import Deployer
from tests.unit.local.hosting.conftest import started
from tests.unit.local.hosting.hosting_local import awaited

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"


class Held:
    """A model that answers once ``gate`` is set; ``asked`` is set once it was asked."""

    def __init__(self) -> None:
        self.gate, self.asked = threading.Event(), threading.Event()

    def __call__(self, call: Call) -> Reply:
        if call.path == "/invocations":
            self.asked.set()
            self.gate.wait(60)
        return Reply()


@pytest.fixture
def model() -> Iterator[Held]:
    made = Held()
    yield made
    made.gate.set()


@pytest.fixture
def local(tmp_path: Path, model: Held) -> Iterator[Local]:
    with started(tmp_path / "home") as made:
        made.engine.program = serving(model)
        yield made


def test_a_transform_job_that_is_interrupted_is_stopped(
    local: Local, model: Held, tmp_path: Path
) -> None:
    deployer = Deployer(local)
    deployer.session.client("s3").put_object(Bucket=BUCKET, Key="rows/a.csv", Body=b"1,2\n")
    archive = tmp_path / "model.tar.gz"
    tarfile.open(archive, "w:gz").close()
    command = [sys.executable, str(SCRIPTS / "transform.py"), "--data", f"s3://{BUCKET}/rows/"]
    with subprocess.Popen(
        [*command, "--image", IMAGE, "--model-data", str(archive)],
        env={"PYTHONPATH": os.pathsep.join(sys.path), **local.server.environment()},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as program:
        try:
            assert model.asked.wait(60)
            program.send_signal(signal.SIGINT)
            told, _ = program.communicate(timeout=60)
        finally:
            program.kill()
    assert program.returncode == 130
    assert "Ctrl-C: stopping the transform job digits-" in told
    assert "Traceback" not in told
    assert deployer.there("models") == []
    model.gate.set()
    sagemaker = deployer.session.client("sagemaker")
    awaited(
        lambda: (
            [
                job["TransformJobStatus"]
                for job in sagemaker.list_transform_jobs()["TransformJobSummaries"]
            ]
            == ["Stopped"]
        )
    )


def test_where_a_picture_goes_is_looked_at_first(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPTS / "tune.py"), "--picture", str(tmp_path / "a.txt")]
    home = tmp_path / "home"
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("AWS_", "SAGEDOCK_"))}
    done = subprocess.run(
        command,
        env={**kept, "SAGEDOCK_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.endswith("a picture ends in .png or .svg: name it so\n")
    assert not home.exists()
