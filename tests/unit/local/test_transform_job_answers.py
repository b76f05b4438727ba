"""What Describe and List answer of transform jobs."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.local.transform_world import (
    Model,
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


def test_row_136_what_describe_answers(world: World) -> None:
    world.put("in/a", b"1")
    over = threading.Event()
    world.model.answer = answering(lambda call: (200, call.body) if over.wait(60) else (500, b""))
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
        "ExperimentConfig": {"RunName": "r"},
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
