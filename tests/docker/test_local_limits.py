"""What goes wrong on the machine: memory that runs out, a disk that is full."""

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagedock import LocalSageMaker
from sagedock.engine import Engine
from sagedock.local.platform import HOME_LABEL, home_id
from tests.conftest import BUCKET, REGION
from tests.docker.conftest import HOLD, RealLocal, let_go
from tests.docker.test_serving_requests import until


def with_bucket(server: LocalSageMaker, engine: Engine) -> RealLocal:
    local = RealLocal(server=server, engine=engine)  # type: ignore[arg-type]
    local.client("s3").create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    return local


def test_a_script_that_is_killed_for_memory(tmp_path: Path, engine: Engine) -> None:
    with LocalSageMaker(home=tmp_path / "home", container_memory_mib=64) as server:
        job = with_bucket(server, engine).run_script(
            "exec python3 -c 'x = bytearray(500_000_000); print(len(x))'"
        )
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"] == (
        "ClientError: Please use an instance type with more memory, or reduce the size of "
        "training data processed on an instance."
    )


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    folder = tmp_path / "tiny"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_disk_that_is_full_when_the_model_is_stored(tiny_disk: Path, engine: Engine) -> None:
    with LocalSageMaker(home=tiny_disk / "home") as server:
        local = with_bucket(server, engine)
        job = local.run_script("head -c 40000000 /dev/urandom > /opt/ml/model/weights")
        assert job["TrainingJobStatus"] == "Failed"
        assert job["FailureReason"] == (
            "ClientError: Artifact upload failed:Insufficient disk space"
        )
        assert list((tiny_disk / "home" / "scratch").iterdir()) == []
        after = local.run_script("echo small > /opt/ml/model/w", TrainingJobName="probe-2")
        assert after["TrainingJobStatus"] == "Completed"


def test_a_disk_that_is_full_for_a_while(tiny_disk: Path, engine: Engine) -> None:
    with LocalSageMaker(home=tiny_disk / "home") as server:
        local = with_bucket(server, engine)
        name = local.start(local.script(HOLD))
        local.until(name, lambda job: job["SecondaryStatus"] == "Training")
        filler = tiny_disk / "filler"
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(4096)):
                pass
        let_go(engine, tiny_disk / "home")
        labels = {HOME_LABEL: home_id(tiny_disk / "home")}
        until(lambda: {each.state for each in engine.containers(labels)} == {"exited"})
        time.sleep(2)  # time to do what must not be done
        still = local.client("sagemaker").describe_training_job(TrainingJobName=name)
        assert still["TrainingJobStatus"] == "InProgress"
        filler.unlink()
        job = local.ended(name)
    assert job["TrainingJobStatus"] == "Failed"
    assert "database or disk is full" in job["FailureReason"]


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Exception, match="set SAGEDOCK_HOME to a folder that can be written"):
        LocalSageMaker(home=tmp_path / "file" / "home").start()
