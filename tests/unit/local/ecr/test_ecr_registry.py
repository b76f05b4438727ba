"""The registry as docker clients speak to it, without an engine."""

import base64
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from sagedock import LocalSageMaker
from sagedock.errors import LocalServerError
from sagedock.local.ecr.process import RegistryProcess
from sagedock.local.ecr.tokens import TOKEN_LASTS_S, BadToken, Tokens
from sagedock.testing import FakeEngine
from tests.conftest import ACCOUNT, BUCKET, REGION, ROLE, Local, plain_http
from tests.unit.local.ecr.docker_client import (
    MANIFEST,
    NAME,
    Docker,
    digest,
    needs_registry,
)


@pytest.fixture
def client(local: Local) -> Any:
    made = local.client("ecr")
    made.create_repository(repositoryName=NAME, imageTagMutability="IMMUTABLE")
    return made


@needs_registry
def test_what_is_pushed_is_described_and_pulled(local: Local, client: Any) -> None:
    docker = Docker(local)
    manifest = docker.manifest(b"layer" * 1000)
    done = docker.put(manifest, "1")
    assert (done.status_code, done.headers["docker-content-digest"]) == (201, digest(manifest))

    (found,) = client.describe_images(repositoryName=NAME)["imageDetails"]
    assert (found["imageDigest"], found["imageTags"]) == (digest(manifest), ["1"])
    assert found["imageSizeInBytes"] == 5000 + json.loads(manifest)["config"]["size"]
    (image,) = client.batch_get_image(repositoryName=NAME, imageIds=[{"imageTag": "1"}])["images"]
    assert image["imageManifest"].encode() == manifest

    for reference in ("1", digest(manifest)):
        pulled = docker.ask("GET", f"/{NAME}/manifests/{reference}")
        assert (pulled.content, pulled.headers["content-type"]) == (manifest, MANIFEST)
        looked = docker.ask("HEAD", f"/{NAME}/manifests/{reference}")
        assert (looked.content, looked.headers["content-length"]) == (b"", str(len(manifest)))
    layer = docker.ask("GET", f"/{NAME}/blobs/{digest(b'layer' * 1000)}")
    assert layer.content == b"layer" * 1000
    assert docker.ask("GET", f"/{NAME}/tags/list").json() == {"name": NAME, "tags": ["1"]}


@needs_registry
@pytest.mark.parametrize(
    "configuration",
    [
        {"config": "abc"},
        {"config": ["Labels"]},
        {"config": {"Labels": ["x"]}},
        {"config": {"Labels": "x"}},
        {"config": {"Labels": {"com.amazonaws.sagemaker.capabilities.multi-models": True}}},
        {"config": {"Labels": {"com.amazonaws.sagemaker.capabilities.multi-models": "\ud800"}}},
        ["config"],
        "[" * 20_000,
    ],
)
def test_a_configuration_of_any_form_is_pushed_and_has_no_labels(
    local: Local, client: Any, configuration: Any
) -> None:
    docker = Docker(local)
    said = configuration if isinstance(configuration, str) else json.dumps(configuration)
    manifest = json.loads(docker.manifest(b"layer"))
    manifest["config"] = docker.blob(said.encode())
    assert docker.put(json.dumps(manifest).encode(), "1").status_code == 201

    local.client("s3").put_object(Bucket=BUCKET, Key="many/x", Body=b"")
    image = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{NAME}:1"
    many = {"Image": image, "Mode": "MultiModel", "ModelDataUrl": f"s3://{BUCKET}/many/"}
    with pytest.raises(ClientError, match="multi-models=true"):
        local.client("sagemaker").create_model(
            ModelName="n", PrimaryContainer=many, ExecutionRoleArn=ROLE
        )


@needs_registry
def test_a_tag_that_is_immutable_stays(local: Local, client: Any) -> None:
    docker = Docker(local)
    first, other = docker.manifest(b"one"), docker.manifest(b"another")
    assert docker.put(first, "1").status_code == 201
    assert docker.put(first, "1").status_code == 201  # the same image
    refused = docker.put(other, "1")
    assert refused.status_code == 400
    (error,) = refused.json()["errors"]
    assert error == {  # row 173
        "code": "TAG_INVALID",
        "message": f"The image tag '1' already exists in the '{NAME}' repository and cannot be "
        "overwritten because the tag is immutable.",
    }
    client.put_image_tag_mutability(repositoryName=NAME, imageTagMutability="MUTABLE")
    assert docker.put(other, "1").status_code == 201
    found = client.describe_images(repositoryName=NAME)["imageDetails"]
    assert [each.get("imageTags") for each in found] == [None, ["1"]]


@needs_registry
def test_a_manifest_without_its_layers_is_refused(local: Local, client: Any) -> None:
    docker = Docker(local)
    manifest = docker.manifest(b"layer").replace(
        digest(b"layer").encode(), digest(b"never sent").encode()
    )
    refused = docker.put(manifest, "1")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (
        400,
        "MANIFEST_BLOB_UNKNOWN",
    )
    assert client.list_images(repositoryName=NAME)["imageIds"] == []


@needs_registry
@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"schemaVersion": 2, "layers": [{}]}'])
def test_what_is_no_manifest_is_refused(local: Local, client: Any, body: bytes) -> None:
    refused = Docker(local).put(body, "1")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "MANIFEST_INVALID")


@needs_registry
def test_a_repository_is_the_region_s_alone(local: Local, client: Any) -> None:
    docker, elsewhere = Docker(local), Docker(local, "eu-west-1")
    manifest = docker.manifest(b"layer")
    docker.put(manifest, "1")
    absent = elsewhere.ask("GET", f"/{NAME}/manifests/1")
    assert absent.json()["errors"] == [
        {
            "code": "NAME_UNKNOWN",
            "message": f"The repository with name '{NAME}' does not exist in the registry with id "
            f"'{ACCOUNT}'",
        }
    ]
    local.client("ecr", "eu-west-1").create_repository(repositoryName=NAME)
    assert elsewhere.ask("GET", f"/{NAME}/manifests/1").status_code == 404
    assert elsewhere.ask("HEAD", f"/{NAME}/blobs/{digest(b'layer')}").status_code == 404
    path = f"/{NAME}/blobs/../../../{REGION}/{NAME}/blobs/{digest(b'layer')}"
    raw = httpx.Request("GET", f"{elsewhere.url}/x", headers=elsewhere.headers)
    raw.url = raw.url.copy_with(raw_path=f"/v2{path}".encode())
    assert plain_http().send(raw).status_code == 404


@needs_registry
def test_an_image_gets_another_tag_and_loses_them(local: Local, client: Any) -> None:
    docker = Docker(local)
    manifest = docker.manifest(b"layer")
    docker.put(manifest, "1")
    name = {"repositoryName": NAME}
    client.put_image(**name, imageManifest=manifest.decode(), imageTag="release")
    (found,) = client.describe_images(**name)["imageDetails"]
    assert found["imageTags"] == ["1", "release"]
    client.batch_delete_image(**name, imageIds=[{"imageTag": "1"}])
    (found,) = client.describe_images(**name)["imageDetails"]
    assert found["imageTags"] == ["release"]
    client.batch_delete_image(**name, imageIds=[{"imageDigest": digest(manifest)}])
    assert client.describe_images(**name)["imageDetails"] == []
    assert docker.ask("GET", f"/{NAME}/manifests/release").status_code == 404
    with pytest.raises(ClientError, match="LayersNotFoundException"):
        client.put_image(**name, imageManifest=manifest.decode(), imageTag="again")


@needs_registry
def test_layers_that_no_image_has_are_removed_at_the_next_start(tmp_path: Path) -> None:
    home = tmp_path / "home"
    kept, gone = b"k" * 100_000, b"g" * 200_000

    def sizes() -> list[int]:
        blobs = (home / "ecr" / "storage").rglob("blobs/sha256/*/*/data")
        return sorted(each.stat().st_size for each in blobs)

    with LocalSageMaker(home=home, engine=FakeEngine(None)) as server:
        local = Local(server=server, engine=FakeEngine(None))
        client = local.client("ecr")
        client.create_repository(repositoryName=NAME)
        client.create_repository(repositoryName="team")
        docker = Docker(local)
        docker.put(docker.manifest(kept), "1")
        docker.put(docker.manifest(gone, name="team"), "1", "team")
        assert {100_000, 200_000} <= set(sizes())
        client.delete_repository(repositoryName="team", force=True)
    with LocalSageMaker(home=home, engine=FakeEngine(None)) as server:
        docker = Docker(Local(server=server, engine=FakeEngine(None)))
        assert docker.ask("GET", f"/{NAME}/blobs/{digest(kept)}").content == kept
        assert 100_000 in sizes()
        assert 200_000 not in sizes()


@needs_registry
def test_a_registry_that_was_killed_is_started_again(tmp_path: Path) -> None:
    process = RegistryProcess(tmp_path / "ecr", "secret")
    first = process.ensure()
    started = process._process
    assert started is not None
    assert process.ensure() == first
    assert process._process is started

    os.killpg(started.pid, signal.SIGKILL)
    started.wait(60)
    process.ensure()
    assert process._process is not started
    again = process._process
    process.stop()
    assert again is not None
    assert again.poll() is not None


@needs_registry
def test_a_registry_whose_folder_has_a_long_name_is_reached(tmp_path: Path) -> None:
    process = RegistryProcess(tmp_path / ("long-" * 30) / "ecr", "secret")
    process._folder.parent.mkdir()
    try:
        assert len(process.ensure()) < 107
    finally:
        process.stop()


def test_without_the_program_a_push_is_told_what_to_install(tmp_path: Path) -> None:
    process = RegistryProcess(tmp_path / "ecr", "secret", lambda: None)
    with pytest.raises(LocalServerError, match="apt-get install docker-registry"):
        process.ensure()


def test_a_program_that_ends_at_once_is_told_with_its_words(tmp_path: Path) -> None:
    broken = tmp_path / "docker-registry"
    broken.write_text("#!/bin/sh\necho it is broken\nexit 3\n")
    broken.chmod(0o755)
    process = RegistryProcess(tmp_path / "ecr", "secret", lambda: str(broken))
    with pytest.raises(LocalServerError, match="it is broken"):
        process.ensure()


@needs_registry
def test_the_registry_ends_with_a_server_that_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib, time\n"
        "from sagedock.local.ecr.process import RegistryProcess\n"
        "process = RegistryProcess(pathlib.Path(sys.argv[1]), 'secret')\n"
        "print(process.ensure(), flush=True)\n"
        "time.sleep(600)\n"
    )
    words = [sys.executable, "-c", program, str(tmp_path / "ecr")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdout.readline().endswith("socket\n")
        assert str(tmp_path / "ecr") in running()
        server.kill()
    ends = time.monotonic() + 60
    while str(tmp_path / "ecr") in running():
        assert time.monotonic() < ends
        time.sleep(0.05)


def running() -> str:
    """Return the folders that registries work in."""
    return "\n".join(filter(None, map(_folder, Path("/proc").glob("[0-9]*"))))


def _folder(process: Path) -> str:
    """Return where a registry works, or "" for another process, or one that ends just now."""
    try:
        is_one = (process / "comm").read_text().strip() in ("docker-registry", "registry")
        return str((process / "cwd").readlink()) if is_one else ""
    except OSError:
        return ""


@pytest.mark.parametrize(
    "header", ["", "Basic", "Basic %", "Bearer x", "Basic QVdTOng=", "Basic eDp5"]
)
def test_nobody_else_gets_in(local: Local, client: Any, header: str) -> None:
    url = f"{local.server.endpoint_url}/v2/"
    refused = plain_http().get(url, headers={"authorization": header})
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith('Basic realm="http://127.0.0.1:')


def test_the_password_lets_in(local: Local, client: Any) -> None:
    welcome = Docker(local).ask("GET", "/")
    assert (welcome.status_code, welcome.json()) == (200, {})
    assert welcome.headers["docker-distribution-api-version"] == "registry/2.0"


@pytest.mark.parametrize("path", [f"/{NAME}/manifests/1", f"/{NAME}/blobs/{digest(b'x')}"])
def test_images_are_deleted_by_the_api_alone(local: Local, client: Any, path: str) -> None:
    assert Docker(local).ask("DELETE", path).status_code == 405


def test_a_password_ends(tmp_path: Path) -> None:
    tokens = Tokens.of(tmp_path)
    password, expires = tokens.new("eu-west-1", now=1000)
    assert expires == 1000 + TOKEN_LASTS_S
    assert tokens.region_of(password, now=expires) == "eu-west-1"
    with pytest.raises(BadToken, match="expired"):
        tokens.region_of(password, now=expires + 1)
    with pytest.raises(BadToken, match="no token"):
        tokens.region_of(f"{password[:-1]}x", now=1000)
    assert Tokens.of(tmp_path) == tokens  # after a restart
    header = base64.b64encode(f"AWS:{Tokens(key=b'other').new('x')[0]}".encode()).decode()
    with pytest.raises(BadToken):
        tokens.region_of_header(f"Basic {header}")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
