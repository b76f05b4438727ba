"""Other people's clients, unmodified: each in an environment of its own, that `make clients` makes.

Their programs know nothing of sagedock. Nothing of this process's AWS settings reaches them: what
`sagedock local run` and `sagedock local env` set must be enough. And nothing must leave this
machine: a proxy that lets nobody through keeps what was asked for.
"""

import json
import os
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sagedock.engine import connect
from sagedock.errors import EngineUnavailable
from tests.clients.shell import Shell, find_v2, version_of

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
ENVIRONMENTS = ROOT / ".venv-clients"
ACCOUNT, REGION = "123456789012", "us-west-2"
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/sagedock-training:cpu"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/anyone"
PROGRAM_S = 300


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.clients)
            item.add_marker(pytest.mark.docker)


@pytest.fixture(scope="session", autouse=True)
def engine() -> Any:
    """The Docker engine of this machine; the test is skipped where none answers."""
    try:
        return connect()
    except EngineUnavailable as error:
        pytest.skip(str(error))


class _Asked(socketserver.StreamRequestHandler):
    """One request to the proxy: what it wants is kept, and it is refused."""

    def handle(self) -> None:
        self.server.asked.append(self.rfile.readline().decode("latin-1").strip())  # type: ignore[attr-defined]
        self.wfile.write(
            b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )


class Outside(socketserver.ThreadingTCPServer):
    """A proxy that lets nobody out. ``asked`` holds the first line of every request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Asked)
        self.asked: list[str] = []

    def variables(self) -> dict[str, str]:
        """Return what a machine behind a company's proxy has set."""
        url = f"http://127.0.0.1:{self.server_address[1]}"
        return {"HTTP_PROXY": url, "HTTPS_PROXY": url, "http_proxy": url, "https_proxy": url}


@pytest.fixture(scope="session")
def outside() -> Iterator[Outside]:
    """The way out of this machine, which is closed."""
    with Outside() as proxy:
        thread = threading.Thread(target=proxy.serve_forever, daemon=True)
        thread.start()
        yield proxy
        proxy.shutdown()
        thread.join()


@dataclass(frozen=True)
class Runner:
    """Runs programs below a home folder of their own, with nothing else of this environment."""

    home: Path
    outside: Outside

    def environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.home),
            "PATH": os.environ["PATH"],
            "SAGEDOCK_HOME": str(self.home / "sagedock"),
            **self.outside.variables(),
        }

    def sagedock(self, *words: str) -> str:
        """Run our own command line; return what it printed."""
        return self.run([sys.executable, "-m", "sagedock.cli", *words], self.environment())

    def client(self, name: str, program: str, *arguments: str) -> Any:
        """Run a program of ``name``'s environment under ``sagedock local run``.

        Return the JSON that it printed last, and all that it printed under ``printed``.
        """
        python = environment_of(name) / "bin" / "python"
        program = str(HERE / program)
        asked = len(self.outside.asked)
        printed = self.sagedock("local", "run", "--", str(python), program, *arguments)
        assert self.outside.asked[asked:] == [], printed
        return json.loads(printed.splitlines()[-1]) | {"printed": printed}

    def run(self, command: list[str], environment: Mapping[str, str]) -> str:
        """Run a command that must succeed; return what it printed."""
        done = subprocess.run(
            command,
            env=environment,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PROGRAM_S,
        )
        assert done.returncode == 0, f"{command} ended with {done.returncode}\n" + (
            done.stdout + done.stderr
        )
        return done.stdout


def environment_of(name: str) -> Path:
    """Return the folder of a client's environment; the test is skipped where it is missing."""
    folder = ENVIRONMENTS / name
    if not (folder / ".installed").exists():
        pytest.skip(f"the environment of {name} is missing: run `make clients`")
    return folder


@pytest.fixture
def runner(tmp_path: Path, outside: Outside) -> Runner:
    """What runs a program against a local SageMaker of its own."""
    return Runner(tmp_path, outside)


@pytest.fixture(scope="module", params=["cli_v1", "cli_v2"])
def shell(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, outside: Outside
) -> Iterator[Shell]:
    """A shell after `sagedock local up --detach` and `eval "$(sagedock local env)"`."""
    v1 = request.param == "cli_v1"
    program = environment_of("cli_v1") / "bin" / "aws" if v1 else find_v2(os.environ["PATH"])
    runner = Runner(tmp_path_factory.mktemp(request.param), outside)
    runner.sagedock("local", "up", "--detach")
    try:
        variables = json.loads(runner.sagedock("local", "env", "--json"))
        yield Shell(
            aws_program=program,
            version=version_of(program),
            environment={**runner.environment(), **variables},
            folder=runner.home,
        )
    finally:
        runner.sagedock("local", "down")
    assert outside.asked == []
