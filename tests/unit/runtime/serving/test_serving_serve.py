"""`serve` from its start to its end: real processes, without a container."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ECHO = "def model_fn(d): return 1\ndef predict_fn(data, model): return data\n"
Started = Callable[..., "Serve"]


class Serve:
    """One `serve`, on a port of its own."""

    def __init__(self, folder: Path, **variables: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = folder / "log"
        env = {
            **os.environ,
            "SAGEMAKER_BASE_DIR": str(folder),
            "SAGEMAKER_BIND_TO_PORT": str(self.port),
            "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
            **variables,
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sagedock.runtime.serving.serve"],
                env=env,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def ask(self, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """Return status and body; 0 where nothing answers."""
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError:
            return 0, b""

    def until(self, status: int) -> None:
        """Wait until /ping answers so."""
        ends = time.monotonic() + 30
        while (found := self.ask("/ping")[0]) != status:
            assert time.monotonic() < ends, f"/ping answers {found}\n{self.log.read_text()}"
            time.sleep(0.02)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Started]:
    started: list[Serve] = []

    def begin(code: str = ECHO, **variables: str) -> Serve:
        (tmp_path / "model" / "code").mkdir(parents=True, exist_ok=True)
        (tmp_path / "model" / "code" / "inference.py").write_text(code)
        started.append(Serve(tmp_path, **variables))
        return started[-1]

    yield begin
    for serve in started:
        serve.process.kill()
        serve.process.wait()


def test_it_loads_answers_and_stops(start: Started) -> None:
    serve = start()
    serve.until(200)
    assert serve.ask("/invocations", b"[1, 2]") == (200, b"[1, 2]")
    assert serve.stop() == 0
    lines = serve.log.read_text().splitlines()
    assert "sagedock: stopping: no more connections are taken" in lines
    logged = [json.loads(line) for line in lines if line.startswith("{")]
    assert logged[-1]["path"] == "/invocations"


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("def model_fn(d): raise OSError('weights are gone')", "OSError: weights are gone"),
        ("def model_fn(d) return", "SyntaxError: "),
        ("import os\ndef model_fn(d): os._exit(3)", "ended with 3"),
        ("def model_fn(d, a, b): 1", "model_fn takes 3 arguments"),
    ],
)
def test_a_model_that_cannot_be_loaded_is_the_logs_last_word(
    start: Started, code: str, cause: str
) -> None:
    serve = start(code)
    pings = set()
    while serve.process.poll() is None:
        pings.add(serve.ask("/ping")[0])
        time.sleep(0.05)
    assert serve.process.returncode == 1
    last = serve.log.read_text().splitlines()[-1]
    assert last.startswith("sagedock: the model cannot be loaded: ")
    assert cause in last
    assert pings <= {0, 503}


def test_a_worker_that_is_killed_is_replaced(start: Started) -> None:
    serve = start("import os\n" + ECHO.replace("return data", "return [os.getpid()]"))
    serve.until(200)
    (pid,) = json.loads(serve.ask("/invocations", b"[]")[1])
    os.kill(pid, signal.SIGKILL)
    began = time.monotonic()
    serve.until(503)
    assert time.monotonic() - began < 1
    serve.until(200)
    assert json.loads(serve.ask("/invocations", b"[]")[1]) != [pid]


def test_a_port_that_is_taken_is_named(start: Started) -> None:
    with socket.create_server(("0.0.0.0", 0)) as other:
        serve = start(SAGEMAKER_BIND_TO_PORT=str(other.getsockname()[1]))
        assert serve.process.wait(30) == 1
    assert "cannot be listened on: Address already in use" in serve.log.read_text()


def test_a_stop_while_the_model_loads_is_heard(start: Started) -> None:
    serve = start("import time\ndef model_fn(d): time.sleep(60)")
    serve.until(503)
    assert serve.stop() == 0
