"""1,000 short jobs in real containers, in batches: what is left once they are deleted.

`tests/docker/test_local_load.py` asks the same of fewer.
"""

import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import docker

from benchmarks.startup import ECR
from benchmarks.table import Row, timed
from sagedock import LocalSageMaker
from sagedock.local.platform import HOME_LABEL, home_id

__all__ = ["in_use", "rows"]

JOBS = 1_000
BATCH = 20
BUCKET = "bench"
REGION = "us-west-2"
_SETTLE_S = 30
#: Connections that are kept: to the engine, of HTTP clients, and for reading the state.
SPARE_FILES = 30
#: How the threads of a job are named.
_OF_JOBS = ("job ", "logs ", "_await_host ", "_stop ")


def rows() -> list[Row]:
    """Run the jobs, and count before and after."""
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch) / "home"
        with LocalSageMaker(home=home) as server:
            batches = _Batches(server)
            batches.run(1)
            before = in_use(home)
            seconds = timed(lambda: [batches.run(BATCH) for _ in range(JOBS // BATCH)])
            after = settled(home, before)
    return [
        _row(what, before[what], after[what], f"{JOBS:,} jobs in {seconds:.0f} s")
        for what in before
    ]


def in_use(home: Path) -> Mapping[str, int]:
    """Return how many of each thing jobs use there are now; of those of this process, all."""
    engine = docker.from_env()
    own = {"label": f"{HOME_LABEL}={home_id(home)}"}
    threads = [each for each in threading.enumerate() if each.name.startswith(_OF_JOBS)]
    try:
        return {
            "containers": len(engine.containers.list(all=True, filters=own)),
            "networks": len(engine.networks.list(filters=own)),
            "volumes": len(engine.volumes.list(filters=own)),
            "threads": len(threads),
            "folders": len([*(home / "jobs").glob("*/*"), *(home / "scratch").iterdir()]),
            "open files": len(list(Path("/proc/self/fd").glob("*"))),
            "kB of state": (home / "state.sqlite").stat().st_size // 1000,
        }
    finally:
        engine.close()


def settled(home: Path, before: Mapping[str, int]) -> Mapping[str, int]:
    """Return what is in use once it is no more than ``before``, or what stays."""
    ends = time.monotonic() + _SETTLE_S
    while (now := in_use(home)) and left_over(before, now) and time.monotonic() < ends:
        time.sleep(0.2)
    return now


def left_over(before: Mapping[str, int], after: Mapping[str, int]) -> list[str]:
    """Return what there is more of than before."""
    return [what for what in before if after[what] > before[what] + _spare(what)]


def _spare(what: str) -> int:
    return {"open files": SPARE_FILES, "kB of state": 500}.get(what, 0)


def _row(what: str, before: int, after: int, jobs: str) -> Row:
    return Row(
        what=f"{what} behind {jobs}",
        ours=str(after),
        against=f"before: {before}",
        ratio=f"{after - before:+d}",
        goal=f"at most {_spare(what)} more",
        met=after <= before + _spare(what),
    )


class _Batches:
    """Runs jobs that print a line, and deletes them."""

    def __init__(self, server: LocalSageMaker) -> None:
        options: dict[str, Any] = {
            "endpoint_url": server.endpoint_url,
            "region_name": REGION,
            "aws_access_key_id": "x",
            "aws_secret_access_key": "y",
        }
        self._sagemaker = boto3.client("sagemaker", **options)
        self._made = 0
        boto3.client("s3", **options).create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )

    def run(self, count: int) -> None:
        names = [f"bench-{self._made + number}" for number in range(count)]
        self._made += count
        for name in names:
            self._create(name)
        while not all(self._completed(name) for name in names):
            time.sleep(0.1)
        for name in names:
            self._sagemaker.delete_training_job(TrainingJobName=name)

    def _create(self, name: str) -> None:
        self._sagemaker.create_training_job(
            TrainingJobName=name,
            AlgorithmSpecification={
                "TrainingImage": ECR,
                "TrainingInputMode": "File",
                "ContainerEntrypoint": ["/bin/echo", "short"],
            },
            RoleArn="arn:aws:iam::123456789012:role/bench",
            OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/out"},
            ResourceConfig={
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 1,
            },
            StoppingCondition={"MaxRuntimeInSeconds": 600},
        )

    def _completed(self, name: str) -> bool:
        job = self._sagemaker.describe_training_job(TrainingJobName=name)
        if job["TrainingJobStatus"] in ("Failed", "Stopped"):
            raise RuntimeError(job.get("FailureReason", "it was stopped"))
        return bool(job["TrainingJobStatus"] == "Completed")
