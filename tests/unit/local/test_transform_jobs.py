"""Transform jobs from their request to their outputs, against containers that answer HTTP."""

import gzip
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.local.transform_world import (
    BUCKET,
    Call,
    Model,
    Reply,
    World,
    answering,
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
        together.wait(60)  # four at once, or the job fails
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
        together.wait(60)
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
