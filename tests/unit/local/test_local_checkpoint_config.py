"""A job's checkpoints: restored, uploaded while it runs, deletes mirrored."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock.testing import Container
from tests.conftest import BUCKET, Local
from tests.unit.local.spot_jobs import checkpointed, hasty, start


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Local]:
    with hasty(tmp_path) as made:
        yield made


def test_checkpoints_are_uploaded_while_the_job_runs_and_deletes_are_mirrored(
    local: Local,
) -> None:
    s3, gate = local.client("s3"), threading.Event()
    s3.put_object(Bucket=BUCKET, Key="ckpt/old", Body=b"old")
    s3.put_object(Bucket=BUCKET, Key="ckpt-other/x", Body=b"not ours")
    found: dict[str, Any] = {}

    def keys() -> list[str]:
        page = s3.list_objects_v2(Bucket=BUCKET, Prefix="ckpt/").get("Contents", [])
        return sorted(each["Key"] for each in page)

    def program(container: Container) -> int:
        found["restored"] = sorted(
            name for name in container.files if name.startswith("/opt/ml/checkpoints/")
        )
        container.files["/opt/ml/checkpoints/deep/new"] = b"1"
        gate.wait(60)
        del container.files["/opt/ml/checkpoints/old"]
        container.files["/opt/ml/checkpoints/deep/new"] = b"22"
        container.files["/opt/ml/checkpoints/last"] = b"3"
        container.files["/opt/ml/checkpoints/part.sagemaker-ignore"] = b"4"
        return 0

    name = start(local, program, **checkpointed())
    deadline = time.monotonic() + 60
    while "ckpt/deep/new" not in keys() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert keys() == ["ckpt/deep/new", "ckpt/old"]
    gate.set()
    local.ended(name)
    assert found["restored"] == ["/opt/ml/checkpoints/old"]
    assert keys() == ["ckpt/deep/new", "ckpt/last"]
    assert s3.get_object(Bucket=BUCKET, Key="ckpt/deep/new")["Body"].read() == b"22"
    assert s3.get_object(Bucket=BUCKET, Key="ckpt-other/x")["Body"].read() == b"not ours"


def test_a_local_path_of_ones_own_and_what_the_container_is_told(local: Local) -> None:
    def program(container: Container) -> int:
        container.files["/tmp/ckpt/a"] = b"1"
        return 0

    config = {"S3Uri": f"s3://{BUCKET}/ckpt/", "LocalPath": "/tmp/ckpt/"}
    local.engine.program = program
    container: list[Container] = []
    local.engine.program = lambda each: container.append(each) or program(each)  # type: ignore[func-returns-value]
    local.client("sagemaker").create_training_job(**local.job(CheckpointConfig=config))
    job = local.ended("probe-1")
    assert job["CheckpointConfig"] == config
    told = container[0].files["/opt/ml/input/config/checkpointconfig.json"].decode()
    assert told == f'{{"S3Uri": "s3://{BUCKET}/ckpt/", "LocalPath": "/tmp/ckpt"}}'
    assert local.client("s3").get_object(Bucket=BUCKET, Key="ckpt/a")["Body"].read() == b"1"


def test_checkpoints_of_a_bucket_that_is_not_there_fail_the_download(local: Local) -> None:
    job = local.run(CheckpointConfig={"S3Uri": "s3://no-such-bucket/ckpt"})
    assert job["FailureReason"].startswith("ClientError: Data download failed:")
    assert "no-such-bucket" in job["FailureReason"]


@pytest.mark.parametrize(
    "path", ["/", "/opt/ml", "/opt/ml/model", "/opt/ml/input/data/x", "/a/../b", '/a,"b']
)
def test_a_local_path_that_hides_the_platforms_own_is_refused(local: Local, path: str) -> None:
    with pytest.raises(ClientError, match=r"CheckpointConfig\.LocalPath"):
        local.run(CheckpointConfig={"S3Uri": f"s3://{BUCKET}/ckpt", "LocalPath": path})


@pytest.mark.parametrize("path", ["/opt//ml/model", "//opt/ml//input/data/x", "///"])
def test_slashes_hide_no_path_of_the_platforms_own(local: Local, path: str) -> None:
    with pytest.raises(ClientError, match=r"CheckpointConfig\.LocalPath"):
        local.run(CheckpointConfig={"S3Uri": f"s3://{BUCKET}/ckpt", "LocalPath": path})


def test_a_local_path_is_mounted_where_the_engine_says_that_it_is(local: Local) -> None:
    """Docker takes doubled slashes away: the folder would not be found again."""
    mounted: list[str] = []

    def program(container: Container) -> int:
        mounted.extend(each.target for each in container.spec.overlays)
        return 0

    config = {"S3Uri": f"s3://{BUCKET}/ckpt", "LocalPath": "//tmp//ckpt//"}
    assert local.run(program, CheckpointConfig=config)["TrainingJobStatus"] == "Completed"
    assert "/tmp/ckpt" in mounted


def test_a_file_whose_name_is_no_text_costs_no_other_checkpoint(local: Local) -> None:
    def program(container: Container) -> int:
        container.files["/opt/ml/checkpoints/a\udcff"] = b"0"
        container.files["/opt/ml/checkpoints/b"] = b"1"
        return 0

    job = local.run(program, **checkpointed())
    assert job["TrainingJobStatus"] == "Completed"
    found = local.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="ckpt/")["Contents"]
    assert [each["Key"] for each in found] == ["ckpt/b"]


def test_an_archive_that_breaks_off_ends_no_mirroring(local: Local) -> None:
    """An engine that packs a folder that is written to breaks off when a file gets shorter."""
    s3, gate, broke = local.client("s3"), threading.Event(), threading.Event()
    whole = local.engine.archive

    def torn(container: str, path: str) -> Iterator[bytes]:
        for piece in whole(container, path):
            yield piece if broke.is_set() else piece[:700]
            broke.set()

    def program(container: Container) -> int:
        container.files["/opt/ml/checkpoints/a"] = b"1" * 1000
        gate.wait(60)
        return 0

    local.engine.archive = torn  # type: ignore[method-assign]
    name = start(local, program, **checkpointed())
    ends = time.monotonic() + 10
    while "Contents" not in s3.list_objects_v2(Bucket=BUCKET, Prefix="ckpt/"):
        assert time.monotonic() < ends, "nothing is mirrored any more"
        time.sleep(0.02)
    gate.set()
    assert local.ended(name)["TrainingJobStatus"] == "Completed"
