"""One `serve` as a process, on a port of its own, for tests of it whole."""

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
#: The same, whose workers load only while the file ``Serve.hold`` is not there.
HELD_ECHO = ECHO.replace(
    "return 1", "\n    while os.path.exists(d + '/hold'): time.sleep(0.02)\n    return 1"
)
Started = Callable[..., "Serve"]


class Serve:
    """One `serve`, on a port of its own."""

    def __init__(self, folder: Path, **variables: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = folder / "log"
        #: While it is there, no worker of HELD_ECHO comes back: /ping does not recover unseen.
        self.hold = folder / "model" / "hold"
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

    def ask(
        self, path: str, body: bytes | None = None, method: str | None = None
    ) -> tuple[int, bytes]:
        """Return status and body; 0 where nothing answers."""
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", body, headers, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError:
            return 0, b""

    def until(self, status: int) -> None:
        """Wait until /ping answers so."""
        ends = time.monotonic() + 60
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
