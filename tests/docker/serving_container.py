"""A model's folder, and the serving image run on it, on a port of this machine."""

import http.client
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import DockerException, ImageNotFound
from docker.models.containers import Container

IMAGE = os.environ.get("SAGEDOCK_TEST_SERVING_IMAGE", "sagedock-serving:cpu")
#: The model server of this working tree, not the one of the last build.
SOURCE = Path(__file__).parents[2] / "src" / "sagedock"
LABEL = "sagedock.test.serving"
PORT = 8080


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(kw_only=True)
class Serving:
    """A container that serves."""

    container: Container
    port: int

    def connect(self, timeout_s: float = 60) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Reply:
        connection = self.connect()
        try:
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body or None, given)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(status=answer.status, headers=found, body=answer.read())
        finally:
            connection.close()

    def invoke(self, body: bytes = b"[1]", **headers: str) -> Reply:
        return self.ask(
            "POST", "/invocations", body, **{"content_type": "application/json", **headers}
        )

    def ping(self) -> int:
        """Return what /ping answers; 0 where nothing does, as before the server listens."""
        try:
            return self.ask("GET", "/ping").status
        except (OSError, http.client.HTTPException):
            return 0

    def until(self, status: int, timeout_s: float = 120) -> "Serving":
        """Wait until /ping answers so."""
        ends = time.monotonic() + timeout_s
        while (found := self.ping()) != status:
            self.container.reload()
            assert self.container.status in ("created", "running"), self.log
            assert time.monotonic() < ends, f"/ping answers {found}: {self.log}"
            time.sleep(0.05)  # asking takes the processor from the server that starts
        return self

    def shell(self, words: str) -> str:
        """Run a shell command in the container; return its output."""
        done = self.container.exec_run(["bash", "-c", words])
        return str(done.output.decode())

    @property
    def log(self) -> str:
        return str(self.container.logs().decode("utf-8", "replace"))

    @property
    def own_lines(self) -> list[str]:
        return [line for line in self.log.splitlines() if line.startswith("sagedock: ")]


@dataclass
class ModelFolder:
    """A model: put files in it, then serve it."""

    client: Any
    folder: Path
    server: str
    containers: list[Container] = field(default_factory=list)

    def code(self, text: str, name: str = "inference.py") -> "ModelFolder":
        (self.folder / "code").mkdir(exist_ok=True)
        (self.folder / "code" / name).write_text(text)
        return self

    def start(
        self,
        *,
        volumes: tuple[str, ...] = (),
        port: int = PORT,
        command: Sequence[str] = ("serve",),
        **options: Any,
    ) -> Serving:
        """Start `serve`; the model's folder is read-only."""
        if options.get("network_mode") != "none":
            options["ports"] = {f"{port}/tcp": ("127.0.0.1", None)}
        options["environment"] = {
            "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
            "OMP_NUM_THREADS": "1",
            "SAGEDOCK_SERVER": self.server,
            **options.get("environment", {}),
        }
        container = self.client.containers.run(
            IMAGE,
            list(command),
            detach=True,
            labels=[LABEL],
            volumes=[
                f"{self.folder}:/opt/ml/model:ro",
                f"{SOURCE}:/opt/sagedock/lib/sagedock:ro",
                *volumes,
            ],
            **options,
        )
        self.containers.append(container)
        container.reload()
        published = container.ports.get(f"{port}/tcp") or [{"HostPort": "0"}]
        return Serving(container=container, port=int(published[0]["HostPort"]))

    def stock(self, code: str | None = None, **options: Any) -> Serving:
        """Start AWS's toolkit as it comes, and wait until it listens."""
        if code is not None:
            self.code(code)
        return self.start(command=STOCK, **options).until(200)

    def serve(self, code: str | None = None, **options: Any) -> Serving:
        """Start `serve`, and wait until the model is loaded."""
        if code is not None:
            self.code(code)
        return self.start(**options).until(200)


#: AWS's toolkit as it comes: its own Multi Model Server, started by its own code.
STOCK = (
    "python",
    "-c",
    "from sagemaker_inference import model_server; model_server.start_model_server()",
)
#: A test of one server alone.
NATIVE = pytest.mark.parametrize("model", ["native"], indirect=True)
MMS = pytest.mark.parametrize("model", ["mms"], indirect=True)


def engine_with_image() -> Any:
    """Return a client of the engine; the test is skipped where that has no image to serve with."""
    try:
        client = docker.from_env()
        client.images.get(IMAGE)
    except ImageNotFound:
        pytest.skip(f"the image {IMAGE} is not built: make build")
    except DockerException as error:
        pytest.skip(f"no Docker engine answers: {error}")
    return client


@pytest.fixture(params=["native", "mms"])
def model(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ModelFolder]:
    """A model's folder, for each of the two servers. Its containers are gone afterwards."""
    client = engine_with_image()
    folder = tmp_path / "model"
    folder.mkdir()
    made = ModelFolder(client=client, folder=folder, server=request.param)
    yield made
    for container in made.containers:
        container.remove(force=True, v=True)
    client.close()
