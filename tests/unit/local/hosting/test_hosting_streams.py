"""InvokeEndpointWithResponseStream: pieces come as they are sent; what ends a stream early."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, EventStreamError

from sagedock.testing import Reply, serving
from tests.conftest import Local
from tests.unit.local.hosting.hosting_local import awaited, deploy


def streams(local: Local, pieces: Any, **reply: Any) -> None:
    """Deploy a model that answers every invocation with ``pieces``."""
    local.engine.program = serving(
        lambda call: Reply() if call.path == "/ping" else Reply(pieces=pieces, **reply)
    )
    deploy(local)


def stream(local: Local, **more: Any) -> Any:
    """Invoke with a stream, and return the answer."""
    return local.client("sagemaker-runtime").invoke_endpoint_with_response_stream(
        EndpointName="endpoint-1", Body=b"go", ContentType="application/json", **more
    )


def test_pieces_arrive_while_the_container_still_sends(local: Local) -> None:
    received = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield b"one "
        assert received.wait(60)
        yield b"two"

    streams(local, pieces, headers={"Content-Type": "text/event-stream"})
    answer = stream(local, Accept="text/event-stream", CustomAttributes="a")
    assert answer["ContentType"] == "text/event-stream"
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    events = iter(answer["Body"])
    assert next(events) == {"PayloadPart": {"Bytes": b"one "}}
    received.set()
    assert next(events) == {"PayloadPart": {"Bytes": b"two"}}
    assert list(events) == []


def test_much_is_streamed_whole(local: Local) -> None:
    part = b"x" * 100_000
    streams(local, lambda: (part for _ in range(100)))
    answer = stream(local)
    size = sum(len(event["PayloadPart"]["Bytes"]) for event in answer["Body"])
    assert size == 100 * len(part)


def test_an_answer_with_a_length_is_streamed_too(local: Local) -> None:
    local.engine.program = serving(lambda _: Reply(body=b"whole"))
    deploy(local)
    (event,) = stream(local)["Body"]
    assert event["PayloadPart"]["Bytes"] == b"whole"


def test_a_container_that_breaks_off_ends_the_stream_with_an_error(local: Local) -> None:
    def pieces() -> Iterator[bytes | None]:
        yield b"part"
        yield None

    streams(local, pieces)
    events = iter(stream(local)["Body"])
    assert next(events)["PayloadPart"]["Bytes"] == b"part"
    with pytest.raises(EventStreamError) as raised:
        next(events)
    assert raised.value.response["Error"]["Code"] == "ModelStreamError"
    assert "was closed before" in str(raised.value)


def test_a_stream_that_takes_too_long_ends_with_an_error(impatient: Local) -> None:
    local = impatient
    over = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield b"part"
        over.wait(60)

    streams(local, pieces)
    events = iter(stream(local)["Body"])
    assert next(events)["PayloadPart"]["Bytes"] == b"part"
    with pytest.raises(EventStreamError, match="within the time"):
        next(events)
    over.set()


def test_an_error_before_the_stream_is_a_models_error(local: Local) -> None:
    local.engine.program = serving(
        lambda call: Reply(status=200 if call.path == "/ping" else 422, body=b"no tokens")
    )
    deploy(local)
    with pytest.raises(ClientError) as raised:
        stream(local)
    assert raised.value.response["Error"]["Code"] == "ModelError"
    assert raised.value.response["OriginalStatusCode"] == 422
    assert raised.value.response["OriginalMessage"] == "no tokens"


def test_a_caller_that_hangs_up_ends_the_containers_work(local: Local) -> None:
    stopped = threading.Event()

    def pieces() -> Iterator[bytes]:
        try:
            while True:
                yield b"x" * 1000
                time.sleep(0.01)
        finally:
            stopped.set()

    streams(local, pieces)
    answer = stream(local)
    next(iter(answer["Body"]))
    answer["Body"].close()
    awaited(stopped.is_set)
