"""`sagedock serve`, in a process of its own, with real containers."""

import json
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sagedock.engine import Engine
from sagedock.errors import ImageNotFound
from tests.docker.serving_container import IMAGE
from tests.docker.websocket_client import WebSocket

LABEL = {"sagedock.workbench": ""}
CODE = """
from pathlib import Path

def model_fn(model_dir):
    return Path(model_dir, "weights.txt").read_text()

def predict_fn(data, model):
    return {"WORD": model}
"""


class Served:
    """The command, and what it has printed."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.source = folder / "source"
        command = [sys.executable, "-m", "sagedock.cli", "serve", "--image", IMAGE, "--port", "0"]
        command += ["--source", str(self.source), "--model", str(folder / "model"), *words]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line.decode().rstrip("\n"))

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]

    def until(self, found: Callable[[], Any], timeout_s: float = 120) -> Any:
        ends = time.monotonic() + timeout_s
        while not (value := found()):
            assert self.process.poll() is None, self.lines
            assert time.monotonic() < ends, self.lines
            time.sleep(0.02)
        return value

    def event(self, name: str, count: int = 1) -> dict[str, Any]:
        """Wait for the so-many-th event of a name."""

        def found() -> Any:
            return [each for each in self.events if each["event"] == name][count - 1 :]

        return dict(self.until(found)[0])

    def write(self, word: str, name: str = "inference.py") -> None:
        (self.source / name).write_text(CODE.replace("WORD", word))

    def invoke(self) -> Any:
        """Return what the handler answers; its status where that is an error."""
        request = urllib.request.Request(
            self.event("serving")["url"], b"[1]", {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        code = self.process.wait(60)
        self._reader.join(60)
        return code


def containers(engine: Engine, source: Served) -> list[str]:
    """Return those containers that the command has told of."""
    names = {each["container"] for each in source.events if each["event"] == "starting"}
    return [each.name for each in engine.containers(LABEL) if each.name in names]


@pytest.fixture
def serve(tmp_path: Path, engine: Engine) -> Iterator[Callable[..., Served]]:
    try:
        engine.image(IMAGE)
    except ImageNotFound:
        pytest.skip(f"the image {IMAGE} is not built: make build")
    started: list[Served] = []
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "inference.py").write_text(CODE.replace("WORD", "one"))
    (tmp_path / "model" / "code").mkdir(parents=True)
    (tmp_path / "model" / "code" / "inference.py").write_text("raise SystemError('not this one')")
    (tmp_path / "model" / "weights.txt").write_text("heavy")

    def start(*words: str) -> Served:
        started.append(Served(tmp_path, *words))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.end(signal.SIGTERM)


def test_edit_break_mend_and_end(serve: Callable[..., Served], engine: Engine) -> None:
    served = serve("--reload", "--json")
    assert served.invoke() == {"one": "heavy"}
    served.write("two")
    assert served.event("edited")["changed"] == ["inference.py"]
    assert served.invoke() == {"two": "heavy"}  # held until the handler is there
    served.write('", nonsense, "')
    ended = served.event("ended")
    assert ended["code"] == 1
    assert "SyntaxError" in ended["last_lines"][-1]
    lines = [each["text"] for each in served.events if each["event"] == "log"]
    assert "Traceback (most recent call last):" in lines
    assert served.invoke() == 503
    served.write("three")
    assert served.event("serving", 3)
    assert served.invoke() == {"three": "heavy"}
    assert len(containers(engine, served)) == 1
    assert served.end(signal.SIGINT) == 0
    assert containers(engine, served) == []


def test_words_and_sigterm(serve: Callable[..., Served], engine: Engine) -> None:
    served = serve("--no-network")
    served.until(lambda: [line for line in served.lines if "serve: serving on http" in line])
    assert served.end(signal.SIGTERM) == 0
    assert [line for line in served.lines if line.startswith("serve: ")][1:] == [
        line for line in served.lines if "serving on" in line or "curl http" in line
    ]


def test_a_killed_commands_container_goes_at_the_next_start(
    serve: Callable[..., Served], engine: Engine
) -> None:
    killed = serve("--json")
    killed.event("serving")
    name = killed.event("starting")["container"]
    assert killed.end(signal.SIGKILL) == -signal.SIGKILL
    following = serve("--json")
    assert following.invoke() == {"one": "heavy"}
    assert containers(engine, killed) == []
    told = [each["container"] for each in following.events if each["event"] == "removed"]
    assert name in told or not told  # another command's start may have been sooner
    assert following.end(signal.SIGTERM) == 0
    assert containers(engine, following) == []


def test_a_container_that_dies_ends_the_command_unless_it_reloads(
    serve: Callable[..., Served], tmp_path: Path
) -> None:
    (tmp_path / "source" / "inference.py").write_text("raise SystemExit(3)")
    served = serve()
    assert served.process.wait(120) == 8
    served._reader.join(60)
    assert served.lines[-1].startswith("sagedock: the container ended with code 1: ")


def test_an_absent_image_is_told_with_how_to_make_it(
    serve: Callable[..., Served],
) -> None:
    served = serve("--image", "sagedock-no-such-image:1")
    assert served.process.wait(60) == 3
    served._reader.join(60)
    assert served.lines == [
        "sagedock: the engine has no image sagedock-no-such-image:1: `make build` in a checkout of "
        "sagedock makes sagedock-serving:cpu, `docker pull` fetches one from a registry"
    ]


def test_a_websocket_passes_through(serve: Callable[..., Served], tmp_path: Path) -> None:
    handler = "def model_fn(d): return 1\ndef stream_fn(messages, model): yield from messages\n"
    (tmp_path / "source" / "inference.py").write_text(handler)
    served = serve("--json")
    port = urlsplit(served.event("serving")["url"]).port
    assert port
    client = WebSocket(port)
    for message in ("text", b"x" * 1_000_000):
        client.say(message)
        assert client.hear() == message
    client.close()
    client = WebSocket(port)  # the place is free again
    assert served.end(signal.SIGTERM) == 0
    assert client.closed() == (1001, "the server stops")
