"""What a job takes to the first line of its script, and whose the time is.

Two measurements. From CreateTrainingJob, against `docker run IMAGE train`: both run the same image
and the same script through the same launcher. And from `docker run IMAGE train`, against a bare
`docker run IMAGE python -c` and the import of AWS's toolkit: what is left is the launcher's own,
and the start of the script's Python. The script itself says when it began, on the one clock.
"""

import json
import statistics
import subprocess
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import boto3

from benchmarks.table import Row, interleaved
from sagedock import LocalSageMaker

IMAGE = "sagedock-training:cpu"
ECR = f"123456789012.dkr.ecr.us-west-2.amazonaws.com/{IMAGE}"
BUCKET = "bench"
SCRIPT = "import time; print('began', time.time(), flush=True)\n"
ROUNDS = 9
GOAL = 1.3
LAUNCHER_GOAL = 1.2
BEGAN = "import time; print('began', time.time(), flush=True)"
#: In the container: the seconds that importing the toolkit takes a Python that has just started.
TOOLKIT = """
import time
began = time.perf_counter()
from sagemaker_training import environment
print('began', time.perf_counter() - began)
"""


class Jobs:
    """Runs the one-line job on a local SageMaker; says when the script began."""

    def __init__(self, server: LocalSageMaker) -> None:
        options: dict[str, Any] = {
            "endpoint_url": server.endpoint_url,
            "region_name": "us-west-2",
            "aws_access_key_id": "x",
            "aws_secret_access_key": "y",
        }
        self.sagemaker = boto3.client("sagemaker", **options)
        self.logs = boto3.client("logs", **options)
        self.s3 = boto3.client("s3", **options)
        self.s3.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
        )
        self.s3.put_object(Bucket=BUCKET, Key="code/train.py", Body=SCRIPT.encode())

    def channel(self, name: str, prefix: str) -> dict[str, Any]:
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{prefix}"}
        return {"ChannelName": name, "DataSource": {"S3DataSource": source}}

    def seconds_to_first_line(self, *more: dict[str, Any]) -> float:
        name = f"bench-{uuid.uuid4().hex[:12]}"
        asked = time.time()
        self.sagemaker.create_training_job(
            TrainingJobName=name,
            AlgorithmSpecification={"TrainingImage": ECR, "TrainingInputMode": "File"},
            RoleArn="arn:aws:iam::123456789012:role/bench",
            HyperParameters={
                "sagemaker_program": "train.py",
                "sagemaker_submit_directory": "/opt/ml/input/data/code",
            },
            InputDataConfig=[self.channel("code", "code"), *more],
            OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/out"},
            ResourceConfig={
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 1,
            },
            StoppingCondition={"MaxRuntimeInSeconds": 60},
        )
        while not (job := self._ended(name)):
            time.sleep(0.05)
        if job["TrainingJobStatus"] != "Completed":
            raise RuntimeError(job["FailureReason"])
        return self._began(name) - asked

    def _ended(self, name: str) -> dict[str, Any] | None:
        job: dict[str, Any] = self.sagemaker.describe_training_job(TrainingJobName=name)
        return None if job["TrainingJobStatus"] == "InProgress" else job

    def _began(self, name: str) -> float:
        found = self.logs.filter_log_events(
            logGroupName="/aws/sagemaker/TrainingJobs",
            logStreamNamePrefix=f"{name}/",
            filterPattern="began",
        )["events"]
        return float(found[0]["message"].split()[1])


def bare_run(folder: Path) -> float:
    """Run the same job by `docker run` alone; return the seconds to the script's first line."""
    asked = time.time()
    return _told("-v", f"{folder}:/opt/ml", IMAGE, "train") - asked


def bare_python() -> float:
    """Run nothing but Python in the same image; return the seconds to its first line."""
    asked = time.time()
    return _told(IMAGE, "python", "-c", BEGAN) - asked


def toolkit_import(folder: Path) -> float:
    """Return the seconds that importing AWS's toolkit takes in the image."""
    return _told("-v", f"{folder}:/opt/ml", IMAGE, "python", "-c", TOOLKIT)


def _told(*words: str) -> float:
    ran = subprocess.run(
        ["docker", "run", "--rm", *words], capture_output=True, text=True, check=True
    )
    line = next(line for line in ran.stdout.splitlines() if line.startswith("began"))
    return float(line.split()[1])


def opt_ml(folder: Path) -> Path:
    """Lay out /opt/ml for the bare run as the platform does."""
    config = folder / "input" / "config"
    code = folder / "input" / "data" / "code"
    for each in (config, code, folder / "model", folder / "output" / "data"):
        each.mkdir(parents=True)
    (code / "train.py").write_text(SCRIPT)
    contents = {
        "hyperparameters.json": {
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": "/opt/ml/input/data/code",
        },
        "inputdataconfig.json": {"code": {"TrainingInputMode": "File"}},
        "resourceconfig.json": {
            "current_host": "algo-1",
            "hosts": ["algo-1"],
            "network_interface_name": "eth0",
            "current_instance_type": "ml.m5.large",
        },
    }
    for name, content in contents.items():
        (config / name).write_text(json.dumps(content))
    return folder


def rows() -> list[Row]:
    """Measure the start of a job."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = opt_ml(Path(scratch) / "bare")
        with LocalSageMaker(home=Path(scratch) / "home") as server:
            jobs = Jobs(server)
            jobs.seconds_to_first_line()
            bare_run(folder)
            ours, bare, ratio = interleaved(
                ROUNDS, jobs.seconds_to_first_line, lambda: bare_run(folder)
            )
        return [
            Row(
                what="CreateTrainingJob to the script's first line",
                ours=f"{ours:.2f} s",
                against=f"docker run IMAGE train: {bare:.2f} s",
                ratio=f"{ratio:.2f}x",
                goal=f"at most {GOAL}x",
                met=ratio <= GOAL,
            ),
            launcher_row(folder),
        ]


def launcher_row(folder: Path) -> Row:
    """Measure the launcher alone, and split its time."""
    parts: list[tuple[float, float]] = []

    def against() -> float:
        parts.append((bare_python(), toolkit_import(folder)))
        return sum(parts[-1])

    whole, _, ratio = interleaved(ROUNDS, lambda: bare_run(folder), against)
    python, toolkit = (statistics.median(each) for each in zip(*parts, strict=True))
    return Row(
        what=f"docker run IMAGE train to the first line; ours: {whole - python - toolkit:.3f} s",
        ours=f"{whole:.3f} s",
        against=f"docker run IMAGE python -c: {python:.3f} s, toolkit's import: {toolkit:.3f} s",
        ratio=f"{ratio:.2f}x",
        goal=f"at most {LAUNCHER_GOAL}x",
        met=ratio <= LAUNCHER_GOAL,
    )
