"""One asynchronous invocation by itself: what this machine may do to it."""

from pathlib import Path

import pytest

from sagedock.local.async_requests import AsyncRequest
from sagedock.local.hosting.asynchronous.carrying import TakenAway, carry_out
from sagedock.local.hosting.routes import Backend
from sagedock.local.s3 import ObjectStore
from tests.conftest import BUCKET, REGION, Local
from tests.unit.local.hosting.hosting_local import deploy


class FullStore(ObjectStore):
    """A store on a disk that takes no file."""

    def temporary(self) -> Path:
        return super().temporary() / "absent" / "file"


def request() -> AsyncRequest:
    return AsyncRequest(
        region=REGION,
        endpoint="endpoint-1",
        inference_id="one",
        received=0,
        expires=0,
        timeout_s=60,
        input_location=None,
        output_location=f"s3://{BUCKET}/out",
        failure_location=f"s3://{BUCKET}/failure",
        body=b"hello",
    )


def backend_of(local: Local) -> Backend:
    (container,) = local.engine.all
    address = local.engine.address(container, 8080)
    assert address is not None
    return Backend(*address)


def test_a_full_disk_fails_the_request(local: Local, tmp_path: Path) -> None:
    deploy(local)
    store = FullStore(tmp_path / "s3")
    outcome = carry_out(store, request(), backend_of(local), "v", "123456789012")
    store.close()
    assert str(outcome.reason).startswith(f"Could not upload the response to s3://{BUCKET}/out: ")
    assert (outcome.upload_failed, outcome.upload_s) == (True, None)


def test_an_absent_bucket_fails_the_request(local: Local, tmp_path: Path) -> None:
    deploy(local)
    store = ObjectStore(tmp_path / "s3")
    outcome = carry_out(store, request(), backend_of(local), "v", "123456789012")
    store.close()
    assert str(outcome.reason).startswith(f"Could not upload the response to s3://{BUCKET}/out: ")
    assert (outcome.status, outcome.upload_failed) == (200, True)


def test_a_container_that_cannot_be_reached_gives_the_request_back(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path / "s3")
    with pytest.raises(TakenAway):
        carry_out(store, request(), Backend("127.0.0.1", 1), "v", "123456789012")
    store.close()
