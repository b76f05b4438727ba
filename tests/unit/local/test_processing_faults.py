"""Processing jobs without machines, with slow data, with machines that fail, and refused calls."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from sagedock.errors import InvalidRequest
from sagedock.local.faults import LostHost, NoCapacity, Refusals, SlowDownload
from sagedock.local.processing import reasons
from sagedock.testing import Container
from tests.conftest import Local
from tests.unit.local.processing_world import FOLDER, Processing, holding
from tests.unit.local.spot_jobs import ask, hasty
from tests.unit.local.tuning import tuning_world


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Local]:
    with hasty(tmp_path) as made:
        yield made


@pytest.fixture
def processing(local: Local) -> Processing:
    return Processing(local)


def test_machines_come_late(processing: Processing) -> None:
    processing.local.server.faults.add(NoCapacity(wait_s=0.5, job="probe-*"))
    job = processing.run(lambda _: 0)
    assert job["ProcessingJobStatus"] == "Completed"
    waited = job["ProcessingStartTime"] - job["CreationTime"]
    assert waited.total_seconds() >= 0.5
    assert processing.local.server.faults.all() == {}


def test_machines_that_never_come_fail_the_job(processing: Processing) -> None:
    processing.local.server.faults.add(NoCapacity(wait_s=0.01, fails=True))
    job = processing.run(lambda _: 0)
    assert (job["ProcessingJobStatus"], job["FailureReason"]) == ("Failed", reasons.NO_CAPACITY)
    assert job["FailureReason"].startswith("CapacityError")
    assert processing.local.engine.all == {}


def test_a_job_that_waits_for_machines_is_stopped_at_once(processing: Processing) -> None:
    processing.local.server.faults.add(NoCapacity(wait_s=600))
    processing.create()
    processing.await_that(lambda: processing.local.server.faults.all() == {})
    processing.sagemaker.stop_processing_job(ProcessingJobName="probe-1")
    assert processing.ended()["ProcessingJobStatus"] == "Stopped"


def test_data_arrives_slowly(processing: Processing) -> None:
    uri = processing.put("in/a.bin", b"x" * 1000)
    processing.local.server.faults.add(SlowDownload(bytes_per_s=2000))
    job = processing.run(lambda _: 0, ProcessingInputs=[processing.input(uri)])
    assert job["ProcessingJobStatus"] == "Completed"
    waited = job["ProcessingStartTime"] - job["CreationTime"]
    assert waited.total_seconds() >= 0.5


def test_a_job_whose_data_arrives_slowly_is_stopped_meanwhile(processing: Processing) -> None:
    uri = processing.put("in/a.bin", b"x" * 1000)
    processing.local.server.faults.add(SlowDownload(bytes_per_s=0.1, times=1))
    processing.create(ProcessingInputs=[processing.input(uri)])
    processing.await_that(lambda: processing.local.server.faults.all() == {})
    processing.sagemaker.stop_processing_job(ProcessingJobName="probe-1")
    assert processing.ended()["ProcessingJobStatus"] == "Stopped"


def test_a_machine_that_fails_fails_the_job_and_its_outputs_are_lost(
    processing: Processing,
) -> None:
    stopped = threading.Event()

    def program(container: Container) -> int:
        container.files[f"{FOLDER}/out/a.txt"] = b"half"
        container.terminated.wait(60)
        stopped.set()
        return 0

    processing.local.server.faults.add(LostHost(host="algo-1"))
    job = processing.run(
        program,
        ProcessingResources=processing.resources(2),
        ProcessingOutputConfig=processing.outputs("out"),
    )
    assert (job["ProcessingJobStatus"], job["FailureReason"]) == ("Failed", reasons.INTERNAL_ERROR)
    assert stopped.is_set(), "the other host gets SIGTERM"
    assert processing.stored() == {}


def test_a_machine_that_would_fail_later_than_the_end_does_not(processing: Processing) -> None:
    processing.local.server.faults.add(LostHost(after_s=3600))
    assert processing.run(lambda _: 0)["ProcessingJobStatus"] == "Completed"
    assert not [each for each in threading.enumerate() if isinstance(each, threading.Timer)]


def test_calls_are_refused_on_request(processing: Processing) -> None:
    processing.local.server.faults.add(
        Refusals(error="access-denied", operation="*ProcessingJob", times=1)
    )
    with pytest.raises(ClientError, match="AccessDeniedException"):
        processing.create()
    assert processing.run(lambda _: 0)["ProcessingJobStatus"] == "Completed"


def test_only_spot_training_jobs_are_interrupted(processing: Processing) -> None:
    processing.local.engine.program = holding
    processing.create()
    told = "job: probe-1 is a processing job, and only spot training jobs are interrupted: let it"
    with pytest.raises(InvalidRequest, match=told):
        ask(processing.local, "POST", "interrupt", {"job": "probe-1"})
    tuning_world.begin(processing.local)
    with pytest.raises(InvalidRequest, match=r"tune-1 is a tuning job.*: name one of its training"):
        ask(processing.local, "POST", "interrupt", {"job": "tune-1"})
