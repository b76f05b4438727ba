"""The AWS CLI and a docker client: an image in ECR, as AWS's own pages push it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sagedock.local.ecr import find_program
from tests.clients.conftest import ACCOUNT, REGION
from tests.clients.shell import COMMAND_S, Shell
from tests.docker.tiny_images import tiny_images

pytestmark = pytest.mark.skipif(
    find_program() is None, reason="no docker-registry: `make registry` gets it"
)
POLICY = {
    "rules": [
        {
            "rulePriority": 1,
            "selection": {
                "tagStatus": "untagged",
                "countType": "imageCountMoreThan",
                "countNumber": 1,
            },
            "action": {"type": "expire"},
        }
    ]
}


def docker(config: Path, *words: str, said: str = "") -> str:
    done = subprocess.run(
        ["docker", "--config", str(config), *words],
        input=said,
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def ecr(shell: Shell, operation: str, *words: str) -> Any:
    return shell.asked("ecr", operation, "--repository-name", "team/app", *words)


def test_an_image_is_pushed_described_and_deleted(shell: Shell, tmp_path: Path) -> None:
    made = ecr(shell, "create-repository", "--image-tag-mutability", "IMMUTABLE")
    uri = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/team/app"
    assert made["repository"]["repositoryUri"] == uri
    ecr(shell, "put-lifecycle-policy", "--lifecycle-policy-text", json.dumps(POLICY))

    password = shell.aws("ecr", "get-login-password").strip()
    (data,) = shell.asked("ecr", "get-authorization-token")["authorizationData"]
    host = data["proxyEndpoint"].partition("//")[2]
    docker(tmp_path, "login", "--username", "AWS", "--password-stdin", host, said=password)
    with tiny_images() as tiny:
        name = tiny.make()
        docker(tmp_path, "tag", name, f"{host}/team/app:1")
        try:
            pushed = docker(tmp_path, "push", f"{host}/team/app:1")
        finally:
            docker(tmp_path, "image", "rm", f"{host}/team/app:1")
    (found,) = ecr(shell, "describe-images")["imageDetails"]
    assert found["imageTags"] == ["1"]
    assert found["imageDigest"] in pushed

    gone = ecr(shell, "batch-delete-image", "--image-ids", "imageTag=1")
    assert gone["imageIds"] == [{"imageDigest": found["imageDigest"], "imageTag": "1"}]
    assert ecr(shell, "list-images")["imageIds"] == []
    ecr(shell, "delete-repository")
    assert shell.asked("ecr", "describe-repositories")["repositories"] == []
