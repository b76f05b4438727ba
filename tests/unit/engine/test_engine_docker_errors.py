"""An engine that goes away, or stops answering: an error that says so, never one that hangs."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from sagedock.engine.docker_engine import DockerEngine
from sagedock.errors import EngineError, EngineUnavailable, ImageNotFound


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[str]:
    """A socket that takes connections, and closes each one without an answer."""
    path = tmp_path / "docker.sock"
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()

    def close_each() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            connection.recv(1024)
            connection.close()

    thread = threading.Thread(target=close_each, daemon=True)
    thread.start()
    yield f"unix://{path}"
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join()


def test_looking_for_an_image_says_that_the_engine_does_not_answer(silent: str) -> None:
    engine = DockerEngine(docker.DockerClient(base_url=silent, version="1.41"))
    with pytest.raises(EngineError, match="inspecting image x") as error:
        engine.image("x")
    assert not isinstance(error.value, ImageNotFound)


def test_an_engine_that_never_answers_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
        monkeypatch.setattr("sagedock.engine.docker_engine._ANSWER_TIMEOUT_S", 0.3)
        with pytest.raises(EngineUnavailable, match="no Docker engine answers"):
            DockerEngine.connect()
