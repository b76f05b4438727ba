"""What every test may use: a local SageMaker whose containers are Python functions."""

import gc
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import httpx
import pytest
from botocore.config import Config
from hypothesis import settings

from sagedock import LocalSageMaker
from sagedock.testing import Container, FakeEngine
from tests import in_memory
from tests.amount import amount

ACCOUNT = "123456789012"
REGION = "us-west-2"
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/probe:1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/sagedock"
BUCKET = "probe-bucket"
_LONGEST_PAUSE_S = 0.05


def pytest_configure() -> None:
    """Let signals reach the programs that tests start, also where we run in the background: what
    is ignored here would be ignored there. Let properties try as many examples as there are to be,
    the same ones in every run, however slow the machine; RANDOM_EXAMPLES=1 makes new ones.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    settings.register_profile(
        "amount",
        max_examples=amount(100, quick=25),
        deadline=None,
        derandomize=not os.environ.get("RANDOM_EXAMPLES"),
    )
    settings.load_profile("amount")
    # Every boto3 session reads AWS's service models anew, a third of the time of many tests. Those
    # of one process share what was read, as all clients of one session do.
    botocore.session.create_loader = cache(botocore.session.create_loader)


def pytest_collection_finish() -> None:
    """Let Python's garbage collector pass over ten thousand tests and what they import: else it
    looks at all of that again and again, a sixth of the time of the tests.
    """
    gc.collect()
    gc.freeze()


def _new_client(service: str, region: str, endpoint_url: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint_url,
        region_name=region,
        aws_access_key_id="x",
        aws_secret_access_key="y",
        config=Config(retries={"max_attempts": 1}, parameter_validation=False),
    )


@cache
def plain_http() -> httpx.Client:
    """Return a client that is there already, and reads no certificates: making one takes long."""
    return httpx.Client(verify=False, timeout=60)


def _make_bucket(endpoint_url: str) -> None:
    """Make the bucket as boto3 does, without a client, which most tests need for nothing else."""
    signed = f"AWS4-HMAC-SHA256 Credential=x/20260101/{REGION}/s3/aws4_request, Signature=0"
    place = f"<LocationConstraint>{REGION}</LocationConstraint>"
    plain_http().put(
        f"{endpoint_url}/{BUCKET}",
        headers={"authorization": signed},
        content=f"<CreateBucketConfiguration>{place}</CreateBucketConfiguration>",
    ).raise_for_status()


@dataclass(frozen=True)
class Local:
    """A running local SageMaker with a fake engine, and boto3 clients for it."""

    server: LocalSageMaker
    engine: FakeEngine
    _clients: dict[tuple[str, str, str], Any] = field(default_factory=dict, repr=False)

    def client(self, service: str, region: str = REGION) -> Any:
        """Return a boto3 client of the server, the same one each time: making one takes long."""
        key = (service, region, self.server.endpoint_url)
        if key not in self._clients:
            self._clients[key] = _new_client(*key)
        return self._clients[key]

    def job(self, **changes: Any) -> dict[str, Any]:
        """Return a valid CreateTrainingJob request, with ``changes`` laid over it."""
        request: dict[str, Any] = {
            "TrainingJobName": "probe-1",
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "RoleArn": ROLE,
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/out/"},
            "ResourceConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 10,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
            **changes,
        }
        return {name: value for name, value in request.items() if value is not None}

    def channel(self, uri: str, name: str = "train", **changes: Any) -> dict[str, Any]:
        """Return an input channel."""
        source = {
            "S3DataType": "S3Prefix",
            "S3Uri": uri,
            "S3DataDistributionType": "FullyReplicated",
        }
        return {"ChannelName": name, "DataSource": {"S3DataSource": source}, **changes}

    def run(self, program: Callable[[Container], int] | None = None, **changes: Any) -> Any:
        """Create a job, wait for its end, and return what Describe answers."""
        if program is not None:
            self.engine.program = program
        request = self.job(**changes)
        self.client("sagemaker").create_training_job(**request)
        return self.ended(request["TrainingJobName"])

    def ended(self, name: str, timeout_s: float = 60) -> Any:
        """Wait until a job has ended, and return what Describe answers."""
        return self.until(
            name,
            lambda job: job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped"),
            timeout_s,
        )

    def until(self, name: str, true: Callable[[Any], bool], timeout_s: float = 60) -> Any:
        """Wait until Describe answers what is awaited."""
        sagemaker = self.client("sagemaker")
        ends, pause_s = time.monotonic() + timeout_s, 0.005
        while not true(job := sagemaker.describe_training_job(TrainingJobName=name)):
            assert time.monotonic() < ends, f"still {job['SecondaryStatus']}"
            time.sleep(pause_s)
            pause_s = min(1.5 * pause_s, _LONGEST_PAUSE_S)  # asking keeps the processor busy
        return job

    def statuses(self, job: Any) -> list[tuple[str, str]]:
        """Return the transitions as (status, message)."""
        return [(t["Status"], t["StatusMessage"]) for t in job["SecondaryStatusTransitions"]]


def succeed(_: Container) -> int:
    """A container that ends at once, with success."""
    return 0


@contextmanager
def _running(home: Path) -> Iterator[Local]:
    engine = FakeEngine(succeed, images=[IMAGE])
    with LocalSageMaker(
        home=home, engine=engine, check_answers=True, shutdown_grace_s=0.2
    ) as server:
        _make_bucket(server.endpoint_url)
        yield Local(server=server, engine=engine)


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Local]:
    """A local SageMaker with a bucket, an image, and containers that succeed at once."""
    with _running(tmp_path / "home") as made:
        yield made


@pytest.fixture(scope="module")
def local_of_the_file() -> Iterator[Local]:
    """The same for all tests of a file, where none leaves what another minds."""
    with in_memory.folder() as made, _running(made / "home") as running:
        yield running
