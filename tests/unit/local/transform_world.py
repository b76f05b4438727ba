"""Transform jobs whose containers are HTTP servers of this process."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from sagedock.engine import ContainerSpec
from sagedock.local.async_requests import AsyncRequests
from sagedock.local.caller import Caller
from sagedock.local.database import Database
from sagedock.local.ecr import Ecr
from sagedock.local.faults import Faults
from sagedock.local.json_service import JsonService
from sagedock.local.logs import LogStore
from sagedock.local.metrics import MetricStore
from sagedock.local.platform import Platform
from sagedock.local.resources import Key, Resource, Resources
from sagedock.local.s3 import ObjectStore
from sagedock.local.settings import Settings
from sagedock.local.tags import Tags
from sagedock.local.training.slots import Slots
from sagedock.local.transform import (
    KIND,
    SUMMARY,
    CannotServe,
    Fleet,
    Served,
    Started,
    TransformJobs,
    TransformOperations,
)
from sagedock.local.transform.names import INSTANCE_LABEL
from sagedock.local.trials import Trials
from sagedock.testing import Container, FakeEngine

REGION, ACCOUNT = "us-west-2", "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/sagedock"
CALLER = Caller(region=REGION, service="sagemaker", account=ACCOUNT)
BUCKET = "probe-bucket"
LOG_GROUP = "/aws/sagemaker/TransformJobs"


@dataclass(frozen=True)
class Call:
    """One request that a container gets. Header names are lower-case."""

    container: Container
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


#: Status, or status and body; headers too.
Reply = tuple[int, bytes]


def echo(call: Call) -> Reply:
    """Healthy, without parameters, and answers what it is sent."""
    if call.path == "/ping":
        return 200, b""
    if call.path == "/execution-parameters":
        return 404, b""
    return 200, call.body


class QuietServer(ThreadingHTTPServer):
    """Says nothing of clients that hang up."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        return


@dataclass
class Model:
    """What the containers answer, and what they were asked."""

    answer: Callable[[Call], Reply] = echo
    calls: list[Call] = field(default_factory=list)

    def bodies(self) -> list[bytes]:
        """Return the payloads, in the order in which they came."""
        return [each.body for each in self.calls if each.path == "/invocations"]

    def serve(self, container: Container) -> int:
        """A program for ``FakeEngine``."""
        server = QuietServer(("127.0.0.1", 0), handler(self, container))
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        container.files["address"] = str(server.server_address[1]).encode()
        container.print("serving")
        while not container.terminated.wait(0.01) and not container.ended.is_set():
            pass
        server.shutdown()
        server.server_close()
        return 0


def handler(model: Model, container: Container) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            return

        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            call = Call(container, self.command, self.path, headers, self._body(headers))
            model.calls.append(call)
            status, body = model.answer(call)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the base class's name

        def _body(self, headers: Mapping[str, str]) -> bytes:
            if headers.get("transfer-encoding") != "chunked":
                return self.rfile.read(int(headers.get("content-length", 0)))
            pieces = []
            while size := int(self.rfile.readline(), 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(pieces)

    return Handler


@dataclass
class FakeServing:
    """Starts containers of a fake engine, and finds their servers."""

    engine: FakeEngine
    fleets: list[Fleet] = field(default_factory=list)
    refuses: str | None = None

    def start(
        self, fleet: Fleet, started: Callable[[Started], None], check_stop: Callable[[], None]
    ) -> None:
        """Start one for each instance."""
        self.fleets.append(fleet)
        if self.refuses:
            raise CannotServe(self.refuses, "no such data")
        for instance in fleet.instances:
            spec = ContainerSpec(
                name=instance,
                image="probe",
                command=("serve",),
                environment=fleet.environment,
                labels={**fleet.labels, INSTANCE_LABEL: instance},
            )
            container = self.engine.create(spec)
            self.engine.start(container)
            started(Started(container=container, instance=instance, name=None, port=0))

    def await_health(
        self, containers: Sequence[Started], check_stop: Callable[[], None]
    ) -> Mapping[str, Sequence[Served]]:
        """Wait until each has a port."""
        found = {}
        for each in containers:
            made = self.engine.all[each.container]
            while "address" not in made.files:
                check_stop()
                if made.ended.is_set():
                    raise CannotServe("AlgorithmError: See job logs for more information")
                time.sleep(0.005)
            port = int(made.files["address"])
            served = Served(container=each.container, name=None, address=("127.0.0.1", port))
            found[each.instance] = [served]
        return found

    def stop(self, containers: Sequence[str], most_s: float) -> None:
        """End them."""
        for each in containers:
            if each in self.engine.all:
                self.engine.stop(each, min(most_s, 5))

    def remove(self, key: Key, labels: Mapping[str, str]) -> None:
        """Remove what carries the labels."""
        for each in self.engine.containers(labels):
            self.engine.remove(each.id)


class Refusal(Exception):
    """What a call was refused with."""

    def __init__(self, code: str, message: str) -> None:
        self.code, self.message = code, message
        super().__init__(f"{code}: {message}")


@dataclass
class World:
    """The transform part of a local SageMaker."""

    platform: Platform
    engine: FakeEngine
    serving: FakeServing
    jobs: TransformJobs
    service: JsonService
    model: Model

    def call(self, operation: str, **request: Any) -> Any:
        """Call an operation as a client does, over the wire's encoding."""
        reply = self.service.answer(operation, json.dumps(request).encode(), CALLER)
        answer = json.loads(reply.body)
        if reply.status != 200:
            raise Refusal(answer["__type"], answer.get("message") or answer.get("Message", ""))
        return answer

    def put(self, key: str, data: bytes) -> None:
        """Put an object into the bucket."""
        path = self.platform.objects.temporary()
        path.write_bytes(data)
        self.platform.objects.put_file(BUCKET, key, path)

    def get(self, key: str) -> bytes:
        """Return an object's bytes."""
        return self.platform.objects.get(BUCKET, key).path.read_bytes()

    def keys(self, prefix: str = "out/") -> list[str]:
        """Return the keys of the bucket below a prefix."""
        return [key for key, _ in self.platform.objects.keys(BUCKET, prefix)]

    def create(self, name: str = "probe-1", **changes: Any) -> Any:
        """Create a transform job of s3://.../in/, with ``changes`` laid over the request."""
        return self.call("CreateTransformJob", **job(name, **changes))

    def run(self, name: str = "probe-1", **changes: Any) -> Any:
        """Create a job, wait until nothing of it is left, and return what Describe answers."""
        self.create(name, **changes)
        return self.ended(name)

    def ended(self, name: str = "probe-1") -> Any:
        """Wait until nothing of a job is left, and return what Describe answers."""
        described = self.until(name, lambda each: each["TransformJobStatus"] in TERMINAL)
        self.jobs.wait_until_gone(Key(region=REGION, kind=KIND, name=name))
        return described

    def until(self, name: str, true: Callable[[Any], bool]) -> Any:
        """Wait until Describe answers what is awaited."""
        ends = time.monotonic() + 60
        while not true(described := self.call("DescribeTransformJob", TransformJobName=name)):
            assert time.monotonic() < ends, described
            time.sleep(0.01)
        return described

    def log(self, suffix: str, name: str = "probe-1") -> list[str]:
        """Return the lines of the job's streams whose names end with ``suffix``."""
        logs = self.platform.logs
        return [
            event.message
            for stream in logs.streams(REGION, LOG_GROUP, f"{name}/")
            if stream.name.endswith(suffix)
            for event in logs.every_event(stream)
        ]

    def data_log(self, name: str = "probe-1") -> list[str]:
        """Return what the data logs say, without the time."""
        return [line.partition(":[sagemaker logs]: ")[2] for line in self.log("/data-log", name)]


TERMINAL = ("Completed", "Failed", "Stopped")


def job(name: str = "probe-1", **changes: Any) -> dict[str, Any]:
    """Return a valid request; a change of a structure is laid over that structure."""
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/in/"}
    request: dict[str, Any] = {
        "TransformJobName": name,
        "ModelName": "probe-model",
        "TransformInput": {"DataSource": {"S3DataSource": source}, "SplitType": "Line"},
        "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/out"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        "ModelClientConfig": {"InvocationsMaxRetries": 0},
    }
    for member, value in changes.items():
        laid_over = isinstance(value, dict) and isinstance(request.get(member), dict)
        request[member] = {**request[member], **value} if laid_over else value
    return {member: value for member, value in request.items() if value is not None}


@contextlib.contextmanager
def opened_world(home: Path, model: Model, **settings: Any) -> Iterator[World]:
    """A world at ``home``, where there may have been one before."""
    engine = FakeEngine(model.serve, images=["probe"])
    database = Database(home / "state.sqlite")
    objects = ObjectStore(home / "s3")
    resources, tags = Resources(database, summaries={KIND: SUMMARY}), Tags(database)
    own = Settings(home=home, check_answers=True, **settings)
    url = "http://127.0.0.1:1"
    platform = Platform(
        url=url,
        settings=own,
        engine=engine,
        resources=resources,
        tags=tags,
        ecr=Ecr.of(settings=own, engine=engine, resources=resources, tags=tags, url=url),
        logs=LogStore(database),
        metrics=MetricStore(database),
        async_requests=AsyncRequests(database),
        trials=Trials(database),
        objects=objects,
        network="probe",
        container_url="http://127.0.0.1:1",
        container_hosts={},
        machine=engine.machine(),
        faults=Faults([]),
    )
    serving = FakeServing(engine)
    jobs = TransformJobs(platform, Slots(4), serving)
    operations = TransformOperations(platform, jobs)
    service = JsonService(service="sagemaker", operations=operations.table(), check_answers=True)
    world = World(platform, engine, serving, jobs, service, model)
    prepare(platform)
    try:
        jobs.resume()
        yield world
    finally:
        jobs.shut_down(0.2)
        database.close()
        objects.close()


def prepare(platform: Platform) -> None:
    """Make the bucket and the model, where they are not there yet."""
    if not platform.objects.has_bucket(BUCKET):
        platform.objects.create_bucket(BUCKET, REGION)
    platform.resources.add(
        Resource(
            key=Key(region=REGION, kind="model", name="probe-model"),
            created=0,
            modified=0,
            status="",
            document={
                "ModelName": "probe-model",
                "ExecutionRoleArn": ROLE,
                "PrimaryContainer": {"Image": "probe", "Mode": "SingleModel"},
                "EnableNetworkIsolation": False,
            },
            request={},
        )
    )


def answering(invoked: Callable[[Call], Reply], parameters: bytes | None = None) -> Any:
    """Return what a model answers: to /invocations what ``invoked`` says."""

    def answer(call: Call) -> Reply:
        if call.path == "/execution-parameters" and parameters is not None:
            return 200, parameters
        return invoked(call) if call.path == "/invocations" else echo(call)

    return answer
