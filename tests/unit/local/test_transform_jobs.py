"""Transform jobs from their request to their outputs, against containers that answer HTTP."""

import gzip
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sagedock.local.transform import model_client
from tests.unit.local.transform_world import (
    BUCKET,
    REGION,
    Call,
    Model,
    Reply,
    World,
    echo,
    opened_world,
)


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def world(tmp_path: Path, model: Model) -> Iterator[World]:
    with opened_world(tmp_path / "home", model) as made:
        yield made


def answering(invoked: Callable[[Call], Reply], parameters: bytes | None = None) -> Any:
    """Return what a model answers: to /invocations what ``invoked`` says."""

    def answer(call: Call) -> Reply:
        if call.path == "/execution-parameters" and parameters is not None:
            return 200, parameters
        return invoked(call) if call.path == "/invocations" else echo(call)

    return answer


def test_every_object_has_its_output(world: World) -> None:
    objects = {"in/a.csv": b"1\n2\n", "in/b/c.csv": b"3", "in/empty": b"", "other": b"x"}
    for key, data in objects.items():
        world.put(key, data)
    world.platform.objects.folder(BUCKET).joinpath("in/marker").mkdir()
    assert world.run()["TransformJobStatus"] == "Completed"
    assert world.keys() == ["out/a.csv.out", "out/b/c.csv.out", "out/empty.out"]
    assert world.get("out/a.csv.out") == b"1\n2\n"
    assert world.get("out/b/c.csv.out") == b"3"
    assert world.get("out/empty.out") == b""


@pytest.mark.parametrize(
    ("uri", "outputs"),
    [
        ("in/", ["out/data/1.out", "out/data/2.out", "out/data3.out"]),
        ("in", ["out/data/1.out", "out/data/2.out", "out/data3.out"]),
        ("in/data", ["out/1.out", "out/2.out", "out/data3.out"]),
        ("in/data/", ["out/1.out", "out/2.out"]),
        ("in/data3", ["out/data3.out"]),
    ],
)
def test_outputs_lie_as_inputs_do_below_their_prefix(
    world: World, uri: str, outputs: list[str]
) -> None:
    for key in ("in/data/1", "in/data/2", "in/data3"):
        world.put(key, key.encode())
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{uri}"}
    world.run(TransformInput={"DataSource": {"S3DataSource": source}})
    assert world.keys() == outputs


def test_a_manifest_names_the_objects(world: World) -> None:
    world.put("in/x/1", b"one")
    world.put("in/x/2", b"two")
    world.put("in/x/3", b"three")
    world.put("lists/m", json.dumps([{"prefix": f"s3://{BUCKET}/in/"}, "x/3", "x/1"]).encode())
    source = {"S3DataType": "ManifestFile", "S3Uri": f"s3://{BUCKET}/lists/m"}
    world.run(TransformInput={"DataSource": {"S3DataSource": source}})
    assert world.keys() == ["out/x/1.out", "out/x/3.out"]
    assert world.model.bodies() == [b"three", b"one"]


def test_a_broken_manifest_fails_the_job_and_says_why(world: World) -> None:
    world.put("lists/m", b"no manifest")
    source = {"S3DataType": "ManifestFile", "S3Uri": f"s3://{BUCKET}/lists/m"}
    job = world.run(TransformInput={"DataSource": {"S3DataSource": source}})
    assert job["FailureReason"] == "ClientError: See job logs for more information"
    assert "is no manifest" in world.data_log()[0]


def test_an_object_of_a_manifest_that_is_gone_fails_alone(world: World) -> None:
    world.put("in/1", b"one")
    world.put("lists/m", json.dumps([{"prefix": f"s3://{BUCKET}/in/"}, "gone", "1"]).encode())
    source = {"S3DataType": "ManifestFile", "S3Uri": f"s3://{BUCKET}/lists/m"}
    job = world.run(TransformInput={"DataSource": {"S3DataSource": source}})
    assert job["FailureReason"] == "ClientError: See job logs for more information"
    assert world.keys() == ["out/1.out"]


def test_outputs_among_the_inputs_are_not_transformed(world: World) -> None:
    world.put("in/a", b"1")
    world.put("in/z", b"2")
    world.run(TransformOutput={"S3OutputPath": f"s3://{BUCKET}/in"})
    assert world.keys("in/") == ["in/a", "in/a.out", "in/z", "in/z.out"]


def test_records_go_as_the_strategy_says(world: World) -> None:
    world.put("in/a", b"1\n2\n3\n")
    world.run("single", BatchStrategy="SingleRecord", TransformOutput={"AssembleWith": "Line"})
    assert world.model.bodies() == [b"1", b"2", b"3"]
    assert world.get("out/a.out") == b"1\n2\n3\n"
    world.run("bare", BatchStrategy="SingleRecord")
    assert world.get("out/a.out") == b"123"


def test_packed_objects_are_sent_unpacked(world: World) -> None:
    world.put("in/a.gz", gzip.compress(b"1\n2\n"))
    world.run(TransformInput={"CompressionType": "Gzip"})
    assert world.model.bodies() == [b"1\n2\n"]
    assert world.get("out/a.gz.out") == b"1\n2\n"


def test_filters_and_join_go_around_the_model(world: World) -> None:
    world.put("in/a.csv", b"x,1,2\ny,3,4\n")

    def added(call: Call) -> Reply:
        rows = [line.split(b",") for line in call.body.splitlines()]
        return 200, b"".join(b"%d\n" % sum(map(int, row)) for row in rows)

    world.model.answer = answering(added)
    job = world.run(
        TransformInput={"ContentType": "text/csv"},
        TransformOutput={"Accept": "text/csv", "AssembleWith": "Line"},
        DataProcessing={
            "InputFilter": "$[1:]",
            "JoinSource": "Input",
            "OutputFilter": "$[0,-1]",
        },
    )
    assert job["TransformJobStatus"] == "Completed"
    assert world.model.bodies() == [b"1,2\n3,4\n"]
    assert world.get("out/a.csv.out") == b"x,3\ny,7\n"


def test_two_ranges_fail_every_object_in_the_words_that_were_seen(world: World) -> None:
    world.put("in/a.csv", b"1,2\n")
    world.run(
        TransformInput={"ContentType": "text/csv"},
        TransformOutput={"Accept": "text/csv"},
        DataProcessing={"OutputFilter": "$[0:2,246:]"},
    )
    assert world.data_log()[1:] == [
        f"{BUCKET}/in/a.csv: Invalid JsonPath: $[0:2,246:]: only single range filters of format "
        "(eg: [1:5]) are supported. Format [0:2,246:] is not supported"
    ]


def test_requests_carry_what_the_job_says(world: World) -> None:
    world.put("in/a", b"1")
    world.run(
        TransformInput={"ContentType": "text/csv"}, TransformOutput={"Accept": "text/csv; x=1"}
    )
    paths = [each.path for each in world.model.calls]
    assert paths == ["/execution-parameters", "/invocations"]
    headers = world.model.calls[-1].headers
    assert headers["content-type"] == "text/csv"
    assert headers["accept"] == "text/csv; x=1"
    assert headers["user-agent"] == "Go-http-client/1.1"


def test_a_content_type_is_sent_without_what_no_header_holds(world: World) -> None:
    world.put("in/a", b"1")
    world.run(TransformInput={"ContentType": "text/csv\x01; a=\u00e9"})
    assert world.model.calls[-1].headers["content-type"] == "text/csv; a="


def test_containers_know_that_they_run_for_a_transform_job(world: World) -> None:
    world.put("in/a", b"1")
    world.run("plain")
    assert world.serving.fleets[0].environment == {"SAGEMAKER_BATCH": "true"}
    world.run(
        "asked",
        MaxPayloadInMB=2,
        MaxConcurrentTransforms=3,
        BatchStrategy="SingleRecord",
        Environment={"MINE": "1"},
    )
    assert world.serving.fleets[1].environment == {
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": "2",
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "3",
        "SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD",
        "MINE": "1",
    }
    assert world.serving.fleets[1].model["PrimaryContainer"]["Image"] == "probe"


def test_containers_say_how_they_are_asked_where_the_request_does_not(world: World) -> None:
    world.put("in/a", b"1\n2\n")
    said = {"MaxConcurrentTransforms": 8, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 1}
    world.model.answer = answering(echo, json.dumps(said).encode())
    world.run("said")
    world.run("asked", MaxConcurrentTransforms=2, BatchStrategy="MultiRecord")
    told = "MaxConcurrentTransforms={}, MaxPayloadInMB=1, BatchStrategy={}"
    assert world.data_log("said") == [told.format(8, "SINGLE_RECORD")]
    assert world.data_log("asked") == [told.format(2, "MULTI_RECORD")]


def test_as_many_payloads_are_under_way_as_may_be_and_outputs_keep_their_order(
    world: World,
) -> None:
    world.put("in/a", b"".join(b"%d\n" % number for number in range(40)))
    together = threading.Barrier(4)

    def slowly(call: Call) -> Reply:
        together.wait(10)  # four at once, or the job fails
        return 200, call.body

    world.model.answer = answering(slowly)
    job = world.run(
        MaxConcurrentTransforms=4,
        BatchStrategy="SingleRecord",
        TransformOutput={"AssembleWith": "Line"},
    )
    assert job["TransformJobStatus"] == "Completed"
    assert world.get("out/a.out") == world.get("in/a")


def test_small_objects_are_under_way_together(world: World) -> None:
    for number in range(4):
        world.put(f"in/{number}", b"x")
    together = threading.Barrier(2)

    def both(call: Call) -> Reply:
        together.wait(10)
        return 200, call.body

    world.model.answer = answering(both)
    assert world.run(MaxConcurrentTransforms=2)["TransformJobStatus"] == "Completed"
    assert len(world.keys()) == 4


def test_several_instances_share_the_objects(world: World) -> None:
    for number in range(5):
        world.put(f"in/{number}", b"%d" % number)
    world.run(TransformResources={"InstanceCount": 2})
    by_container: dict[str, set[bytes]] = {}
    for call in world.model.calls:
        if call.path == "/invocations":
            by_container.setdefault(call.container.id, set()).add(call.body)
    assert sorted(by_container.values(), key=len) == [{b"1", b"3"}, {b"0", b"2", b"4"}]
    assert len(world.keys()) == 5
    assert (
        world.data_log()
        == ["MaxConcurrentTransforms=1, MaxPayloadInMB=6, BatchStrategy=MULTI_RECORD"] * 2
    )


def test_without_a_limit_an_object_is_sent_in_chunks(world: World) -> None:
    data = b"x" * (3 * 1024 * 1024)
    world.put("in/a", data)
    world.run(MaxPayloadInMB=0, TransformInput={"SplitType": "None"})
    call = world.model.calls[-1]
    assert call.headers["transfer-encoding"] == "chunked"
    assert "content-length" not in call.headers
    assert world.get("out/a.out") == data


def test_a_record_above_the_limit_fails_its_object_only(world: World) -> None:
    world.put("in/a", b"x" * (1024 * 1024 + 1))
    world.put("in/b", b"1")
    job = world.run(MaxPayloadInMB=1)
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"] == "ClientError: See job logs for more information"
    assert world.keys() == ["out/b.out"]
    assert world.data_log()[1:] == [f"{BUCKET}/in/a: Too much data for max payload size of 1 MB"]


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
    world.model.answer = answering(lambda call: (200, call.body) if over.wait(20) else (500, b""))
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
            over.wait(20)
        return 200, call.body

    world.model.answer = answering(hangs)
    world.create()
    assert begun.wait(10)
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
    world.model.answer = answering(lambda call: (200, call.body) if over.wait(20) else (500, b""))
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
            over.wait(20)
        if call.body == b"bad":
            return 400, b""
        return 200, call.body

    model.answer = answering(hangs)
    with opened_world(home, model) as first:
        for number, data in enumerate((b"0", b"bad", b"2", b"3")):
            first.put(f"in/{number}", data)
        first.create()
        assert begun.wait(10)
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


def test_row_136_what_describe_answers(world: World) -> None:
    world.put("in/a", b"1")
    over = threading.Event()
    world.model.answer = answering(lambda call: (200, call.body) if over.wait(20) else (500, b""))
    arn = world.create("Probe-1")["TransformJobArn"]
    job = world.call("DescribeTransformJob", TransformJobName="Probe-1")
    assert job["TransformJobName"] == "Probe-1"
    assert (
        job["TransformJobArn"]
        == arn
        == ("arn:aws:sagemaker:us-west-2:123456789012:transform-job/probe-1")
    )
    assert set(job) == {
        *("TransformJobName", "TransformJobArn", "TransformJobStatus", "ModelName"),
        *("ModelClientConfig", "TransformInput", "TransformOutput", "TransformResources"),
        *("DataProcessing", "CreationTime"),
    }
    assert job["DataProcessing"] == {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}
    assert job["TransformInput"]["CompressionType"] == "None"
    assert job["TransformOutput"]["AssembleWith"] == "None"
    assert job["TransformOutput"]["KmsKeyId"] == ""
    over.set()
    ended = world.ended("Probe-1")
    assert ended["CreationTime"] <= ended["TransformStartTime"] <= ended["TransformEndTime"]
    assert "LastModifiedTime" not in ended


def test_what_was_sent_is_echoed(world: World) -> None:
    world.put("in/a", b"1")
    sent = {
        "MaxConcurrentTransforms": 2,
        "MaxPayloadInMB": 3,
        "BatchStrategy": "MultiRecord",
        "Environment": {},
        "ExperimentConfig": {"TrialName": "t"},
        "ModelClientConfig": {"InvocationsTimeoutInSeconds": 60},
    }
    job = world.run(**sent)
    sent["ModelClientConfig"] = {"InvocationsTimeoutInSeconds": 60, "InvocationsMaxRetries": 0}
    assert {name: job[name] for name in sent} == sent


def test_row_137_what_list_answers(world: World) -> None:
    world.put("in/a", b"1")
    for number in range(11):
        world.run(f"probe-{number}")
    world.model.answer = answering(lambda _: (500, b""))
    world.run("failed")
    page = world.call("ListTransformJobs")
    names = [each["TransformJobName"] for each in page["TransformJobSummaries"]]
    assert names == ["failed", *(f"probe-{number}" for number in range(10, 1, -1))]
    rest = world.call("ListTransformJobs", NextToken=page["NextToken"])
    assert [each["TransformJobName"] for each in rest["TransformJobSummaries"]] == [
        "probe-1",
        "probe-0",
    ]
    members = {
        *("TransformJobName", "TransformJobArn", "CreationTime", "LastModifiedTime"),
        *("TransformEndTime", "TransformJobStatus"),
    }
    failed, other = page["TransformJobSummaries"][:2]
    assert set(other) == members
    assert set(failed) == members | {"FailureReason"}


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"StatusEquals": "Failed"}, ["bad"]),
        ({"NameContains": "oo"}, ["good"]),
        ({"SortBy": "Name", "SortOrder": "Ascending"}, ["bad", "good"]),
        ({"SortBy": "Status", "SortOrder": "Ascending"}, ["good", "bad"]),
        ({"CreationTimeAfter": 4e9}, []),
        ({"LastModifiedTimeBefore": 4e9, "SortOrder": "Ascending"}, ["good", "bad"]),
        ({"MaxResults": 1}, ["bad"]),
    ],
)
def test_lists_are_filtered_and_sorted(
    world: World, asked: dict[str, Any], names: list[str]
) -> None:
    world.put("in/a", b"1")
    world.run("good")
    world.model.answer = answering(lambda _: (500, b""))
    world.run("bad")
    listed = world.call("ListTransformJobs", **asked)["TransformJobSummaries"]
    assert [each["TransformJobName"] for each in listed] == names
