"""What the tests of jobs whose machines are taken away, or that save checkpoints, share."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sagedock import LocalSageMaker
from sagedock.api import states
from sagedock.local import control
from sagedock.local.home import DATABASE
from sagedock.testing import FakeEngine
from tests.conftest import BUCKET, IMAGE, REGION, Local, succeed

SPOT: dict[str, Any] = {
    "EnableManagedSpotTraining": True,
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200},
}


@contextmanager
def hasty(folder: Path, **settings: Any) -> Iterator[Local]:
    """Run a local SageMaker that looks for new checkpoints all the time."""
    engine = FakeEngine(succeed, images=[IMAGE])
    server = LocalSageMaker(
        home=folder / "home",
        engine=engine,
        check_answers=True,
        shutdown_grace_s=0.2,
        checkpoint_sync_s=0.02,
        **{"max_containers": 4, **settings},
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


def age(local: Local, by_s: float, name: str = "probe-1") -> None:
    """Let a job have trained for so many seconds more than it has."""
    began = ("$.TrainingStartTime", "$.SecondaryStatusTransitions[#-1].StartTime")
    with closing(sqlite3.connect(local.server.settings.home / DATABASE)) as kept, kept:
        for path in began:
            kept.execute(
                "UPDATE resources SET document = "
                "json_set(document, ?1, json_extract(document, ?1) - ?2) "
                "WHERE name = ?3 AND kind = 'training-job'",
                (path, by_s, name),
            )


def course(job: Any) -> list[str]:
    return [each["Status"] for each in job["SecondaryStatusTransitions"]]


def told(story: str) -> list[tuple[str, str]]:
    return [(step.status, step.kept) for step in states.STORIES[story].steps]
