"""Whether a serving container can serve, said honestly: /ping, dead workers, models that fail."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.docker.serving_container import ModelFolder, model
from tests.docker.test_serving_requests import until

__all__ = ["model"]

ECHO = "def model_fn(d): return 1\ndef predict_fn(data, model): return data\n"
#: Its workers load only while the file /signs/hold is not there: none comes back unseen.
HELD = """
import os, pathlib, time
def model_fn(d):
    while pathlib.Path("/signs/hold").exists(): time.sleep(0.02)
"""


@pytest.fixture
def signs(tmp_path: Path) -> Path:
    folder = tmp_path / "signs"
    folder.mkdir()
    return folder


def test_ping_waits_for_the_model_and_its_warming(model: ModelFolder, signs: Path) -> None:
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


def test_ping_waits_for_no_worker_that_computes(model: ModelFolder, signs: Path) -> None:
    """All of them compute, without a pause, until /ping has answered many times."""
    serving = model.serve(
        """
import os, pathlib
def model_fn(d): return 1
def predict_fn(data, model):
    pathlib.Path(f"/signs/begun-{os.getpid()}").touch()
    while not pathlib.Path("/signs/go").exists(): pass
    return data
""",
        volumes=(f"{signs}:/signs",),
        environment={"SAGEMAKER_MODEL_SERVER_WORKERS": "2"},
    )
    with ThreadPoolExecutor(8) as clients:
        asked = [clients.submit(serving.invoke) for _ in range(8)]
        try:
            while len(list(signs.glob("begun-*"))) < 2:
                assert serving.ping() == 200
            assert [serving.ping() for _ in range(30)] == [200] * 30
            assert not any(each.done() for each in asked)
        finally:
            (signs / "go").touch()
    assert [each.result().status for each in asked] == [200] * 8


def test_a_killed_worker_is_told_at_once_and_replaced(model: ModelFolder, signs: Path) -> None:
    serving = model.serve(
        f"{HELD}def predict_fn(data, model): return os.getpid()\n",
        volumes=(f"{signs}:/signs",),
        environment={"SAGEMAKER_MODEL_SERVER_WORKERS": "2"},
    )
    victim = serving.invoke().json
    (signs / "hold").touch()
    serving.shell(f"kill -9 {victim}")
    serving.until(503)  # although no request has met it
    assert serving.invoke().json != victim  # the other goes on meanwhile
    (signs / "hold").unlink()
    serving.until(200)
    how = "was killed by SIGKILL" if model.server == "native" else "ended"
    until(lambda: any(f"{how}; starting another" in line for line in serving.own_lines))


def test_a_request_that_kills_its_worker_fails_alone(model: ModelFolder) -> None:
    serving = model.serve(
        "import os\n" + ECHO.replace("return data", "return data if data[0] else os._exit(9)")
    )
    killed = serving.invoke(b"[0]")
    assert killed.status == 500
    assert killed.json == {"error": "the model's process ended while it ran this request"}
    assert serving.until(200).invoke(b"[1]").status == 200


def test_a_hung_model_is_answered_for_and_replaced(model: ModelFolder, signs: Path) -> None:
    serving = model.serve(
        f"{HELD}def predict_fn(data, model): return time.sleep(data[0]) or data\n",
        volumes=(f"{signs}:/signs",),
        environment={"SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS": "1"},
    )
    (signs / "hold").touch()
    began = time.monotonic()
    assert serving.invoke(b"[3600]").status == 504
    assert time.monotonic() - began < 50  # a second; no other limit is below a minute
    serving.until(503)
    (signs / "hold").unlink()
    assert serving.until(200).invoke(b"[0]").status == 200


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("def model_fn(d): raise OSError('the weights are gone')", "OSError: the weights are gone"),
        ("import absent_package", "ModuleNotFoundError: No module named 'absent_package'"),
        (None, "the model's folder is empty: put one there"),
    ],
)
def test_a_model_that_cannot_be_loaded_ends_the_container(
    model: ModelFolder, code: str | None, cause: str
) -> None:
    serving = (model.code(code) if code else model).start()
    pings = set()
    while serving.container.status in ("created", "running"):
        pings.add(serving.ping())
        time.sleep(0.05)  # asking takes the processor from the server that starts
        serving.container.reload()
    assert serving.container.wait()["StatusCode"] == 1
    assert pings <= {0, 503}
    last = serving.log.splitlines()[-1]
    assert last.startswith("sagedock: the model cannot be loaded: ")
    assert cause in last
