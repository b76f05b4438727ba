"""Processing jobs on a local SageMaker: requests, and what came of them."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sagedock.testing import Container
from tests.conftest import BUCKET, IMAGE, ROLE, Local

__all__ = ["GROUP", "Processing", "holding"]

GROUP = "/aws/sagemaker/ProcessingJobs"
FOLDER = "/opt/ml/processing"
_LONGEST_PAUSE_S = 0.05


def holding(container: Container) -> int:
    """A program that goes on until it is stopped."""
    container.terminated.wait(60)
    return 0


@dataclass(frozen=True)
class Processing:
    """Makes processing jobs on ``local``, whose containers run ``image``."""

    local: Local
    image: str = IMAGE

    @property
    def sagemaker(self) -> Any:
        return self.local.client("sagemaker")

    def request(self, **changes: Any) -> dict[str, Any]:
        """Return a valid CreateProcessingJob request, with ``changes`` laid over it."""
        request: dict[str, Any] = {
            "ProcessingJobName": "probe-1",
            "AppSpecification": {"ImageUri": self.image},
            "RoleArn": ROLE,
            "ProcessingResources": self.resources(),
            **changes,
        }
        return {name: value for name, value in request.items() if value is not None}

    def resources(self, count: int = 1, **changes: Any) -> dict[str, Any]:
        """Return ProcessingResources."""
        cluster = {"InstanceType": "ml.m5.large", "InstanceCount": count, "VolumeSizeInGB": 1}
        return {"ClusterConfig": {**cluster, **changes}}

    def input(self, uri: str, path: str = "input", **changes: Any) -> dict[str, Any]:
        """Return an input at ``path`` below the folder of all."""
        source = {
            "S3Uri": uri,
            "LocalPath": f"{FOLDER}/{path}",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            **changes,
        }
        return {"InputName": path, "S3Input": source}

    def outputs(self, *paths: str, mode: str = "EndOfJob") -> dict[str, Any]:
        """Return ProcessingOutputConfig, with outputs at paths below the folder of all."""
        found = [
            {
                "OutputName": path,
                "S3Output": {
                    "S3Uri": f"s3://{BUCKET}/out/{path}",
                    "LocalPath": f"{FOLDER}/{path}",
                    "S3UploadMode": mode,
                },
            }
            for path in paths
        ]
        return {"Outputs": found}

    def create(self, **changes: Any) -> str:
        """Create a job; return its name."""
        request = self.request(**changes)
        self.sagemaker.create_processing_job(**request)
        return str(request["ProcessingJobName"])

    def run(self, program: Callable[[Container], int] | None = None, **changes: Any) -> Any:
        """Create a job, wait for its end, and return what Describe answers."""
        if program is not None:
            self.local.engine.program = program
        return self.ended(self.create(**changes))

    def ended(self, name: str = "probe-1") -> Any:
        """Wait until a job has ended, and return what Describe answers."""
        return self.until(lambda job: "ProcessingEndTime" in job, name)

    def until(self, true: Callable[[Any], bool], name: str = "probe-1") -> Any:
        """Wait until Describe answers what is awaited, and return it."""
        found: list[Any] = []

        def asked() -> bool:
            found.append(self.sagemaker.describe_processing_job(ProcessingJobName=name))
            return true(found[-1])

        self.await_that(asked)
        return found[-1]

    def await_that(self, true: Callable[[], bool], timeout_s: float = 90) -> None:
        """Wait until something is so."""
        ends, pause_s = time.monotonic() + timeout_s, 0.005
        while not true():
            assert time.monotonic() < ends, "it did not come"
            time.sleep(pause_s)
            pause_s = min(1.5 * pause_s, _LONGEST_PAUSE_S)

    def put(self, key: str, body: bytes) -> str:
        """Store an object, and return its URI."""
        self.local.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
        return f"s3://{BUCKET}/{key}"

    def stored(self) -> dict[str, bytes]:
        """Return the objects below out/, by what follows that."""
        s3 = self.local.client("s3")
        found = s3.list_objects_v2(Bucket=BUCKET, Prefix="out/").get("Contents", ())
        return {
            each["Key"].removeprefix("out/"): s3.get_object(Bucket=BUCKET, Key=each["Key"])[
                "Body"
            ].read()
            for each in found
        }

    def log(self, name: str = "probe-1") -> list[str]:
        """Return the lines of a job's streams, in the order of the streams' names."""
        logs = self.local.client("logs")
        return [
            event["message"]
            for stream in self.streams(f"{name}/")
            for event in logs.get_log_events(
                logGroupName=GROUP, logStreamName=stream, startFromHead=True
            )["events"]
        ]

    def streams(self, prefix: str = "") -> list[str]:
        """Return the names of the streams; of none, there is not even the group."""
        logs = self.local.client("logs")
        named = {"logStreamNamePrefix": prefix} if prefix else {}
        try:
            found = logs.describe_log_streams(logGroupName=GROUP, **named)["logStreams"]
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [each["logStreamName"] for each in found]
