"""A server that is not root: what containers write as root never lands in the user's folders."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

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


@pytest.mark.parametrize("second", ["FastFile", "Pipe"])
def test_a_server_that_is_not_root(home: Path, second: str) -> None:
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
            *(python, "-c", PROGRAM, second),
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
    assert json.loads(ran.stdout.splitlines()[-1]) == [USER_ID, "Completed", None]
    owners = {path.lstat().st_uid for path in home.rglob("*")}
    assert owners == {USER_ID}
    model = home / "sagedock/s3/buckets" / BUCKET / "out/probe-1/output/model.tar.gz"
    assert model.is_file()
