"""A server that is killed loses no version, and no event that was not told yet."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tests.conftest import IMAGE, REGION
from tests.unit.local.hosting.hosting_local import awaited

PROGRAM = """
import sys, threading
from sagedock import LocalSageMaker
from sagedock.testing import FakeEngine
engine = FakeEngine(lambda _: 0, images=[sys.argv[2]])
with LocalSageMaker(home=sys.argv[1], engine=engine, event_hook=tuple(sys.argv[3:])) as server:
    print(server.endpoint_url, flush=True)
    threading.Event().wait()
"""
APPEND = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read() + chr(10))"


@contextmanager
def server(home: Path, *hook: str) -> Iterator[Any]:
    """Run a server that is killed without notice at the end; yield a client of it."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(home), IMAGE, *hook],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ},
    )
    assert process.stdout is not None
    try:
        yield boto3.client(
            "sagemaker",
            endpoint_url=process.stdout.readline().strip(),
            region_name=REGION,
            aws_access_key_id="x",
            aws_secret_access_key="y",
            config=Config(retries={"max_attempts": 1}),
        )
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()


def register(sagemaker: Any) -> str:
    answer = sagemaker.create_model_package(
        ModelPackageGroupName="Models", InferenceSpecification={"Containers": [{"Image": IMAGE}]}
    )
    return str(answer["ModelPackageArn"])


def told_to(file: Path) -> list[Any]:
    text = file.read_text() if file.is_file() else ""
    return [json.loads(line)["detail"]["ModelPackageVersion"] for line in text.splitlines()]


def test_the_next_server_has_all_versions_and_tells_the_rest(tmp_path: Path) -> None:
    home, told = tmp_path / "home", tmp_path / "told"
    with server(home, "sh", "-c", "cat > /dev/null; sleep 2") as sagemaker:
        sagemaker.create_model_package_group(ModelPackageGroupName="Models")
        first = [register(sagemaker) for _ in range(3)]
    assert [arn.rpartition("/")[2] for arn in first] == ["1", "2", "3"]
    with server(home, sys.executable, "-c", APPEND, str(told)) as sagemaker:
        awaited(lambda: told_to(told)[-2:] == [2, 3])
        assert register(sagemaker).endswith("/4")
        awaited(lambda: told_to(told)[-3:] == [2, 3, 4])
        listed = sagemaker.list_model_packages(ModelPackageGroupName="Models")
        assert [each["ModelPackageArn"] for each in listed["ModelPackageSummaryList"]][1:] == (
            first[::-1]
        )
