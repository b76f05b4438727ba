"""A server that is not root: what containers write as root never lands in the user's folders."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import BUCKET, REGION, ROLE
from tests.docker.conftest import TRAINING_IMAGE

SOCKET = Path("/var/run/docker.sock")
USER_ID = 54321

PROGRAM = f"""
import json, os, sys, time
import boto3
s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
s3.create_bucket(
    Bucket="{BUCKET}", CreateBucketConfiguration={{"LocationConstraint": "{REGION}"}}
)
s3.put_object(Bucket="{BUCKET}", Key="data/a.csv", Body=b"1")
second = sys.argv[1]
read = "cat other_0; sleep 0.2; cat other_1" if second == "Pipe" else "cat other/a.csv"
script = (
    "echo x > /opt/ml/input/data/train/new; echo w > /opt/ml/model/w; id -u; "
    "cd /opt/ml/input/data; test $(" + read + " | wc -c) -gt 0; touch other 2> /dev/null; true"
)
def channel(name, mode):
    source = {{"S3DataType": "S3Prefix", "S3Uri": "s3://{BUCKET}/data"}}
    return {{"ChannelName": name, "InputMode": mode, "DataSource": {{"S3DataSource": source}}}}
sagemaker.create_training_job(
    TrainingJobName="probe-1",
    AlgorithmSpecification={{
        "TrainingImage": "{TRAINING_IMAGE}", "TrainingInputMode": "File",
        "ContainerEntrypoint": ["/bin/bash", "-c"], "ContainerArguments": [script],
    }},
    RoleArn="{ROLE}",
    InputDataConfig=[channel("train", "File"), channel("other", second)],
    OutputDataConfig={{"S3OutputPath": "s3://{BUCKET}/out"}},
    ResourceConfig={{"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}},
    StoppingCondition={{"MaxRuntimeInSeconds": 60}},
)
while (job := sagemaker.describe_training_job(TrainingJobName="probe-1"))[
    "TrainingJobStatus"
] == "InProgress":
    time.sleep(0.2)
print(json.dumps([os.getuid(), job["TrainingJobStatus"], job.get("FailureReason")]))
"""

#: Ends its job once a continuous output is stored.
PROCESSING = f"""
import json, time
import boto3
s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
s3.create_bucket(
    Bucket="{BUCKET}", CreateBucketConfiguration={{"LocationConstraint": "{REGION}"}}
)
script = (
    "cd /opt/ml/processing; touch code/new; echo 1 > live/a; echo 2 > late/b; "
    "ln late/b late/c; ln -s b late/link; until python3 -c 'import boto3; "
    "boto3.client(\\"s3\\").head_object(Bucket=\\"{BUCKET}\\", Key=\\"out/live/a\\")'; "
    "do sleep 0.2; done; echo done > /opt/ml/output/message"
)
s3.put_object(Bucket="{BUCKET}", Key="code/run.sh", Body=script.encode())
def output(name, mode):
    place = {{"S3Uri": "s3://{BUCKET}/out/" + name, "LocalPath": "/opt/ml/processing/" + name}}
    return {{"OutputName": name, "S3Output": {{**place, "S3UploadMode": mode}}}}
sagemaker.create_processing_job(
    ProcessingJobName="probe-1",
    AppSpecification={{
        "ImageUri": "{TRAINING_IMAGE}",
        "ContainerEntrypoint": ["/bin/bash", "/opt/ml/processing/code/run.sh"],
    }},
    ProcessingInputs=[{{
        "InputName": "code",
        "S3Input": {{
            "S3Uri": "s3://{BUCKET}/code/", "LocalPath": "/opt/ml/processing/code",
            "S3DataType": "S3Prefix", "S3InputMode": "File",
        }},
    }}],
    ProcessingOutputConfig={{
        "Outputs": [output("live", "Continuous"), output("late", "EndOfJob")]
    }},
    RoleArn="{ROLE}",
    ProcessingResources={{"ClusterConfig": {{
        "InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1,
    }}}},
)
while "ProcessingEndTime" not in (
    job := sagemaker.describe_processing_job(ProcessingJobName="probe-1")
):
    time.sleep(0.2)
print(json.dumps([job["ProcessingJobStatus"], job.get("ExitMessage", job.get("FailureReason"))]))
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that others may reach: pytest's own are closed to them."""
    with tempfile.TemporaryDirectory(prefix="not-root-") as folder:
        yield Path(folder)


def python_for(user: list[str]) -> str | None:
    """Return a Python of our version that ``user`` may run, or None: ours may be root's alone."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, f"/usr/bin/python{version}"):
        # From a shell, so that the search of the path is the user's own.
        probe = subprocess.run([*user, "/bin/sh", "-c", f"{python} -c pass"], check=False)
        if probe.returncode == 0:
            return python
    return None


def run_as_nobody(home: Path, program: str, *arguments: str) -> Any:
    """Run a program under `sagedock local run` as a user who is not root, with Docker's own socket.

    Return the JSON that it printed last. The test is skipped where that cannot be done.
    """
    if os.geteuid() != 0 or not SOCKET.exists() or not shutil.which("setpriv"):
        pytest.skip("becoming another user needs root, setpriv and Docker's own socket")
    group = SOCKET.stat().st_gid
    user = ["setpriv", f"--reuid={USER_ID}", f"--regid={group}", "--clear-groups"]
    python = python_for(user)
    if python is None:
        pytest.skip("no Python of this version that a user who is not root may run")
    os.chown(home, USER_ID, group)
    ran = subprocess.run(
        [
            *user,
            *(python, "-m", "sagedock.cli", "local", "run", "--"),
            *(python, "-c", program, *arguments),
        ],
        env={
            **os.environ,
            "HOME": str(home),
            "SAGEDOCK_HOME": str(home / "sagedock"),
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    owners = {path.lstat().st_uid for path in home.rglob("*")}
    assert owners == {USER_ID}
    return json.loads(ran.stdout.splitlines()[-1])


@pytest.mark.parametrize("second", ["FastFile", "Pipe"])
def test_a_server_that_is_not_root(home: Path, second: str) -> None:
    assert run_as_nobody(home, PROGRAM, second) == [USER_ID, "Completed", None]
    model = home / "sagedock/s3/buckets" / BUCKET / "out/probe-1/output/model.tar.gz"
    assert model.is_file()


def test_outputs_of_a_server_that_is_not_root(home: Path) -> None:
    """It may not look into the engine's folders: files are copied out of the containers."""
    assert run_as_nobody(home, PROCESSING) == ["Completed", "done\n"]
    out = home / "sagedock/s3/buckets" / BUCKET / "out"
    assert {str(each.relative_to(out)): each.read_text() for each in out.glob("*/*")} == {
        "live/a": "1\n",
        "late/b": "2\n",
        "late/c": "2\n",
    }
