"""Real containers: every test here needs a Docker engine, and says so where there is none."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import APIError

from sagedock import LocalSageMaker
from sagedock.engine import connect
from sagedock.errors import EngineUnavailable
from sagedock.local.platform import HOME_LABEL, home_id
from tests.conftest import BUCKET, REGION, Local

TRAINING_IMAGE = f"123456789012.dkr.ecr.{REGION}.amazonaws.com/sagedock-training:cpu"
#: Markers of tests that build images of gigabytes: left out, unless `-m` asks for them.
GIGABYTES = ("cuda_image", "xla")
#: What a script waits with until ``let_go``.
HOLD = "until [ -e /tmp/go ]; do sleep 0.05; done"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.docker)
    unasked = [marker for marker in GIGABYTES if marker not in config.option.markexpr]
    left_out = [item for item in items if any(map(item.get_closest_marker, unasked))]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="session", autouse=True)
def engine() -> Any:
    """The Docker engine of this machine; the test is skipped where none answers."""
    try:
        return connect()
    except EngineUnavailable as error:
        pytest.skip(str(error))


class RealLocal(Local):
    """A local SageMaker with real containers."""

    def script(self, text: str, **changes: Any) -> dict[str, Any]:
        """Return a request whose container runs a shell script in the training image.

        The script travels in a channel, ``code``: an argument has at most 256 characters.
        """
        uri = self.put("scripts/run.sh", text.encode())
        algorithm = {
            "TrainingImage": TRAINING_IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["/bin/bash", "/opt/ml/input/data/code/run.sh"],
            **changes.pop("AlgorithmSpecification", {}),
        }
        channels = [*changes.pop("InputDataConfig", []), self.channel(uri, "code")]
        return self.job(AlgorithmSpecification=algorithm, InputDataConfig=channels, **changes)

    def start(self, request: dict[str, Any]) -> str:
        """Create the job; return its name."""
        self.client("sagemaker").create_training_job(**request)
        return str(request["TrainingJobName"])

    def run_script(self, text: str, timeout_s: float = 120, **changes: Any) -> Any:
        """Run a shell script as a job, and return what Describe answers at its end."""
        return self.ended(self.start(self.script(text, **changes)), timeout_s)

    def log(self, job: str) -> list[str]:
        """Return every line of a job's log, over all pages."""
        logs = self.client("logs")
        group = "/aws/sagemaker/TrainingJobs"
        lines: list[str] = []
        for stream in logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/")[
            "logStreams"
        ]:
            token: dict[str, str] = {}
            while True:
                page = logs.get_log_events(
                    logGroupName=group,
                    logStreamName=stream["logStreamName"],
                    startFromHead=True,
                    **token,
                )
                lines += [event["message"] for event in page["events"]]
                if token.get("nextToken") == page["nextForwardToken"]:
                    break
                token = {"nextToken": page["nextForwardToken"]}
        return lines

    def put(self, key: str, body: bytes) -> str:
        """Store an object, and return its URI."""
        self.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
        return f"s3://{BUCKET}/{key}"

    def get(self, uri: str) -> bytes:
        """Return an object."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return bytes(self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())

    def printed_json(self, job: str) -> Any:
        """Return the JSON that the job printed as its last line."""
        return json.loads(self.log(job)[-1])


def let_go(engine: Any, home: Path, sign: str = "/tmp/go") -> None:
    """Let the scripts of a home's containers go on that HOLD holds, or that wait for ``sign``."""
    for found in engine.containers({HOME_LABEL: home_id(home)}):
        subprocess.run(["docker", "exec", found.id, "touch", sign], check=True)


def leftovers(engine: Any, local: LocalSageMaker) -> list[str]:
    """Return what a server's home still has in the engine."""
    labels = {HOME_LABEL: home_id(local.settings.home)}
    networks = [name for name in engine.networks(labels) if not miscounted(name)]
    return [each.name for each in engine.containers(labels)] + networks


def miscounted(network: str) -> bool:
    """Say whether Docker refuses to remove a network although no container is in it.

    Before 28.1 it may count wrongly when several containers start at once, and takes the network to
    be in use until it is restarted itself (moby/moby pull requests 49736 and 49812).
    """
    found = docker.from_env().networks.get(network)
    if found.attrs["Containers"]:
        return False
    try:
        found.remove()
    except APIError as error:
        return "has active endpoints" in str(error)
    return False


@pytest.fixture
def real(tmp_path: Path, engine: Any, request: pytest.FixtureRequest) -> Iterator[RealLocal]:
    """A local SageMaker with real containers, and a bucket. Afterwards nothing of it is left.

    A test may be parametrized with settings for it.
    """
    settings = {"check_answers": True, "shutdown_grace_s": 1.0, **getattr(request, "param", {})}
    server = LocalSageMaker(home=tmp_path / "home", **settings)
    with server:
        made = RealLocal(server=server, engine=engine)
        made.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        yield made
    assert leftovers(engine, server) == []
