"""Data capture: a share of the invocations, as lines in S3."""

import base64
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from sagedock.local.hosting.capture import Captured, Capturer, line_of
from sagedock.local.s3 import ObjectStore
from tests.conftest import BUCKET, Local
from tests.unit.local.hosting.hosting_local import (
    awaited,
    create_endpoint,
    create_model,
    invoke,
    settled,
    variant,
)

CONFIG: dict[str, Any] = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": f"s3://{BUCKET}/captured",
    "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    "CaptureContentTypeHeader": {"CsvContentTypes": ["text/plain"]},
}


def deployed(local: Local, **changes: Any) -> Any:
    create_model(local)
    local.client("sagemaker").create_endpoint_config(
        EndpointConfigName="config-1",
        ProductionVariants=[variant()],
        DataCaptureConfig={**CONFIG, **changes},
    )
    create_endpoint(local)
    return settled(local)


def lines(local: Local) -> list[Any]:
    s3 = local.client("s3")
    found = s3.list_objects_v2(Bucket=BUCKET, Prefix="captured/endpoint-1/AllTraffic/20")
    return [
        json.loads(line)
        for each in found.get("Contents", ())
        for line in s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read().splitlines()
    ]


def test_what_is_sent_and_answered_is_captured(local: Local) -> None:
    told = deployed(local)["DataCaptureConfig"]
    assert (told["CaptureStatus"], told["CurrentSamplingPercentage"]) == ("Started", 100)
    invoke(local, b"1,2", InferenceId="id-1")
    invoke(local, b"3,4")
    awaited(lambda: len(lines(local)) == 2)
    first = next(line for line in lines(local) if "inferenceId" in line["eventMetadata"])
    assert first["captureData"]["endpointInput"] == {
        "observedContentType": "text/plain",
        "mode": "INPUT",
        "data": "1,2",
        "encoding": "CSV",
    }
    assert first["captureData"]["endpointOutput"]["mode"] == "OUTPUT"
    assert first["eventVersion"] == "0"
    assert first["eventMetadata"]["inferenceId"] == "id-1"
    assert first["eventMetadata"]["inferenceTime"].endswith("Z")


def test_what_is_left_is_stored_when_the_server_ends(local: Local) -> None:
    deployed(local)
    invoke(local)
    home = local.server.settings.home
    local.server.stop()
    assert list((home / "s3/buckets" / BUCKET / "captured").rglob("*.jsonl"))


@pytest.mark.parametrize("changes", [{"EnableCapture": False}, {"InitialSamplingPercentage": 0}])
def test_nothing_is_captured_unasked(local: Local, changes: dict[str, Any]) -> None:
    deployed(local, **changes)
    invoke(local)
    home = local.server.settings.home
    local.server.stop()
    assert not (home / "s3/buckets" / BUCKET / "captured").exists()


GIVEN: dict[str, Any] = {
    "config": CONFIG,
    "endpoint": "e",
    "variant": "v",
    "event": "1",
    "inference": None,
    "at": 0.0,
    "sent": b"1,2",
    "sent_type": "text/plain; charset=utf-8",
    "answered": b"\xff",
    "answered_type": "application/x-npy",
}


def captured(**changes: Any) -> Any:
    return json.loads(line_of(Captured(**{**GIVEN, **changes})))["captureData"]


def test_types_that_are_not_listed_are_base64() -> None:
    found = captured()
    assert found["endpointInput"]["encoding"] == "CSV"
    assert found["endpointInput"]["observedContentType"] == "text/plain; charset=utf-8"
    assert found["endpointOutput"]["encoding"] == "BASE64"
    assert base64.b64decode(found["endpointOutput"]["data"]) == b"\xff"


def test_a_listed_type_that_is_no_text_is_base64_all_the_same() -> None:
    assert captured(sent=b"\xff")["endpointInput"]["encoding"] == "BASE64"


def test_one_half_alone() -> None:
    config = {**CONFIG, "CaptureOptions": [{"CaptureMode": "Output"}]}
    assert list(captured(config=config)) == ["endpointOutput"]


def test_what_cannot_be_stored_leaves_no_file(tmp_path: Path) -> None:
    objects = ObjectStore(tmp_path)
    capturer = Capturer(objects)
    one = {**CONFIG, "DestinationS3Uri": "s3://no-such-bucket/data"}
    capturer.take(Captured(**{**GIVEN, "config": one}))
    capturer.close()
    objects.close()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_disk_that_is_full_for_a_moment_does_not_end_the_capture(tmp_path: Path) -> None:
    objects = FullOnce(tmp_path)
    objects.create_bucket(BUCKET, "us-west-2")
    capturer = Capturer(objects)
    capturer.take(Captured(**GIVEN))
    awaited(lambda: objects.was_full)
    capturer.take(Captured(**GIVEN))
    capturer.close()
    assert len(list(objects.keys(BUCKET))) == 1
    objects.close()


class FullOnce(ObjectStore):
    """A store whose metadata cannot be written at first."""

    was_full = False

    def put(self, *given: Any, **more: Any) -> Any:
        if not self.was_full:
            self.was_full = True
            raise sqlite3.OperationalError("database or disk is full")
        return super().put(*given, **more)
