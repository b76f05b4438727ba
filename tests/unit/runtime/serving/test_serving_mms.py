"""`serve` on Multi Model Server, whole, before a stand-in that needs no Java."""

import json
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.runtime.serving import fake_mms
from tests.unit.runtime.serving.serve_process import ECHO, HELD_ECHO, Serve, Started, start

__all__ = ["start"]

PIDS = "import os\n" + ECHO.replace("return data", "return [os.getpid(), os.getppid()]")


@pytest.fixture
def private() -> Iterator[Path]:
    """A folder for the server's private one, with a short path."""
    with tempfile.TemporaryDirectory(dir="/tmp", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture
def variables(tmp_path: Path, private: Path) -> dict[str, str]:
    """What starts `serve` on the stand-in."""
    return {**fake_mms.install(tmp_path / "fake"), "TMPDIR": str(private)}


def runs(pid: int) -> bool:
    """Return whether a process is there and no zombie."""
    try:
        return "Z (zombie)" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def until_gone(*pids: int) -> None:
    ends = time.monotonic() + 60
    while any(map(runs, pids)):
        assert time.monotonic() < ends
        time.sleep(0.02)


def asked(serve: Serve, body: bytes = b"[]") -> list[int]:
    serve.until(200)
    status, answer = serve.ask("/invocations", body)
    assert status == 200, serve.log.read_text()
    found: list[int] = json.loads(answer)
    return found


def test_the_servers_death_is_the_logs_last_word(start: Started, variables: dict[str, str]) -> None:
    serve = start(PIDS, **variables)
    worker, java = asked(serve)
    os.kill(java, signal.SIGKILL)
    assert serve.process.wait(30) == 1
    assert serve.log.read_text().splitlines()[-1] == (
        "sagedock: the Multi Model Server was killed by SIGKILL"
    )
    until_gone(worker)


def test_a_server_that_does_not_start_says_why(start: Started, variables: dict[str, str]) -> None:
    java = Path(variables["PATH"].partition(":")[0]) / "java"
    java.write_text("#!/bin/sh\necho 'there is no heap' >&2\nexit 3\n")
    serve = start(**variables)
    assert serve.process.wait(30) == 1
    last = serve.log.read_text().splitlines()[-1]
    assert last == "sagedock: the Multi Model Server ended with 3: there is no heap"


def test_nothing_is_left_after_a_stop(
    start: Started, variables: dict[str, str], private: Path
) -> None:
    serve = start(PIDS, **variables)
    pids = asked(serve)
    (folder,) = private.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert serve.stop() == 0
    assert list(private.iterdir()) == []
    until_gone(*pids)


def test_a_worker_that_has_left_children_is_known_to_have_died(
    start: Started, variables: dict[str, str]
) -> None:
    """They hold its sockets open."""
    forks = "\n    pid = os.fork()\n    if not pid: time.sleep(60)\n    return [os.getpid(), pid]"
    code = "import os, time\n" + HELD_ECHO.replace("return data", forks)
    serve = start(code, **variables)
    worker, left = asked(serve)
    serve.hold.touch()
    os.kill(worker, signal.SIGKILL)
    serve.until(503)  # although no request has met it
    os.kill(left, signal.SIGKILL)
    serve.hold.unlink()
    serve.until(200)


def test_workers_have_the_environment_that_our_own_have(
    start: Started, variables: dict[str, str]
) -> None:
    code = ECHO.replace("return data", "return [dict(os.environ), os.getcwd()]")
    serve = start("import os\n" + code, OMP_NUM_THREADS="3", **variables)
    serve.until(200)
    environment, directory = json.loads(serve.ask("/invocations", b"[]")[1])
    ours = Path(f"/proc/{serve.process.pid}/environ").read_bytes().decode().split("\0")
    inherited = dict(pair.split("=", 1) for pair in ours if pair)
    assert {name: environment.get(name) for name in inherited} == inherited
    assert set(environment) - set(inherited) <= {"MKL_NUM_THREADS"}
    assert directory == str(Path.cwd())


def test_what_a_model_prints_and_logs_is_in_the_containers_log(
    start: Started, variables: dict[str, str]
) -> None:
    code = "import logging\n" + ECHO.replace("return data", "print('predicting'); return data")
    serve = start(code.replace("return 1", "logging.info('loading'); return 1"), **variables)
    serve.until(200)
    assert serve.ask("/invocations", b"[1]") == (200, b"[1]")
    assert serve.stop() == 0
    lines = serve.log.read_text().splitlines()
    assert "INFO root: loading" in lines
    assert "predicting" in lines


def test_a_hung_worker_is_answered_for_and_replaced(
    start: Started, variables: dict[str, str]
) -> None:
    computes = "return time.sleep(data.sum()) or [os.getpid()]"
    code = "import os, time\n" + HELD_ECHO.replace("return data", computes)
    serve = start(code, SAGEMAKER_MODEL_SERVER_TIMEOUT="1", **variables)
    first = asked(serve, b"[0]")
    serve.hold.touch()
    assert serve.ask("/invocations", b"[3600]")[0] == 504
    serve.until(503)
    serve.hold.unlink()
    assert asked(serve, b"[0]") != first


def test_streams_are_joined(start: Started, variables: dict[str, str]) -> None:
    code = ECHO.replace("return data", "return (b'%d,' % n for n in data)")
    serve = start(code, **variables)
    serve.until(200)
    assert serve.ask("/invocations", b"[1, 2]") == (200, b"1,2,")
    status, answer = serve.ask("/invocations", b'["x"]')
    assert (status, json.loads(answer)["error"]) == (
        500,
        "the answer broke off; the log says why (request 2)",
    )


def test_an_answer_may_be_25_megabytes_and_no_more(
    start: Started, variables: dict[str, str]
) -> None:
    code = ECHO.replace("return data", "return b'x' * (int(data[0]) + (25 << 20))")
    serve = start(code, SAGEMAKER_MAX_PAYLOAD_IN_MB="1", **variables)
    serve.until(200)
    assert len(serve.ask("/invocations", b"[0]")[1]) == 25 << 20
    assert serve.ask("/invocations", b"[1]") == (
        500,
        b'{"error": "the answer is larger than 25 MB"}',
    )


def test_many_models(start: Started, variables: dict[str, str], tmp_path: Path) -> None:
    models = {}
    for name in ("one", "two"):
        folder = tmp_path / name
        (folder / "code").mkdir(parents=True)
        (folder / "code" / "inference.py").write_text(PIDS)
        models[name] = folder
    serve = start(SAGEMAKER_MULTI_MODEL="true", **variables)
    serve.until(200)
    found = {}
    for name, folder in models.items():
        order = json.dumps({"model_name": name, "url": str(folder)}).encode()
        assert serve.ask("/models", order)[0] == 200
        found[name] = json.loads(serve.ask(f"/models/{name}/invoke", b"[]")[1])[0]
    assert found["one"] != found["two"]
    assert serve.ask("/models/one", method="DELETE")[0] == 200
    until_gone(found["one"])
    assert serve.ask("/models/two/invoke", b"[]")[0] == 200
    assert serve.stop() == 0


def test_a_folder_with_a_long_path_is_not_used(
    start: Started, variables: dict[str, str], tmp_path: Path
) -> None:
    long = tmp_path / ("x" * 100)
    long.mkdir()
    serve = start(**{**variables, "TMPDIR": str(long)})
    serve.until(200)
    assert list(long.iterdir()) == []
    assert serve.stop() == 0
