"""Processing jobs that are stopped, reach a limit, or are deleted."""

import pytest
from botocore.exceptions import ClientError

from sagedock.testing import Container
from tests.conftest import Local, succeed
from tests.unit.local.processing_world import FOLDER, Processing, holding


@pytest.fixture
def processing(local: Local) -> Processing:
    return Processing(local)


def test_a_job_is_stopped_and_what_it_wrote_is_stored(processing: Processing) -> None:
    def program(container: Container) -> int:
        container.files[f"{FOLDER}/output/a"] = b"1"
        container.print("begun")
        return holding(container)

    processing.local.engine.program = program
    processing.create(ProcessingOutputConfig=processing.outputs("output"))
    processing.until(lambda job: "ProcessingStartTime" in job)
    processing.await_that(lambda: bool(processing.log()))
    processing.sagemaker.stop_processing_job(ProcessingJobName="probe-1")
    assert processing.ended()["ProcessingJobStatus"] == "Stopped"
    assert processing.stored() == {"output/a": b"1"}


def test_a_job_that_waits_for_room_is_stopped_at_once(processing: Processing) -> None:
    processing.local.engine.program = holding
    width = processing.local.server.settings.max_containers or 4
    processing.create(ProcessingJobName="first", ProcessingResources=processing.resources(width))
    processing.create(ProcessingJobName="second")
    processing.sagemaker.stop_processing_job(ProcessingJobName="second")
    job = processing.ended("second")
    assert job["ProcessingJobStatus"] == "Stopped"
    assert "ProcessingStartTime" not in job
    processing.sagemaker.stop_processing_job(ProcessingJobName="first")
    processing.ended("first")


def test_a_limit_stops_a_job(processing: Processing) -> None:
    job = processing.run(holding, StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert job["ProcessingJobStatus"] == "Stopped"
    assert "FailureReason" not in job


def test_a_deleted_job_leaves_its_outputs_and_its_name(processing: Processing) -> None:
    def program(container: Container) -> int:
        container.print("hello")
        container.files[f"{FOLDER}/output/a"] = b"1"
        return 0

    tags = [{"Key": "a", "Value": "b"}]
    config = processing.outputs("output")
    job = processing.run(program, ProcessingOutputConfig=config, Tags=tags)
    arn = job["ProcessingJobArn"]
    assert processing.sagemaker.list_tags(ResourceArn=arn)["Tags"] == tags
    processing.sagemaker.delete_processing_job(ProcessingJobName="probe-1")
    with pytest.raises(ClientError, match="Could not find requested job"):
        processing.sagemaker.describe_processing_job(ProcessingJobName="probe-1")
    assert processing.streams() == []
    assert processing.stored() == {"output/a": b"1"}
    processing.local.engine.program = succeed
    assert processing.run()["ProcessingJobStatus"] == "Completed"
    assert processing.sagemaker.list_tags(ResourceArn=arn)["Tags"] == []


def test_a_job_that_runs_is_not_deleted(processing: Processing) -> None:
    processing.local.engine.program = holding
    processing.create()
    with pytest.raises(ClientError, match="is in status InProgress") as refused:
        processing.sagemaker.delete_processing_job(ProcessingJobName="probe-1")
    assert refused.value.response["Error"]["Code"] == "ResourceInUse"
    processing.sagemaker.stop_processing_job(ProcessingJobName="probe-1")
    processing.ended()


def test_nothing_of_an_ended_job_is_left(processing: Processing) -> None:
    uri = processing.put("in/a", b"1")
    processing.run(
        ProcessingInputs=[processing.input(uri)], ProcessingResources=processing.resources(2)
    )
    home = processing.local.server.settings.home
    processing.await_that(lambda: not [*(home / "processing").rglob("*-1")])
    assert processing.local.engine.all == {}
    assert not [name for name in processing.local.engine.all_networks if "processing_" in name]
