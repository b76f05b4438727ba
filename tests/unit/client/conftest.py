"""A session against a local SageMaker whose containers are Python functions."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest

from sagedock import Estimator, Session
from tests.conftest import BUCKET, IMAGE, REGION, ROLE, Local
from tests.unit.client.screen import Terminal


@dataclass
class Client:
    """A session, the lines it shows, and estimators on it."""

    local: Local
    boto_session: boto3.Session
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.session = Session(
            target="local",
            environ=self.local.server.environment(),
            boto_session=self.boto_session,
            show=self.lines.append,
        )

    def estimator(self, **changes: Any) -> Estimator:
        """Return an estimator of a job that runs at once; ``changes`` are laid over it."""
        parameters: dict[str, Any] = {
            "image_uri": IMAGE,
            "role": ROLE,
            "instance_type": "ml.m5.large",
            "output_path": f"s3://{BUCKET}/out/",
            "session": self.session,
            "show": self.lines.append,
            **changes,
        }
        return Estimator(**parameters)


@pytest.fixture(scope="session")
def boto_session() -> boto3.Session:
    """One for all tests: it reads the services' models only once."""
    return boto3.Session("x", "y", region_name=REGION)


@pytest.fixture
def client(local: Local, boto_session: boto3.Session) -> Client:
    return Client(local, boto_session)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder; ``tmp_path`` itself holds the server's own."""
    made = tmp_path / "folder"
    made.mkdir()
    return made


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """A terminal of eight rows."""
    monkeypatch.setenv("TERM", "xterm")
    made = Terminal()
    yield made
    made.close()
