"""What AWS's toolkit gets wrong of a container's life on Multi Model Server; `serve` mends it."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.docker.serving_container import MMS, STOCK, ModelFolder, Serving, model
from tests.docker.test_serving_requests import HELD, signs, until

__all__ = ["model", "signs"]

ECHO = "def model_fn(d): return 1\ndef predict_fn(data, model): return data\n"
PID = "import os\n" + ECHO.replace("return data", "return os.getpid()")
BROKEN = "def model_fn(d): raise OSError('the weights are gone')\n"
JAVA = "com.amazonaws.ml.mms.ModelServer"
#: Processes that run so; the shell that looks is none of them.
FIND = (
    "{{ for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline"
    " | grep -q '{word}' && basename $p; done; }} 2>/dev/null"
)


def pids(serving: Serving, word: str) -> list[int]:
    """Return the processes whose command holds ``word``; it starts with a bracket expression."""
    looked = FIND.format(word=f"[{word[0]}]{word[1:]}")
    return [int(line) for line in serving.shell(looked).split()]


def exit_code(serving: Serving, timeout_s: float = 60) -> int:
    return int(serving.container.wait(timeout=timeout_s)["StatusCode"])


@MMS
def test_ping_while_the_model_loads(model: ModelFolder, signs: Path) -> None:
    model.code(
        "import pathlib, time\n"
        "def model_fn(d):\n"
        "    pathlib.Path('/signs/loading').touch()\n"
        "    while not pathlib.Path('/signs/go').exists(): time.sleep(0.02)\n"
        "def predict_fn(data, model): return data\n"
    )
    volumes = (f"{signs}:/signs",)
    stock = model.stock(volumes=volumes)
    until((signs / "loading").exists)
    assert stock.ping() == 200  # of a model that is not there
    (signs / "loading").unlink()
    ours = model.start(volumes=volumes)
    until((signs / "loading").exists)
    assert ours.ping() == 503
    (signs / "go").touch()
    assert ours.until(200).invoke(b"[1]").body == b"[1]"


@MMS
def test_a_model_that_cannot_be_loaded(model: ModelFolder) -> None:
    stock = model.stock(BROKEN)
    assert stock.invoke().status == 500
    assert stock.ping() == 200
    ours = model.start()
    assert exit_code(ours) == 1
    assert ours.log.splitlines()[-1] == (
        "sagedock: the model cannot be loaded: OSError: the weights are gone"
    )


@MMS
def test_a_worker_that_is_killed(model: ModelFolder, signs: Path) -> None:
    """It cannot come back: its successor is held while it loads."""
    code = PID + (
        "import pathlib, time\n"
        "def model_fn(d):\n"
        "    while pathlib.Path('/signs/hold').exists(): time.sleep(0.02)\n"
    )
    volumes = (f"{signs}:/signs",)
    stock, ours = model.stock(code, volumes=volumes), model.serve(volumes=volumes)
    (signs / "hold").touch()
    for serving in (stock, ours):
        serving.shell(f"kill -9 {serving.invoke().json}")
    ours.until(503)  # although no request has met it
    assert stock.ping() == 200
    (signs / "hold").unlink()
    assert ours.until(200).invoke().status == 200


@MMS
def test_a_model_server_that_is_killed(model: ModelFolder) -> None:
    stock, ours = model.stock(ECHO), model.serve()
    for serving in (stock, ours):
        (java,) = pids(serving, JAVA)
        serving.shell(f"kill -9 {java}")
    assert exit_code(stock) == 0  # as if all were well
    assert exit_code(ours) == 1
    assert ours.own_lines[-1] == "sagedock: the Multi Model Server was killed by SIGKILL"


@MMS
def test_a_stop_with_requests_in_flight(model: ModelFolder, signs: Path) -> None:
    lost, answers, code = stopped(model, signs, *STOCK)
    assert lost > 0
    (signs / "begun").unlink()
    (signs / "open").unlink()
    lost, answers, code = stopped(model, signs, "serve")
    assert (lost, answers, code) == (0, [b"0", b"1", b"2", b"3"], 0)


def stopped(model: ModelFolder, signs: Path, *command: str) -> tuple[int, list[bytes], int]:
    """Stop a server with four requests, one of them running; return what became of them."""
    serving = model.code(HELD).start(volumes=(f"{signs}:/signs",), command=command).until(200)
    with ThreadPoolExecutor(5) as clients:
        asked = [
            clients.submit(serving.invoke, str(n).encode(), content_type="x/y") for n in range(4)
        ]
        until((signs / "begun").exists)
        until(lambda: connections(serving) >= 4)
        stop = clients.submit(serving.container.stop, timeout=30)
        time.sleep(2)  # the signal is on its way, the request still runs
        (signs / "open").touch()
        stop.result()
        answers = [each.result().body for each in asked if not each.exception()]
    return len(asked) - len(answers), sorted(answers), exit_code(serving)


def connections(serving: Serving) -> int:
    """Return how many clients the server has; 01 is the kernel's word for an open connection."""
    tables = serving.shell("cat /proc/net/tcp /proc/net/tcp6").splitlines()
    return sum(bool(re.match(r"\s*\d+: \S+:1F90 \S+ 01 ", line)) for line in tables)


@MMS
def test_no_process_is_left_behind(model: ModelFolder) -> None:
    """Outside a container, where no namespace ends with the server."""
    model.code(PID)
    found = {}
    for name, words in {"stock": f"{STOCK[0]} -c '{STOCK[2]}'", "ours": "serve"}.items():
        serving = model.start(command=["bash", "-c", f"{words} & wait; sleep 600"]).until(200)
        assert serving.invoke().status == 200
        first = min(children(serving, 1))
        serving.shell(f"kill -TERM {first}")
        until(lambda serving=serving: not pids(serving, JAVA))
        found[name] = bool(pids(serving, "mms/model_service_worker"))
    assert found == {"stock": True, "ours": False}


def children(serving: Serving, parent: int) -> list[int]:
    return [int(pid) for pid in serving.shell(f"cat /proc/{parent}/task/*/children").split()]


#: Prints the largest heap of a running Java machine, in bytes, by starting another as it is.
HEAP = (
    "flags=$(tr '\\0' '\\n' </proc/{java}/cmdline | grep -e '^-X'); java $flags"
    " -XX:+PrintFlagsFinal -version 2>&1 | awk '$2 == \"MaxHeapSize\" {{ print $4 }}'"
)


@MMS
@pytest.mark.parametrize("limit_mb", [400])
def test_the_heap_fits_the_container(model: ModelFolder, limit_mb: int) -> None:
    options = {"mem_limit": f"{limit_mb}m", "memswap_limit": f"{limit_mb}m"}
    stock, ours = model.stock(ECHO, **options), model.serve(**options)
    heaps_mb = [
        int(serving.shell(HEAP.format(java=pids(serving, JAVA)[0]))) >> 20
        for serving in (stock, ours)
    ]
    assert heaps_mb[0] > limit_mb
    assert heaps_mb[1] == limit_mb // 4


@MMS
def test_the_timeout_is_in_seconds(model: ModelFolder, signs: Path) -> None:
    code = (
        "import pathlib, time\n"
        "def model_fn(d):\n"
        "    while pathlib.Path('/signs/hold').exists(): time.sleep(0.02)\n"
        "def predict_fn(data, model): return time.sleep(data[0]) or data\n"
    )
    options: dict[str, Any] = {
        "environment": {"SAGEMAKER_MODEL_SERVER_TIMEOUT": "1"},
        "volumes": (f"{signs}:/signs",),
    }
    stock, ours = model.stock(code, **options), model.serve(**options)
    assert stock.invoke(b"[3]").status == 200
    (signs / "hold").touch()  # no successor comes unseen
    assert ours.invoke(b"[3]").status == 504
    ours.until(503)
    (signs / "hold").unlink()
    assert ours.until(200).invoke(b"[0]").status == 200


@MMS
def test_a_disk_that_cannot_be_written(model: ModelFolder) -> None:
    options = {"read_only": True, "tmpfs": {"/tmp": ""}}
    stock = model.code(ECHO).start(command=STOCK, **options)
    assert exit_code(stock) != 0
    assert "Read-only file system" in stock.log
    assert model.serve(**options).invoke(b"[1]").body == b"[1]"
