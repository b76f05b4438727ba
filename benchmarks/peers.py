"""Model servers in containers, ours and others, which serve the same models, and their load."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import docker
import requests

from sagedock.images import build_image, find_matrix, load_images
from sagedock.images.image import Image

__all__ = [
    "FILES",
    "OURS",
    "PEERS",
    "SERVING",
    "Load",
    "Running",
    "Server",
    "bare",
    "body_of",
    "built",
    "loaded",
    "running",
]

_ROOT = Path(__file__).resolve().parents[1]
FILES = _ROOT / "benchmarks" / "peers"
SERVING = "sagedock-serving:cpu"
_START_TIMEOUT_S = 120
_STOCK_MMS = "from sagemaker_inference import model_server; model_server.start_model_server()"
#: A program for wrk: it posts one body.
_POST = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "%s"
local file = io.open("%s", "rb")
wrk.body = file:read("*a")
"""


@dataclass(frozen=True, kw_only=True)
class Server:
    """A model server: what starts it, and whether it is one of PEERS' own images."""

    name: str
    image: str
    command: tuple[str, ...]
    environment: Mapping[str, str]


OURS = Server(
    name="sagedock",
    image=SERVING,
    command=("serve",),
    environment={"SAGEMAKER_MODEL_SERVER_WORKERS": "2"},
)
PEERS = (
    Server(
        name="mms",
        image=SERVING,
        command=("python3", "-c", _STOCK_MMS),
        environment={"SAGEMAKER_MODEL_SERVER_WORKERS": "2", "OMP_NUM_THREADS": "1"},
    ),
    *(
        Server(
            name=name,
            image=f"sagedock-peer:{name}",
            command=("/opt/ml/model/code/serve-peer",),
            environment={"PEER": name},
        )
        for name in ("inference-server", "flask", "litserve")
    ),
)


@dataclass(frozen=True, kw_only=True)
class Load:
    """What one load found: answers per second, latencies, CPU of the server for each answer."""

    rate: float
    p50_ms: float
    p99_ms: float
    cpu_us: float


def built(server: Server) -> Server:
    """Return the server once its image is there: gathered and built if need be."""
    if server.image.startswith("sagedock-peer:"):
        own = next(each for each in load_images(find_matrix(_ROOT)) if each.name == "serving-cpu")
        build_image(_peer_image(server.name, own), root=_ROOT, progress=_progress)
    return server


def _peer_image(name: str, own: Image) -> Image:
    return replace(
        own,
        name=f"peer-{name}",
        dockerfile="../benchmarks/peers/Dockerfile",
        target="peer",
        repository="sagedock-peer",
        tag=name,
        locks=(f"../benchmarks/peers/{name}.lock",),
        instead={},
        args={"PEER": name},
        labels={},
    )


def _progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


class Running:
    """A server's container."""

    def __init__(self, container: Any) -> None:
        container.reload()
        (network,) = container.attrs["NetworkSettings"]["Networks"].values()
        self.id: str = container.id
        self.url = f"http://{network['IPAddress']}:8080"
        self.first_answer_s = 0.0
        self._container = container

    def cpu_us(self) -> float:
        """Return the CPU that it has used so far, in microseconds."""
        return self._stats()["cpu_stats"]["cpu_usage"]["total_usage"] / 1000

    def memory_mb(self) -> float:
        """Return the memory that it uses, without the page cache, in megabytes."""
        found = self._stats()["memory_stats"]
        stats = found["stats"]
        cache = stats.get("total_inactive_file", stats.get("inactive_file", 0))
        return (found["usage"] - cache) / 1e6

    def pause(self) -> None:
        """Let it stand still: others are measured."""
        self._container.pause()

    def unpause(self) -> None:
        """Let it go on."""
        self._container.unpause()

    def _stats(self) -> Any:
        return self._container.client.api.stats(self._container.id, stream=False, one_shot=True)


@contextmanager
def running(server: Server, model: str, **environment: str) -> Iterator[Running]:
    """Run ``server`` with ``model`` in a container until its first good answer; yield it."""
    with tempfile.TemporaryDirectory() as folder:
        code = Path(folder, "code")
        shutil.copytree(FILES, code)
        began = time.perf_counter()
        container = docker.from_env().containers.run(
            server.image,
            list(server.command),
            detach=True,
            environment={"BENCH_MODEL": model, **server.environment, **environment},
            volumes={folder: {"bind": "/opt/ml/model", "mode": "rw"}},
            shm_size="1g",
            labels={"sagedock.bench": "peers"},
        )
        try:
            found = Running(container)
            _wait_for_an_answer(found, container, model)
            found.first_answer_s = time.perf_counter() - began
            yield found
        finally:
            container.remove(force=True)


def _wait_for_an_answer(found: Running, container: Any, model: str) -> None:
    body, content_type = body_of(model)
    ends = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < ends:
        try:
            answer = requests.post(
                f"{found.url}/invocations", body, headers={"Content-Type": content_type}, timeout=10
            )
        except requests.ConnectionError:
            answer = None
        if answer is not None and answer.ok:
            return
        container.reload()
        if container.status == "exited":
            break
        time.sleep(0.02)
    raise RuntimeError(f"it does not serve:\n{container.logs(tail=20).decode()}")


def body_of(model: str) -> tuple[bytes, str]:
    """Return the body, and its content type, that ``model`` is sent."""
    program = "import sys, models; body, kind = models.request(); print(kind, body.hex())"
    said = subprocess.run(
        [sys.executable, "-c", program],
        cwd=FILES,
        env={"BENCH_MODEL": model},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    kind, body = said.split()
    return bytes.fromhex(body), kind


def bare(model: str, batch: int, processes: int = 2) -> float:
    """Return how many predictions a second processes make in a loop, ``batch`` at a time."""
    said = docker.from_env().containers.run(
        SERVING,
        ["python3", "/opt/ml/model/code/bare.py", str(batch), str(processes)],
        environment={"BENCH_MODEL": model, "OMP_NUM_THREADS": "1"},
        volumes={str(FILES): {"bind": "/opt/ml/model/code", "mode": "ro"}},
        remove=True,
    )
    return float(json.loads(said)["rate"])


def loaded(found: Running, model: str, callers: int, seconds: float) -> Load:
    """Ask for predictions without a pause, from ``callers`` connections."""
    body, content_type = body_of(model)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "body").write_bytes(body)
        Path(folder, "post.lua").write_text(_POST % (content_type, Path(folder, "body")))
        command = ["wrk", "-t", str(min(2, callers)), "-c", str(callers), "-d", f"{seconds:.0f}s"]
        command += ["--latency", "--timeout", "10s", "-s", str(Path(folder, "post.lua"))]
        before = found.cpu_us()
        said = subprocess.run(
            [*command, f"{found.url}/invocations"], capture_output=True, text=True, check=True
        ).stdout
        used = found.cpu_us() - before
    if "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(f"not every answer was good:\n{said}")
    answered = int(_said(r"(\d+) requests in", said))
    return Load(
        rate=float(_said(r"Requests/sec: +([\d.]+)", said)),
        p50_ms=_ms(_said(r"50% +(\S+)", said)),
        p99_ms=_ms(_said(r"99% +(\S+)", said)),
        cpu_us=used / answered,
    )


def _said(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise RuntimeError(f"wrk said:\n{text}")
    return found[1]


def _ms(text: str) -> float:
    number = float(re.sub(r"[a-z]+", "", text))
    return number * {"us": 0.001, "ms": 1.0, "s": 1000.0}[re.sub(r"[\d.]+", "", text)]
