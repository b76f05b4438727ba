"""What training removes at a restart: what is left of its own jobs, and nothing else's."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from sagedock.engine import ContainerSpec
from sagedock.local.hosting.containers import endpoint_labels
from sagedock.local.platform import JOB_LABEL, Platform
from sagedock.local.processing.names import job_labels as processing_labels
from sagedock.local.resources import Key
from sagedock.local.training import TrainingJobs
from sagedock.local.transform.names import job_labels
from tests.unit.local.transform_world import Model, opened_world

REGION = "us-west-2"


def of_an_endpoint(platform: Platform) -> Mapping[str, str]:
    return endpoint_labels(platform, Key(region=REGION, kind="endpoint", name="probe"))


def of_a_transform_job(platform: Platform) -> Mapping[str, str]:
    return job_labels(platform, Key(region=REGION, kind="transform-job", name="probe"))


def of_a_processing_job(platform: Platform) -> Mapping[str, str]:
    return processing_labels(platform, Key(region=REGION, kind="processing-job", name="probe"))


def of_a_training_job(platform: Platform) -> Mapping[str, str]:
    return {**platform.labels, JOB_LABEL: "probe", "sagedock.region": REGION}


@pytest.mark.parametrize(
    ("labels", "stays"),
    [
        (of_an_endpoint, True),
        (of_a_transform_job, True),
        (of_a_processing_job, True),
        (of_a_training_job, False),
    ],
    ids=["endpoint", "transform", "processing", "training"],
)
def test_training_removes_no_container_but_its_own(
    tmp_path: Path, labels: Callable[[Platform], Mapping[str, str]], stays: bool
) -> None:
    with opened_world(tmp_path / "home", Model()) as world:
        made = world.engine.create(
            ContainerSpec(name="probe", image="probe", labels=labels(world.platform))
        )
        jobs = TrainingJobs(world.platform)
        jobs.resume()
        jobs.shut_down(0)
        assert (made in world.engine.all) is stays
