"""Whether a serving container can serve, said honestly: /ping, dead workers, models that fail."""

import threading
import time
from pathlib import Path

import pytest

from tests.docker.serving_container import ModelFolder, model

__all__ = ["model"]

ECHO = "def model_fn(d): return 1\ndef predict_fn(data, model): return data\n"


def test_ping_waits_for_the_model_and_its_warming(model: ModelFolder, tmp_path: Path) -> None:
    signs = tmp_path / "signs"
    signs.mkdir()
    model.code("""
import pathlib, time
def wait_for(name):
    while not pathlib.Path("/signs", name).exists(): time.sleep(0.02)
def model_fn(d): wait_for("load")
def model_warmup_fn(d, model): pathlib.Path("/signs/loaded").touch(); wait_for("warm")
def predict_fn(data, model): return data
""")
    serving = model.start(volumes=(f"{signs}:/signs",)).until(503)
    (signs / "load").touch()
    while not (signs / "loaded").exists():
        assert serving.ping() == 503
    assert serving.ping() == 503
    (signs / "warm").touch()
    assert serving.until(200).invoke(b"[7]").body == b"[7]"


def test_ping_is_quick_while_every_worker_computes(model: ModelFolder) -> None:
    serving = model.serve(
        "import torch\n"
        "def model_fn(d): return torch.nn.Linear(1500, 1500)\n"
        "@torch.inference_mode()\n"
        "def predict_fn(data, model): return model(torch.ones(200, 1500)).sum().item()\n",
        environment={"SAGEMAKER_MODEL_SERVER_WORKERS": "2"},
    )
    ends = time.monotonic() + 4
    busy = [threading.Thread(target=_ask_until, args=(serving, ends)) for _ in range(8)]
    for thread in busy:
        thread.start()
    took = []
    connection = serving.connect()
    while time.monotonic() < ends - 0.5:
        began = time.monotonic()
        connection.request("GET", "/ping")
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"")
        took.append(time.monotonic() - began)
        time.sleep(0.01)
    for thread in busy:
        thread.join()
    took.sort()
    assert took[len(took) // 2] < 0.05, f"p50 {took[len(took) // 2]:.3f} s"


def _ask_until(serving, ends):
    while time.monotonic() < ends:
        assert serving.invoke().status == 200


def test_a_killed_worker_is_told_at_once_and_replaced(model: ModelFolder) -> None:
    code = "import os\n" + ECHO.replace("return data", "return os.getpid()")
    serving = model.serve(code, environment={"SAGEMAKER_MODEL_SERVER_WORKERS": "2"})
    victim = serving.invoke().json
    began = time.monotonic()
    serving.shell(f"kill -9 {victim}")
    serving.until(503)
    assert time.monotonic() - began < 1
    assert serving.invoke().json != victim  # the other goes on meanwhile
    serving.until(200)
    how = "was killed by SIGKILL" if model.server == "native" else "ended"
    assert any(f"{how}; starting another" in line for line in serving.own_lines)


def test_a_request_that_kills_its_worker_fails_alone(model: ModelFolder) -> None:
    serving = model.serve(
        "import os\n" + ECHO.replace("return data", "return data if data[0] else os._exit(9)")
    )
    killed = serving.invoke(b"[0]")
    assert killed.status == 500
    assert killed.json == {"error": "the model's process ended while it ran this request"}
    assert serving.until(200).invoke(b"[1]").status == 200


def test_a_hung_model_is_answered_for_and_replaced(model: ModelFolder) -> None:
    serving = model.serve(
        "import time\n" + ECHO.replace("return data", "return time.sleep(data[0]) or data"),
        environment={"SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS": "1"},
    )
    began = time.monotonic()
    assert serving.invoke(b"[3600]").status == 504
    assert time.monotonic() - began < 3
    serving.until(503)
    assert serving.until(200).invoke(b"[0]").status == 200


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("def model_fn(d): raise OSError('the weights are gone')", "OSError: the weights are gone"),
        ("import absent_package", "ModuleNotFoundError: No module named 'absent_package'"),
        (None, "/opt/ml/model holds no model"),
    ],
)
def test_a_model_that_cannot_be_loaded_ends_the_container(
    model: ModelFolder, code: str | None, cause: str
) -> None:
    serving = (model.code(code) if code else model).start()
    pings = set()
    while serving.container.status in ("created", "running"):
        pings.add(serving.ping())
        serving.container.reload()
    assert serving.container.wait()["StatusCode"] == 1
    assert pings <= {0, 503}
    last = serving.log.splitlines()[-1]
    assert last.startswith("sagedock: the model cannot be loaded: ")
    assert cause in last
