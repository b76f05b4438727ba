"""A Pipe-mode channel: bytes per second into a container, against `cat` through a bare FIFO.

Both send the same file, to the same reader in the same image, on this machine's one clock.
"""

import os
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

from benchmarks.startup import BUCKET, ECR, IMAGE, Jobs
from benchmarks.table import Row, interleaved
from sagedock import LocalSageMaker

ROUNDS = 5
CHUNK = os.urandom(10_000_000)
BYTES = 2_000_000_000
GOAL = 0.8
GB = 1e9
READ = (
    "until [ -p $0 ]; do sleep 0.01; done; s=$EPOCHREALTIME; cat $0 > /dev/null; "
    "echo read $s $EPOCHREALTIME"
)


def rows() -> list[Row]:
    """Measure a pipe of 2 GB against a bare FIFO."""
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch) / "home"
        with LocalSageMaker(home=home) as server:
            jobs = Jobs(server)
            file = home / "s3" / "buckets" / BUCKET / "piped" / "data"
            file.parent.mkdir(parents=True)
            with file.open("wb") as data:
                for _ in range(BYTES // len(CHUNK)):
                    data.write(CHUNK)
            through_fifo(file, Path(scratch))
            ours, bare, ratio = interleaved(
                ROUNDS, lambda: through_pipe(jobs), lambda: through_fifo(file, Path(scratch))
            )
    return [
        Row(
            what="a pipe of 2 GB, from the local S3 into a container",
            ours=f"{ours / GB:.2f} GB/s",
            against=f"cat through a bare FIFO: {bare / GB:.2f} GB/s",
            ratio=f"{ratio:.2f}x",
            goal=f"at least {GOAL}x",
            met=ratio >= GOAL,
        )
    ]


def through_pipe(jobs: Jobs) -> float:
    """Return the bytes per second that a job reads from its channel."""
    name = f"pipe-{uuid.uuid4().hex[:12]}"
    jobs.sagemaker.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={
            "TrainingImage": ECR,
            "TrainingInputMode": "Pipe",
            "ContainerEntrypoint": ["/bin/bash", "-c"],
            "ContainerArguments": [READ, "/opt/ml/input/data/data_0"],
        },
        RoleArn="arn:aws:iam::123456789012:role/bench",
        InputDataConfig=[jobs.channel("data", "piped")],
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 300},
    )
    while (job := jobs.sagemaker.describe_training_job(TrainingJobName=name))[
        "TrainingJobStatus"
    ] == "InProgress":
        time.sleep(0.05)
    if job["TrainingJobStatus"] != "Completed":
        raise RuntimeError(job["FailureReason"])
    events = jobs.logs.filter_log_events(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{name}/"
    )["events"]
    return rate(events[-1]["message"])


def through_fifo(file: Path, scratch: Path) -> float:
    """Return the bytes per second that a container reads from a FIFO that `cat` writes to."""
    folder = scratch / uuid.uuid4().hex
    folder.mkdir()
    os.mkfifo(folder / "fifo")
    writer = subprocess.Popen(["/bin/sh", "-c", f"cat {file} > {folder / 'fifo'}"])
    ran = subprocess.run(
        [
            *("docker", "run", "--rm", "-v", f"{folder}:/fifos:ro"),
            *("--entrypoint", "/bin/bash", IMAGE, "-c", READ, "/fifos/fifo"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    writer.wait()
    return rate(ran.stdout.splitlines()[-1])


def rate(line: str) -> float:
    """Return the bytes per second of a reader's line."""
    _, began, ended = line.split()
    return BYTES / (float(ended) - float(began))
