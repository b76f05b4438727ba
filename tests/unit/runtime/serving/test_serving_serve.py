"""`serve` from its start to its end: real processes, without a container."""

import functools
import json
import os
import signal
import socket
import time
from pathlib import Path

import pytest

from tests.unit.runtime.serving import fake_mms
from tests.unit.runtime.serving.serve_process import HELD_ECHO, Started
from tests.unit.runtime.serving.serve_process import start as start_native

__all__ = ["start_native"]


@pytest.fixture(params=["native", "mms"])
def start(request: pytest.FixtureRequest, start_native: Started, tmp_path: Path) -> Started:
    """Start `serve` on either server; what stands for Multi Model Server needs no Java."""
    if request.param == "native":
        return start_native
    variables = fake_mms.install(tmp_path / "fake")
    return functools.partial(start_native, **variables)


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
        ("import os\ndef model_fn(d): os._exit(3)", "ended"),
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


@pytest.mark.parametrize(
    ("code", "cause", "tracebacks"),
    [
        ("def model_fn(d) return", "SyntaxError: ", 1),
        ("def model_fn(d, a, b): 1", "model_fn takes 3 arguments", 0),
    ],
)
def test_code_that_no_other_attempt_would_load_is_told_of_once(
    start: Started, code: str, cause: str, tracebacks: int
) -> None:
    serve = start(code)
    assert serve.process.wait(60) == 1
    log = serve.log.read_text()
    assert log.count("Traceback (most recent call last)") == tracebacks
    assert "starting another" not in log
    assert [line for line in log.splitlines() if cause in line and line.startswith("sagedock")] == [
        log.splitlines()[-1]
    ]


def test_a_worker_that_is_killed_is_replaced(start: Started) -> None:
    serve = start("import os, time\n" + HELD_ECHO.replace("return data", "return [os.getpid()]"))
    serve.until(200)
    (pid,) = json.loads(serve.ask("/invocations", b"[]")[1])
    serve.hold.touch()
    os.kill(pid, signal.SIGKILL)
    serve.until(503)  # although no request has met it
    serve.hold.unlink()
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
