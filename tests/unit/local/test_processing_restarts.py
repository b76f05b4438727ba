"""Processing jobs that a killed server left: taken up, begun anew, or cleaned up after."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sagedock import LocalSageMaker
from sagedock.local.moments import epoch_s
from sagedock.local.processing import KIND, ProcessingJobs
from sagedock.local.processing.containers import Cluster
from sagedock.local.processing.document import begun, new_document
from sagedock.local.processing.staging import stage
from sagedock.local.resources import Key, Resource
from sagedock.local.training.slots import Slots
from sagedock.testing import Container, FakeEngine
from tests.conftest import BUCKET, IMAGE, REGION, Local
from tests.unit.local.processing_world import FOLDER, Processing
from tests.unit.local.transform_world import Model, World, opened_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with opened_world(tmp_path / "world", Model()) as made:
        made.engine.images.add(IMAGE)
        made.platform.scratch_folder.mkdir()
        yield made


def stored_job(world: World, local: Local, name: str = "probe-1", **changes: Any) -> Resource:
    """Put a job into the store as a server does that is killed then; its containers may run."""
    request = Processing(local).request(ProcessingJobName=name, **changes)
    now = epoch_s(time.time())
    job = Resource(
        key=Key(region=REGION, kind=KIND, name=name),
        created=now,
        modified=now,
        status="InProgress",
        document=begun(new_document(request, f"arn:of:{name}", now), now),
        request=request,
    )
    world.platform.resources.add(job)
    return job


def taken_up(world: World, job: Resource) -> Resource:
    """Start a server's jobs, wait for the end of one, and return it."""
    jobs = ProcessingJobs(world.platform, Slots(4))
    jobs.resume()
    jobs.wait_until_gone(job.key)
    jobs.shut_down(0)
    found = world.platform.resources.get(job.key)
    assert found is not None
    return found


def test_containers_that_run_are_taken_up_and_outputs_stored(world: World, local: Local) -> None:
    made: list[str] = []

    def program(container: Container) -> int:
        made.append(container.id)
        container.print("once")
        container.files[f"{FOLDER}/output/a"] = b"1"
        return 0

    world.engine.program = program
    config = Processing(local).outputs("output")
    job = stored_job(
        world,
        local,
        ProcessingOutputConfig=config,
        ProcessingResources=Processing(local).resources(2),
    )
    cluster = Cluster(platform=world.platform, job=job)
    stage(cluster, lambda: None)
    for container in cluster.create(lambda: None).values():
        world.engine.start(container)
    assert taken_up(world, job).status == "Completed"
    assert len(made) == 2
    stored = world.platform.objects.get(BUCKET, "out/output/a")
    assert stored.path.read_bytes() == b"1"
    assert world.engine.all == {}


def test_a_job_whose_containers_had_not_started_begins_anew(world: World, local: Local) -> None:
    world.engine.program = lambda _: 0
    job = stored_job(world, local)
    cluster = Cluster(platform=world.platform, job=job)
    stage(cluster, lambda: None)
    cluster.create(lambda: None)
    assert taken_up(world, job).status == "Completed"
    assert world.engine.all == {}


def test_a_job_that_was_stopping_is_stopped(world: World, local: Local) -> None:
    job = stored_job(world, local)
    stopping = {**job.document, "ProcessingJobStatus": "Stopping"}
    world.platform.resources.change(
        job.key,
        lambda found: Resource(
            **{**vars(found), "document": stopping, "status": "Stopping"},
        ),
    )
    assert taken_up(world, job).status == "Stopped"


def test_a_server_that_ends_stops_its_jobs_and_stores_what_they_wrote(tmp_path: Path) -> None:
    def program(container: Container) -> int:
        container.files[f"{FOLDER}/output/a"] = b"1"
        container.terminated.wait(60)
        container.files[f"{FOLDER}/output/saved"] = b"2"
        return 0

    home, engine = tmp_path / "home", FakeEngine(program, images=[IMAGE])
    with LocalSageMaker(home=home, engine=engine, shutdown_grace_s=60) as server:
        processing = Processing(Local(server=server, engine=engine))
        place = {"LocationConstraint": REGION}
        s3 = processing.local.client("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
        processing.create(ProcessingOutputConfig=processing.outputs("output"))
        processing.until(lambda job: "ProcessingStartTime" in job)
    assert engine.all == {}
    with LocalSageMaker(home=home, engine=engine) as server:
        processing = Processing(Local(server=server, engine=engine))
        assert processing.ended()["ProcessingJobStatus"] == "Stopped"
        assert processing.stored() == {"output/a": b"1", "output/saved": b"2"}


def test_what_ended_jobs_left_is_removed(world: World, local: Local) -> None:
    world.engine.program = lambda _: 0
    job = stored_job(world, local)
    cluster = Cluster(platform=world.platform, job=job)
    stage(cluster, lambda: None)
    cluster.create(lambda: None)
    world.platform.resources.delete(job.key)
    jobs = ProcessingJobs(world.platform, Slots(4))
    jobs.resume()
    jobs.shut_down(0)
    assert world.engine.all == {}
    assert [*world.platform.processing_folder.glob("*/*")] == []
