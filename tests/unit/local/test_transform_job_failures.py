"""Transform jobs that fail, are stopped, or whose server is killed, and what their logs say."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagedock.local.transform import model_client
from tests.unit.local.transform_world import (
    BUCKET,
    REGION,
    Call,
    Model,
    Reply,
    World,
    answering,
    opened_world,
)


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def world(tmp_path: Path, model: Model) -> Iterator[World]:
    with opened_world(tmp_path / "home", model) as made:
        yield made


def test_rows_112_and_117_a_refused_record_fails_its_object_and_the_others_go_on(
    world: World,
) -> None:
    world.put("in/a", b"1\nbad\n3\n")
    world.put("in/b", b"4\n")

    def picky(call: Call) -> Reply:
        return (400, b"no number\nat all") if call.body == b"bad" else (200, call.body)

    world.model.answer = answering(picky)
    job = world.run(BatchStrategy="SingleRecord", ModelClientConfig={"InvocationsMaxRetries": 3})
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"] == "ClientError: See job logs for more information"
    assert world.model.bodies() == [b"1", b"bad", b"4"]
    assert world.keys() == ["out/b.out"]
    at = f"{BUCKET}/in/a: "
    assert world.data_log() == [
        "MaxConcurrentTransforms=1, MaxPayloadInMB=6, BatchStrategy=SINGLE_RECORD",
        f"{at}ClientError: 400",
        at,
        f"{at}Message:",
        f"{at}no number",
        f"{at}at all",
    ]


def test_rows_113_and_118_a_server_error_is_the_algorithms(world: World) -> None:
    world.put("in/a", b"1")
    world.model.answer = answering(lambda _: (500, b"oh"))
    job = world.run()
    assert job["FailureReason"] == "AlgorithmError: See job logs for more information"
    at = f"{BUCKET}/in/a: "
    assert world.data_log()[1:] == [
        f"{at}Bad HTTP status received from algorithm: 500",
        at,
        f"{at}Message:",
        f"{at}oh",
    ]


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_client, "_PAUSE_S", 0.001)


@pytest.mark.usefixtures("no_pause")
def test_server_errors_are_tried_again_as_often_as_the_request_says(world: World) -> None:
    world.put("in/a", b"1")
    statuses = iter([503, 500, 200])
    world.model.answer = answering(lambda call: (next(statuses), call.body))
    job = world.run(ModelClientConfig={"InvocationsMaxRetries": 2})
    assert job["TransformJobStatus"] == "Completed"
    assert world.model.bodies() == [b"1"] * 3


@pytest.mark.usefixtures("no_pause")
def test_no_more_often_than_that(world: World) -> None:
    world.put("in/a", b"1")
    world.model.answer = answering(lambda _: (503, b""))
    job = world.run(ModelClientConfig={"InvocationsMaxRetries": 1})
    assert job["TransformJobStatus"] == "Failed"
    assert len(world.model.bodies()) == 2


@pytest.mark.usefixtures("no_pause")
def test_three_times_where_the_request_does_not_say(world: World) -> None:
    world.put("in/a", b"1")
    world.model.answer = answering(lambda _: (503, b""))
    world.run(ModelClientConfig=None)
    assert len(world.model.bodies()) == 4


def test_an_answer_that_does_not_come_in_time_is_none(world: World) -> None:
    world.put("in/a", b"1")
    over = threading.Event()
    world.model.answer = answering(lambda call: (200, call.body) if over.wait(60) else (500, b""))
    job = world.run(ModelClientConfig={"InvocationsTimeoutInSeconds": 1})
    over.set()
    assert job["FailureReason"] == "AlgorithmError: See job logs for more information"
    assert world.data_log()[1:] == [f"{BUCKET}/in/a: Unable to get response from algorithm"]


def test_a_container_that_dies_fails_the_job(world: World) -> None:
    for number in range(3):
        world.put(f"in/{number}", b"%d" % number)

    def dies(call: Call) -> Reply:
        if call.body == b"1":
            call.container.end(1)
            threading.Event().wait(0.2)
        return 200, call.body

    world.model.answer = answering(dies)
    job = world.run(ModelClientConfig={"InvocationsMaxRetries": 3})
    assert job["FailureReason"] == "AlgorithmError: See job logs for more information"
    assert world.keys() == ["out/0.out"]
    assert world.data_log()[-1] == f"{BUCKET}/in/1: Unable to get response from algorithm"


def test_an_output_that_cannot_be_stored_fails_its_object(world: World) -> None:
    world.put("in/a", b"1")
    job = world.run(TransformOutput={"S3OutputPath": "s3://no-such-bucket/out"})
    assert job["FailureReason"] == "ClientError: See job logs for more information"
    assert "Failed to upload s3://no-such-bucket/out/a.out" in world.data_log()[-1]


def test_containers_that_cannot_serve_fail_the_job(world: World) -> None:
    world.put("in/a", b"1")
    world.serving.refuses = "ClientError: no such data"
    job = world.run()
    assert (job["TransformJobStatus"], job["FailureReason"]) == (
        "Failed",
        "ClientError: no such data",
    )
    assert "TransformStartTime" not in job
    assert world.data_log() == ["no such data"]


def test_a_job_that_is_stopped_ends_stopped_without_what_was_in_work(world: World) -> None:
    for number in range(3):
        world.put(f"in/{number}", b"%d" % number)
    begun, over = threading.Event(), threading.Event()

    def hangs(call: Call) -> Reply:
        if call.body == b"1":
            begun.set()
            over.wait(60)
        return 200, call.body

    world.model.answer = answering(hangs)
    world.create()
    assert begun.wait(60)
    assert world.call("StopTransformJob", TransformJobName="probe-1") == {}
    job = world.ended()
    over.set()
    assert job["TransformJobStatus"] == "Stopped"
    assert "FailureReason" not in job
    assert world.keys() == ["out/0.out"]
    assert len(world.data_log()) == 1


def test_a_job_that_waits_for_room_can_be_stopped(world: World) -> None:
    world.put("in/a", b"1")
    over = threading.Event()
    world.model.answer = answering(lambda call: (200, call.body) if over.wait(60) else (500, b""))
    world.create("first", TransformResources={"InstanceCount": 4})
    world.create("second")
    world.call("StopTransformJob", TransformJobName="second")
    assert world.ended("second")["TransformJobStatus"] == "Stopped"
    assert [fleet.key.name for fleet in world.serving.fleets] in (["first"], [])
    over.set()
    assert world.ended("first")["TransformJobStatus"] == "Completed"


def test_nothing_is_left_over(world: World) -> None:
    world.put("in/a", b"1")
    world.run("completed")
    world.model.answer = answering(lambda _: (500, b""))
    world.run("failed")
    assert world.engine.all == {}
    folder = world.platform.transforms_folder
    assert [each for each in folder.rglob("*") if each.is_file()] == []
    assert list(world.platform.objects.root.joinpath("tmp").iterdir()) == []


def test_a_server_that_is_killed_goes_on_at_the_first_unfinished_object(tmp_path: Path) -> None:
    model, home = Model(), tmp_path / "home"
    begun, over = threading.Event(), threading.Event()

    def hangs(call: Call) -> Reply:
        if call.body == b"2":
            begun.set()
            over.wait(60)
        if call.body == b"bad":
            return 400, b""
        return 200, call.body

    model.answer = answering(hangs)
    with opened_world(home, model) as first:
        for number, data in enumerate((b"0", b"bad", b"2", b"3")):
            first.put(f"in/{number}", data)
        first.create()
        assert begun.wait(60)
        # What a kill leaves: nobody writes down an end, and the containers run.
        copied = home.with_name("copied")
        shutil.copytree(home, copied)
    over.set()
    again = Model()
    with opened_world(copied, again) as second:
        job = second.ended()
        assert again.bodies() == [b"2", b"3"]
        assert second.keys() == ["out/0.out", "out/2.out", "out/3.out"]
        assert job["FailureReason"] == "ClientError: See job logs for more information"
        assert second.engine.all == {}


def test_what_a_killed_server_left_of_ended_jobs_goes(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "transforms" / REGION / "gone").mkdir(parents=True)
    with opened_world(home, Model()) as world:
        assert list(world.platform.transforms_folder.glob("*/*")) == []


def test_logs_are_in_the_streams_that_the_guide_names(world: World) -> None:
    world.put("in/a", b"1")
    job = world.run()
    streams = world.platform.logs.streams(REGION, "/aws/sagemaker/TransformJobs", "probe-1/")
    second = int(job["CreationTime"])
    container, data_log = (each.name for each in streams)
    prefix, _, rest = container.partition("/i-")
    digits, _, at = rest.partition("-")
    assert (prefix, len(digits), at) == ("probe-1", 17, str(second))
    assert data_log == f"{container}/data-log"
    assert world.log(f"-{second}") == ["serving"]
    stamp = world.log("/data-log")[0].partition(":[sagemaker logs]: ")[0]
    assert len(stamp) == len("2020-10-14T04:08:19.663")
