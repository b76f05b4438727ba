"""What the tests of jobs whose machines are taken away, or that save checkpoints, share."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sagedock import LocalSageMaker
from sagedock.api import states
from sagedock.local import control
from sagedock.testing import FakeEngine
from tests.conftest import BUCKET, IMAGE, REGION, Local, succeed

SPOT: dict[str, Any] = {
    "EnableManagedSpotTraining": True,
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200},
}


@contextmanager
def hasty(folder: Path, **settings: Any) -> Iterator[Local]:
    """Run a local SageMaker that waits a second between SIGTERM and SIGKILL, and looks for new
    checkpoints all the time.
    """
    engine = FakeEngine(succeed, images=[IMAGE])
    server = LocalSageMaker(
        home=folder / "home",
        engine=engine,
        check_answers=True,
        shutdown_grace_s=0.2,
        checkpoint_sync_s=0.02,
        **{"max_containers": 4, "stop_grace_s": 1.0, **settings},
    )
    with server:
        made = Local(server=server, engine=engine)
        made.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        yield made


def ask(local: Local, method: str, what: str, said: Any = None) -> Any:
    return control(local.server.settings.home, method, what, said)


def checkpointed() -> dict[str, Any]:
    return {"CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/ckpt"}}


def start(local: Local, program: Any, **changes: Any) -> str:
    local.engine.program = program
    request = local.job(**changes)
    local.client("sagemaker").create_training_job(**request)
    return str(request["TrainingJobName"])


def training(local: Local, name: str = "probe-1") -> Any:
    return local.until(name, lambda job: job["SecondaryStatus"] == "Training")


def course(job: Any) -> list[str]:
    return [each["Status"] for each in job["SecondaryStatusTransitions"]]


def told(story: str) -> list[tuple[str, str]]:
    return [(step.status, step.kept) for step in states.STORIES[story].steps]
