"""``sagedock build --remote`` for tests: the command, who is asked, and answers of AWS."""

import io
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from sagedock.cli import main
from sagedock.testing import FakeEngine
from tests.conftest import ACCOUNT, REGION, Local
from tests.unit.images.remote_builds import project

__all__ = [
    "REAL",
    "Terminal",
    "answering",
    "denied",
    "folder",
    "here",
    "name_of",
    "projects",
    "recorded",
    "run",
]

#: How a client asks, whatever `answering` has put in its place.
REAL = BaseClient._make_api_call


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # What moto answers is kept by this process, so each test has a project of its own.
    made = project(tmp_path / f"p-{uuid.uuid4().hex[:12]}")
    monkeypatch.chdir(made)
    monkeypatch.setattr("sagedock.engine.connect", lambda: FakeEngine(None))
    return made


@pytest.fixture
def here(local: Local, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Local:
    """The local AWS, as the command finds it; nobody waits for CodeBuild."""
    for name, value in local.server.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("time.sleep", lambda _: None)
    return local


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Any], None]:
    """Have an operation answered, or refused, otherwise than by the local AWS."""
    answers: dict[str, Any] = {}

    def answer(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        if operation not in answers:
            return REAL(client, operation, parameters)
        found = answers[operation]
        if isinstance(found, BaseException):
            raise found
        return found(parameters) if callable(found) else found

    monkeypatch.setattr(BaseClient, "_make_api_call", answer)
    return answers.__setitem__


def run(*words: str) -> int:
    return main(["build", "mine", "--remote", "--target", "local", *words])


def name_of(folder: Path) -> str:
    """Return the name of the CodeBuild project of a test's folder."""
    return f"sagedock-build-{folder.name}"


def projects(local: Local, folder: Path) -> list[Any]:
    found: list[Any] = local.client("codebuild").batch_get_projects(names=[name_of(folder)])[
        "projects"
    ]
    return found


def recorded(local: Local) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return an answer to BatchGetBuilds: the build has succeeded, and left its record."""

    def builds(parameters: dict[str, Any]) -> dict[str, Any]:
        (build_id,) = parameters["ids"]
        name, _, number = build_id.partition(":")
        record = {"repository": "team/mine", "tag": "1", "image_uri": "host/team/mine@sha256:1"}
        local.client("s3").put_object(
            Bucket=f"sagedock-build-{ACCOUNT}-{REGION}",
            Key=f"records/{name}/{number}/team/mine/1.{REGION}.json",
            Body=json.dumps(record).encode(),
        )
        return {"builds": [{"id": build_id, "buildStatus": "SUCCEEDED", "phases": []}]}

    return builds


def denied(operation: str) -> ClientError:
    error = {"Code": "AccessDeniedException", "Message": "User: me is not authorized"}
    return ClientError({"Error": error}, operation)


class Terminal(io.StringIO):
    """Somebody who answers."""

    def isatty(self) -> bool:
        return True
