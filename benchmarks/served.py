"""Servers in processes of their own: ours, moto's with the same jobs in it, and a bare one."""

import asyncio
import inspect
import logging
import multiprocessing
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore import xform_name

from sagedock import LocalSageMaker
from sagedock.local.caller import Caller
from sagedock.local.database import Database
from sagedock.local.resources import Key, Resource, Resources
from sagedock.local.training import KIND, SUMMARY, lifecycle
from sagedock.local.training.document import new_document, training_job_arn
from sagedock.testing import FakeEngine

__all__ = [
    "ACCOUNT",
    "REGION",
    "bare",
    "job_name",
    "moto",
    "ours",
    "request_of",
    "serving",
    "stored_job",
]

REGION = "us-west-2"
ACCOUNT = "123456789012"
_CALLER = Caller(region=REGION, service="sagemaker", account=ACCOUNT)
_START_TIMEOUT_S = 120
_STATUSES = ("Completed", "Completed", "Completed", "Failed", "Stopped")
_BARE_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


def job_name(number: int) -> str:
    """Return the name of a stored job."""
    return f"digits-{number * 7919 % 10007:05d}-{number}"


@contextmanager
def serving(serve: Callable[..., None], *arguments: Any) -> Iterator[int]:
    """Run ``serve(port, *arguments)`` in a process of its own; yield the port once it listens."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
    process = multiprocessing.get_context("spawn").Process(
        target=serve, args=(port, *arguments), daemon=True
    )
    process.start()
    try:
        _wait_until_it_listens(port, process)
        yield port
    finally:
        process.terminate()
        process.join()


def ours(port: int, home: str, jobs: int) -> None:
    """Serve the local SageMaker with ``jobs`` ended jobs in its store."""
    database = Database(Path(home) / "state.sqlite")
    resources = Resources(database, summaries={KIND: SUMMARY})
    with database.transaction():
        for number in range(jobs):
            resources.add(stored_job(number))
    database.close()
    with LocalSageMaker(home=Path(home), port=port, engine=FakeEngine(None)):
        while True:
            time.sleep(3600)


def moto(port: int, jobs: int) -> None:
    """Serve moto with the same jobs in its memory."""
    from moto.sagemaker.models import sagemaker_backends
    from moto.server import main

    create = sagemaker_backends[ACCOUNT][REGION].create_training_job
    for number in range(jobs):
        given = {xform_name(member): value for member, value in request_of(number).items()}
        create(**{name: given.get(name) for name in inspect.signature(create).parameters})
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for every request
    main(["--port", str(port)])


def bare(port: int) -> None:
    """Answer every request with two bytes, as little as a server can: what the client can do."""

    class Answering(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            self._transport = transport

        def data_received(self, data: bytes) -> None:  # noqa: ARG002 - the interface
            self._transport.write(_BARE_ANSWER)

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Answering, "127.0.0.1", port)
        await server.serve_forever()

    asyncio.run(serve())


def request_of(number: int) -> dict[str, Any]:
    """Return the CreateTrainingJob request of a stored job."""
    name = job_name(number)
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://bench/data/"}
    return {
        "TrainingJobName": name,
        "HyperParameters": {"epochs": "20", "lr": "0.1", "sagemaker_program": '"train.py"'},
        "AlgorithmSpecification": {
            "TrainingImage": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/sagedock-training:cpu",
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "test:accuracy", "Regex": "accuracy=([0-9.]+)"}],
        },
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/bench",
        "InputDataConfig": [
            {"ChannelName": channel, "DataSource": {"S3DataSource": source}}
            for channel in ("train", "test")
        ],
        "OutputDataConfig": {"S3OutputPath": "s3://bench/out"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 10,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    }


def stored_job(number: int) -> Resource:
    """Return a job as it is stored once it has ended."""
    request = request_of(number)
    name, status = request["TrainingJobName"], _STATUSES[number % len(_STATUSES)]
    created = 1_750_000_000.0 + number
    document = new_document(request, training_job_arn(_CALLER, name), created)
    for second, step in enumerate(("Downloading", "Training", "Uploading"), start=1):
        document = lifecycle.enter(document, step, f"{step} ...", created + second)
    document = lifecycle.end(document, status, f"Training job {status}", created + 100)
    return Resource(
        key=Key(region=REGION, kind="training-job", name=name),
        created=created,
        modified=created + 100,
        status=status,
        document=document,
        request=request,
    )


def _wait_until_it_listens(port: int, process: Any) -> None:
    ends = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < ends and process.is_alive():
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
    sys.exit(f"the server on port {port} did not start")
