"""Endpoints as targets: requests as boto3 writes and signs them, streams, and who stands behind."""

import asyncio
import json
import re
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

from sagedock.client import Session
from sagedock.errors import InvalidRequest
from sagedock.load import Body, Closed, EndpointTarget, Plan, Result, run
from sagedock.load.bodies import bodies_of
from sagedock.load.fleet import instances_behind
from tests.unit.load.serving import Answer, Asked, Server, always, serving

pytest.importorskip("httptools")

BODIES = (Body(data=b"1,2", content_type="text/csv"), Body(data=b"[3]"))


def client(server: Server) -> Any:
    return boto3.client(
        "sagemaker-runtime",
        endpoint_url=server.url(""),
        region_name="us-west-2",
        aws_access_key_id="AKIA",
        aws_secret_access_key="secret",
        aws_session_token="token",
    )


def invoked(server: Server, **options: Any) -> Result:
    target = EndpointTarget(client(server), "digits", **{"bodies": BODIES, **options})
    return run(Plan(target=target, shape=Closed(concurrency=2), duration_s=30, requests=6))


def test_requests_are_those_of_boto3_signed_and_sent_by_us() -> None:
    members = {"TargetModel": "a.tar.gz", "TargetVariant": "blue", "Accept": "text/csv"}
    with serving() as server:
        result = invoked(server, members=members)
    assert (result.answered, result.failed) == (6, 0)
    assert result.target == f"endpoint digits at 127.0.0.1:{server.port}"
    assert sorted({each.body for each in server.requests}) == [b"1,2", b"[3]"]
    first = next(each for each in server.requests if each.body == b"1,2")
    assert first.start == "POST /endpoints/digits/invocations HTTP/1.1"
    sent = first.headers
    assert sent["content-type"] == "text/csv"
    assert sent["content-length"] == "3"
    assert sent["accept"] == "text/csv"
    assert sent["x-amzn-sagemaker-target-model"] == "a.tar.gz"
    assert sent["x-amzn-sagemaker-target-variant"] == "blue"
    assert sent["x-amz-security-token"] == "token"
    scope = r"AWS4-HMAC-SHA256 Credential=AKIA/\d{8}/us-west-2/sagemaker/aws4_request, "
    assert re.match(scope, sent["authorization"])


def test_the_signature_is_the_one_that_boto3_would_send() -> None:
    """The same request by boto3, whose body, headers and time are those that were signed."""
    with serving(always(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as server:
        invoked(server, bodies=BODIES[:1])
        ours = server.requests[-1]
        client(server).invoke_endpoint(EndpointName="digits", Body=b"1,2", ContentType="text/csv")
        theirs = server.requests[-1]
    assert ours.start == theirs.start
    changing = {"x-amz-date", "authorization", "amz-sdk-invocation-id", "user-agent"}
    kept = [{k: v for k, v in x.headers.items() if k not in changing} for x in (ours, theirs)]
    kept[1].pop("accept-encoding", None)  # urllib3's own, which is not signed
    assert kept[0] == kept[1]
    signed = [re.findall("SignedHeaders=[^,]*", x.headers["authorization"]) for x in (ours, theirs)]
    assert signed[0] == signed[1]


def test_a_signature_is_made_anew_before_it_is_too_old() -> None:
    now = [1000.0]
    with serving() as server:
        target = EndpointTarget(client(server), "digits", bodies=BODIES, clock=lambda: now[0])
        first, other = target.message(0), target.message(1)
        now[0] += 59
        assert (target.message(2), target.message(3)) == (first, other)
        now[0] += 2
        assert target.message(4) != first  # each request of boto3's has an id of its own
    assert server.connections == 0


@pytest.mark.parametrize("members", [{"TargetModel": "a\r\nX-Own: 1"}, {"TargetModel": "é"}])
def test_members_that_are_no_headers_are_refused(members: Mapping[str, str]) -> None:
    with serving() as server, pytest.raises(InvalidRequest):
        invoked(server, members=members)
    assert server.connections == 0


def test_a_model_error_is_a_failure_with_its_example() -> None:
    body = b'{"OriginalStatusCode": 500, "Message": "out of memory"}'
    head = f"HTTP/1.1 424 X\r\nx-amzn-errortype: ModelError\r\nContent-Length: {len(body)}\r\n\r\n"
    with serving(always(head.encode() + body)) as server:
        result = invoked(server)
    (error,) = result.errors
    assert (error.kind, error.status, error.count) == ("status", 424, 6)
    assert "out of memory" in error.example


def event(headers: Mapping[str, str], payload: bytes) -> bytes:
    """Return one event of AWS's stream. Source: the Transcribe guide, event stream encoding."""
    packed = b"".join(
        struct.pack("!B", len(name))
        + name.encode()
        + struct.pack("!BH", 7, len(value))
        + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack("!II", 16 + len(packed) + len(payload), len(packed))
    whole = prelude + struct.pack("!I", zlib.crc32(prelude)) + packed + payload
    return whole + struct.pack("!I", zlib.crc32(whole))


PART = event({":message-type": "event", ":event-type": "PayloadPart"}, b"ab")
BROKEN = event(
    {":message-type": "exception", ":exception-type": "ModelStreamError"}, b'{"Message": "gone"}'
)
START = event({":message-type": "event", ":event-type": "initial-response"}, b"{}")


def streaming(*pieces: bytes, pause_s: float = 0.0) -> Answer:
    async def answer(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in pieces:
            writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            await asyncio.sleep(pause_s)
        writer.write(b"0\r\n\r\n")

    return answer


def test_the_first_byte_of_a_stream_is_that_of_its_first_payload() -> None:
    with serving(streaming(START, PART, PART, pause_s=0.15)) as server:
        result = invoked(server, streams=True)
    assert server.requests[0].start.startswith("POST /endpoints/digits/invocations-response-stream")
    assert (result.answered, result.failed) == (6, 0)
    assert result.latency is not None
    assert result.first_byte is not None
    assert result.first_byte.min_ms >= 149  # not that of what comes before it
    assert result.latency.min_ms >= 449


@pytest.mark.parametrize(
    ("pieces", "kind", "detail"),
    [
        ((PART, BROKEN), "stream", "ModelStreamError"),
        ((PART, PART[:-1] + b"!"), "malformed", "event stream: "),
    ],
)
def test_a_stream_that_fails_after_it_began_has_failed(
    pieces: tuple[bytes, ...], kind: str, detail: str
) -> None:
    with serving(streaming(*pieces)) as server:
        result = invoked(server, streams=True)
    (error,) = result.errors
    assert (error.kind, error.count, result.answered) == (kind, 6, 0)
    assert error.detail.startswith(detail)


def describing(**answer: Any) -> Answer:
    """Answer DescribeEndpoint so; with ``__type`` it is a refusal."""
    data = json.dumps(answer).encode()
    status = "400 Bad Request" if "__type" in answer else "200 OK"
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(data)}\r\n\r\n"
    return always(head.encode() + data)


def behind(answer: Answer, tmp_path: Path, variant: str | None = None) -> int | None:
    with serving(answer) as server:
        environ = {"AWS_ENDPOINT_URL": server.url(""), "SAGEDOCK_HOME": str(tmp_path)}
        session = Session(target="local", environ=environ)
        found = instances_behind(session, "digits", variant)
    (asked,) = server.requests
    assert asked.headers["x-amz-target"] == "SageMaker.DescribeEndpoint"
    return found


VARIANTS = [
    {"VariantName": "blue", "CurrentInstanceCount": 2},
    {"VariantName": "green", "CurrentInstanceCount": 3},
]


@pytest.mark.parametrize(("variant", "count"), [(None, 5), ("green", 3)])
def test_instances_behind_an_endpoint(variant: str | None, count: int, tmp_path: Path) -> None:
    answer = describing(EndpointStatus="Updating", ProductionVariants=VARIANTS)
    assert behind(answer, tmp_path, variant) == count


def test_where_instances_cannot_be_told(tmp_path: Path) -> None:
    denied = describing(__type="AccessDeniedException", message="not authorized")
    assert behind(denied, tmp_path) is None
    serverless = [{"VariantName": "blue", "CurrentServerlessConfig": {"MaxConcurrency": 5}}]
    answer = describing(EndpointStatus="InService", ProductionVariants=serverless)
    assert behind(answer, tmp_path) is None


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (describing(EndpointStatus="Creating"), "wait until it is InService"),
        (
            describing(EndpointStatus="InService", ProductionVariants=VARIANTS),
            "has no variant 'red': use blue, green",
        ),
        (
            describing(__type="ValidationException", message="Could not find endpoint"),
            "^endpoint: digits: .*Could not find endpoint.*: give the name of an endpoint that is",
        ),
    ],
)
def test_endpoints_that_cannot_be_invoked(answer: Answer, words: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=words):
        behind(answer, tmp_path, "red")


def test_bodies_have_the_type_of_their_file(tmp_path: Path) -> None:
    names = ("a.csv", "b.NPY", "c.bin")
    for name in names:
        (tmp_path / name).write_bytes(name.encode())
    found = bodies_of([tmp_path / name for name in names], ["{}", b"\x00"], None)
    assert [each.content_type for each in found] == [
        "text/csv",
        "application/x-npy",
        "application/octet-stream",
        "application/json",
        "application/json",
    ]
    assert [each.data for each in found] == [b"a.csv", b"b.NPY", b"c.bin", b"{}", b"\x00"]
    assert bodies_of([tmp_path / "a.csv"], [], "x/y")[0].content_type == "x/y"
    assert bodies_of([], [], None) == (Body(data=b"{}"),)


def test_every_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest) as refused:
        bodies_of([tmp_path / "absent.csv", tmp_path], [], None)
    assert [problem.split(": ")[2] for problem in refused.value.problems] == [
        "No such file or directory",
        "Is a directory",
    ]
