"""InvokeEndpoint against a direct call of the container: how long, how many a second, what CPU.

Client, local SageMaker and model are a process each. The model answers what it was sent, from a few
lines that read nothing of HTTP but a length, so that what is measured is the way to it.
"""

import asyncio
import multiprocessing
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import boto3

from benchmarks.table import Row
from sagedock import LocalSageMaker
from sagedock.testing import Container, FakeEngine

__all__ = ["rows"]

_REGION = "us-west-2"
_IMAGE = f"123456789012.dkr.ecr.{_REGION}.amazonaws.com/echo:1"
_BODY = b"x" * 256
_SIGNATURE = f"AWS4-HMAC-SHA256 Credential=x/20260101/{_REGION}/sagemaker/aws4_request, Signature=y"
_ROUNDS, _SECONDS, _AT_ONCE = 5, 2.0, 16
_MOST_ADDED_MS, _LEAST_RATE = 0.5, 2000


def rows() -> list[Row]:
    """Measure latencies with one caller, and calls a second with several."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,))
    process.start()
    try:
        port, model_port = ours.recv()
        return asyncio.run(_measured(ours, port, model_port))
    finally:
        ours.send(None)
        process.join(30)


async def _measured(server: Any, port: int, model_port: int) -> list[Row]:
    direct, through, pairs = [], [], []
    for _ in range(_ROUNDS):  # interleaved: the machine is not ours alone
        direct += await _latencies(model_port, "/invocations")
        through += await _latencies(port, "/endpoints/e/invocations")
        server.send("cpu")
        before = server.recv()
        count = await _count(port, "/endpoints/e/invocations")
        server.send("cpu")
        pairs.append((count / _SECONDS, (server.recv() - before) / count))
    own, other = statistics.median(through) * 1000, statistics.median(direct) * 1000
    rate = statistics.median(rate for rate, _ in pairs)
    cpu_us = statistics.median(cpu for _, cpu in pairs) * 1e6
    return [
        Row(
            what="InvokeEndpoint, one caller, p50",
            ours=f"{own:.2f} ms",
            against=f"the model itself: {other:.2f} ms",
            ratio=f"+{own - other:.2f} ms",
            goal=f"+{_MOST_ADDED_MS} ms",
            met=own - other <= _MOST_ADDED_MS,
        ),
        Row(
            what=f"InvokeEndpoint, {_AT_ONCE} callers",
            ours=f"{rate:.0f} a second",
            against="-",
            ratio=f"{cpu_us:.0f} us of CPU each",
            goal=f"{_LEAST_RATE} a second",
            met=rate >= _LEAST_RATE,
        ),
    ]


async def _latencies(port: int, path: str) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    found = []
    for _ in range(400):
        begun = time.perf_counter()
        await _call(reader, writer, path)
        found.append(time.perf_counter() - begun)
    writer.close()
    return found[50:]


async def _count(port: int, path: str) -> int:
    ends = time.perf_counter() + _SECONDS

    async def caller() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        done = 0
        while time.perf_counter() < ends:
            await _call(reader, writer, path)
            done += 1
        writer.close()
        return done

    return sum(await asyncio.gather(*(caller() for _ in range(_AT_ONCE))))


async def _call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> None:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {_SIGNATURE}\r\n"
        f"Content-Type: text/plain\r\nContent-Length: {len(_BODY)}\r\n\r\n"
    )
    writer.write(head.encode() + _BODY)
    answer = await reader.readuntil(b"\r\n\r\n")
    if not answer.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(answer.decode())
    await reader.readexactly(len(_BODY))


class _Echo(asyncio.Protocol):
    """Answers what it gets; one read is one request."""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        body = data.partition(b"\r\n\r\n")[2]
        self._transport.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: %d\r\n\r\n%s"
            % (len(body), body)
        )


def _model(pipe: Any) -> None:
    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(_Echo, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


def _serve(pipe: Any) -> None:
    """Run a local SageMaker with one endpoint until the pipe says to end."""
    ours, theirs = multiprocessing.Pipe()
    model = multiprocessing.get_context("spawn").Process(
        target=_model, args=(theirs,), daemon=False
    )
    model.start()
    model_port = ours.recv()

    def program(container: Container) -> int:
        container.address = ("127.0.0.1", model_port)
        container.terminated.wait()
        return 0

    with (
        tempfile.TemporaryDirectory() as home,
        LocalSageMaker(
            home=Path(home) / "home", engine=FakeEngine(program, images=[_IMAGE])
        ) as local,
    ):
        _deploy(local.endpoint_url)
        pipe.send((int(local.endpoint_url.rpartition(":")[2]), model_port))
        while pipe.recv() == "cpu":
            pipe.send(time.process_time())
    model.terminate()


def _deploy(url: str) -> None:
    sagemaker = boto3.client(
        "sagemaker",
        endpoint_url=url,
        region_name=_REGION,
        aws_access_key_id="x",
        aws_secret_access_key="y",
    )
    sagemaker.create_model(
        ModelName="m",
        PrimaryContainer={"Image": _IMAGE},
        ExecutionRoleArn="arn:aws:iam::123456789012:role/sagedock",
    )
    sagemaker.create_endpoint_config(
        EndpointConfigName="c",
        ProductionVariants=[
            {
                "VariantName": "v",
                "ModelName": "m",
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
            }
        ],
    )
    sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c")
    while sagemaker.describe_endpoint(EndpointName="e")["EndpointStatus"] != "InService":
        time.sleep(0.05)
