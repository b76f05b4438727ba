"""A transform job against its model alone: how many records a second, and what CPU each.

The model is a process that reads every line as JSON and answers one for it. Alone, it is sent the
same payloads by the same client with nothing before or behind.
"""

import json
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3

from benchmarks.table import Row
from sagedock import LocalSageMaker
from sagedock.local.transform.connection import Connection
from sagedock.testing import Container, FakeEngine

__all__ = ["rows"]

_REGION = "us-west-2"
_IMAGE = f"123456789012.dkr.ecr.{_REGION}.amazonaws.com/lines:1"
_RECORDS, _ROUNDS, _LEAST_SHARE = 100_000, 5, 0.8
_JOINED: Mapping[str, Any] = {
    "DataProcessing": {
        "InputFilter": "$.features",
        "JoinSource": "Input",
        "OutputFilter": "$['id','SageMakerOutput']",
    }
}


def rows() -> list[Row]:
    """Measure jobs of many records for each request, of one, and of many that are joined."""
    with _model() as port, tempfile.TemporaryDirectory() as folder:
        engine = FakeEngine(_program(port), images=[_IMAGE])
        with LocalSageMaker(home=Path(folder) / "home", engine=engine) as local:
            lines = _prepared(local.endpoint_url)
            many = [b"".join(lines[i : i + 20_000]) for i in range(0, len(lines), 20_000)]
            return [
                _row(local, port, "MultiRecord", many, {"MaxPayloadInMB": 1}),
                _row(local, port, "SingleRecord", lines, {"BatchStrategy": "SingleRecord"}),
                _row(local, port, "MultiRecord, filtered and joined", many, _JOINED, goal=False),
            ]


def _row(
    local: LocalSageMaker,
    port: int,
    what: str,
    payloads: list[bytes],
    request: Mapping[str, Any],
    *,
    goal: bool = True,
) -> Row:
    alone, jobs, cpu_s = [], [], []
    for number in range(_ROUNDS):  # interleaved: the machine is not ours alone
        alone.append(_alone(port, payloads))
        before = time.process_time()
        jobs.append(
            _job(local.endpoint_url, f"{what.partition(',')[0]}-{goal:d}-{number}", request)
        )
        cpu_s.append(time.process_time() - before)
    share = statistics.median(mine / own for mine, own in zip(alone, jobs, strict=True))
    ours, theirs = statistics.median(jobs), statistics.median(alone)
    cpu_us = statistics.median(cpu_s) / _RECORDS * 1e6
    return Row(
        what=f"transform of {_RECORDS} JSON lines, {what}",
        ours=f"{_RECORDS / ours:.0f} a second, {cpu_us:.1f} us of CPU each",
        against=f"the model itself: {_RECORDS / theirs:.0f} a second",
        ratio=f"{share:.2f}x",
        goal=f"{_LEAST_SHARE}x" if goal else "-",
        met=share >= _LEAST_SHARE if goal else None,
    )


def _alone(port: int, payloads: list[bytes]) -> float:
    connection = Connection(("127.0.0.1", port))
    head = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/jsonlines\r\n"
    began = time.perf_counter()
    for payload in payloads:
        connection.ask(head, payload, 60)
    connection.close()
    return time.perf_counter() - began


def _job(url: str, name: str, changes: Mapping[str, Any]) -> float:
    """Run a job, and return how long it had its instances, in seconds."""
    sagemaker = _client(url, "sagemaker")
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://bench/in/"}
    sagemaker.create_transform_job(
        TransformJobName=name,
        ModelName="m",
        TransformInput={
            "DataSource": {"S3DataSource": source},
            "SplitType": "Line",
            "ContentType": "application/jsonlines",
        },
        TransformOutput={
            "S3OutputPath": "s3://bench/out",
            "AssembleWith": "Line",
            "Accept": "application/jsonlines",
        },
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **changes,
    )
    while "TransformEndTime" not in (
        job := sagemaker.describe_transform_job(TransformJobName=name)
    ):
        time.sleep(0.1)
    if job["TransformJobStatus"] != "Completed":
        raise RuntimeError(job["FailureReason"])
    return float((job["TransformEndTime"] - job["TransformStartTime"]).total_seconds())


def _prepared(url: str) -> list[bytes]:
    """Store the records and the model; return the records."""
    lines = [
        json.dumps({"id": number, "features": [number % 7, 0.5, 1.5]}).encode() + b"\n"
        for number in range(_RECORDS)
    ]
    s3 = _client(url, "s3")
    s3.create_bucket(Bucket="bench", CreateBucketConfiguration={"LocationConstraint": _REGION})
    s3.put_object(Bucket="bench", Key="in/records.jsonl", Body=b"".join(lines))
    _client(url, "sagemaker").create_model(
        ModelName="m",
        PrimaryContainer={"Image": _IMAGE},
        ExecutionRoleArn="arn:aws:iam::123456789012:role/sagedock",
    )
    return lines


def _client(url: str, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=_REGION,
        aws_access_key_id="x",
        aws_secret_access_key="y",
    )


def _program(port: int) -> Any:
    def program(container: Container) -> int:
        container.address = ("127.0.0.1", port)
        container.terminated.wait()
        return 0

    return program


class _Lines(BaseHTTPRequestHandler):
    """Answers each line of JSON with how long its text is."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def log_message(self, *_: object) -> None:
        return

    def do_GET(self) -> None:
        self._send(200 if self.path == "/ping" else 404, b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        lengths = [json.dumps(len(str(json.loads(line)))) for line in body.splitlines()]
        self._send(200, ("\n".join(lengths) + "\n").encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def _model() -> Iterator[int]:
    """A process that serves; its port."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,))
    process.start()
    try:
        yield ours.recv()
    finally:
        process.terminate()
        process.join(10)


def _serve(pipe: Any) -> None:
    class Server(ThreadingHTTPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), _Lines) as server:
        pipe.send(server.server_address[1])
        server.serve_forever()
