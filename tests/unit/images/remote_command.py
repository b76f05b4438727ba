"""``sagedock build --remote`` for tests: the command, who is asked, and answers of AWS."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from sagedock.cli import main
from tests.conftest import ACCOUNT, REGION, Local

__all__ = ["Terminal", "denied", "name_of", "projects", "recorded", "run"]


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
