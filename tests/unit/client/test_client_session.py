"""Session: where it goes, its bucket, and files to and from S3."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from sagedock import InvalidRequest, Session
from sagedock.client import place
from sagedock.client.storage import split_uri
from sagedock.errors import StorageError
from sagedock.local import Running
from tests.conftest import BUCKET, Local
from tests.unit.client.conftest import Client


@pytest.mark.parametrize(
    ("given", "environ", "chosen"),
    [
        (None, {}, "local"),
        (None, {"SAGEDOCK_TARGET": "aws"}, "aws"),
        ("local", {"SAGEDOCK_TARGET": "aws"}, "local"),
        ("aws", {}, "aws"),
    ],
)
def test_the_target_is_the_given_one_else_the_environments_else_local(
    given: Any, environ: Mapping[str, str], chosen: str
) -> None:
    assert Session(target=given, environ=environ).target == chosen


def test_an_unknown_target_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="'cloud' is neither"):
        Session(environ={"SAGEDOCK_TARGET": "cloud"})


def test_aws_is_reached_at_its_own_addresses() -> None:
    environ = {"AWS_DEFAULT_REGION": "eu-west-1"}
    session = Session(target="aws", environ=environ)
    assert session.place.endpoint_url("sagemaker") is None
    assert session.region == "eu-west-1"
    assert session.file_of("s3://b/k") is None
    assert session.client("sagemaker").meta.endpoint_url == (
        "https://api.sagemaker.eu-west-1.amazonaws.com"
    )


def test_aws_without_a_region_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(InvalidRequest, match="region: none is set"):
        _ = Session(target="aws", environ={}).region


def test_a_local_run_is_found_by_its_variables() -> None:
    environ = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4000",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:4001",
        "AWS_REGION": "eu-central-1",
        "SAGEDOCK_HOME": "/somewhere",
    }
    session = Session(target="local", environ=environ)
    assert session.client("sagemaker").meta.endpoint_url == "http://127.0.0.1:4000"
    assert session.client("s3").meta.endpoint_url == "http://127.0.0.1:4001"
    assert session.region == "eu-central-1"
    assert session.client("sagemaker") is session.client("sagemaker")
    assert not session.place.ends_with_program


def test_a_detached_server_is_found_by_its_folder(local: Local) -> None:
    environ = {"SAGEDOCK_HOME": str(local.server.settings.home)}
    session = Session(target="local", environ=environ)
    assert session.place.endpoint_url("sagemaker") == local.server.endpoint_url
    assert session.place.home == local.server.settings.home


def test_an_endpoint_elsewhere_is_not_taken_for_a_local_run(local: Local) -> None:
    environ = {
        "AWS_ENDPOINT_URL": "https://sagemaker.example.com",
        "SAGEDOCK_HOME": str(local.server.settings.home),
    }
    session = Session(target="local", environ=environ)
    assert session.place.endpoint_url("sagemaker") == local.server.endpoint_url


def test_a_local_session_needs_no_profile_and_no_proxy(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "gone")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    session = Session(target="local", environ=local.server.environment())
    assert session.default_bucket() == "sagemaker-us-west-2-123456789012"


def test_a_server_is_started_where_none_runs_and_only_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    started: list[object] = []

    def up(home: Path) -> tuple[Running, Callable[[], None]]:
        started.append(home)
        server = Running(
            url="http://127.0.0.1:4000",
            pid=1,
            region="us-west-2",
            account="123456789012",
            started=0,
            container_port=0,
        )
        return server, lambda: None

    monkeypatch.setattr("sagedock.local.up_with_program", up)
    monkeypatch.setattr("atexit.register", started.append)
    place._place_of_this_program.cache_clear()
    environ, lines = {"SAGEDOCK_HOME": str(tmp_path)}, list[str]()
    show = lines.append
    sessions = [Session(target="local", environ=environ, show=show) for _ in range(2)]
    assert started == []
    places = [session.place for session in sessions]
    place._place_of_this_program.cache_clear()
    assert started[0] == tmp_path
    assert len(started) == 2  # the start, and what ends it at the program's end
    assert all(found.ends_with_program for found in places)
    assert "http://127.0.0.1:4000" in lines[0]


def test_the_default_bucket_is_made_once(client: Client) -> None:
    name = client.session.default_bucket()
    assert client.session.default_bucket() == name
    assert client.lines == [f"made the bucket {name}"]


def test_a_folder_goes_up_and_comes_down(client: Client, folder: Path) -> None:
    source = folder / "source"
    (source / "deep").mkdir(parents=True)
    (source / "a.txt").write_text("a")
    (source / "deep" / "b.txt").write_text("b")
    uri = client.session.upload(source, "data/set/", bucket=BUCKET)
    assert uri == f"s3://{BUCKET}/data/set"
    client.session.upload(source / "a.txt", "data/set-2", bucket=BUCKET)
    target = folder / "target"
    files = client.session.download(uri, target)
    assert sorted(file.relative_to(target).as_posix() for file in files) == ["a.txt", "deep/b.txt"]
    assert (target / "deep" / "b.txt").read_text() == "b"


def test_one_object_comes_down_by_its_name(client: Client, folder: Path) -> None:
    for key in ("models/model.tar.gz", "models/model.tar.gz.old"):
        client.local.client("s3").put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    (file,) = client.session.download(f"s3://{BUCKET}/models/model.tar.gz", folder)
    assert file == folder / "model.tar.gz"
    assert file.read_text() == "models/model.tar.gz"


def test_nothing_there_is_refused(client: Client, folder: Path) -> None:
    with pytest.raises(InvalidRequest, match="nothing there"):
        client.session.download(f"s3://{BUCKET}/nothing", folder)
    with pytest.raises(InvalidRequest, match="holds no file"):
        client.session.upload(folder, "x", bucket=BUCKET)
    with pytest.raises(InvalidRequest, match="no such file"):
        client.session.upload(folder / "gone", "x", bucket=BUCKET)


def test_a_bucket_that_is_not_there_is_a_storage_error(client: Client, folder: Path) -> None:
    (folder / "a").write_text("a")
    with pytest.raises(StorageError, match="check the bucket"):
        client.session.upload(folder, "x", bucket="not-made")


def test_a_key_that_leads_out_of_the_folder_is_not_fetched(client: Client, tmp_path: Path) -> None:
    class Sly:
        """A service that lists a key with ``..`` in it, which S3 allows."""

        def get_paginator(self, _: str) -> "Sly":
            return self

        def paginate(self, **_: str) -> list[Any]:
            return [{"Contents": [{"Key": "data/../../out"}]}]

    from sagedock.client.storage import download

    with pytest.raises(StorageError, match="leads out"):
        download(Sly(), "s3://b/data", tmp_path / "target")


def test_an_object_of_the_local_s3_is_a_file(client: Client) -> None:
    client.local.client("s3").put_object(Bucket=BUCKET, Key="a/b", Body=b"content")
    file = client.session.file_of(f"s3://{BUCKET}/a/b")
    assert file is not None
    assert file.read_bytes() == b"content"
    assert client.session.file_of(f"s3://{BUCKET}/a/c") is None


@pytest.mark.parametrize("uri", ["bucket/key", "s3://", "https://b/k", ""])
def test_what_is_no_s3_uri_is_refused(uri: str) -> None:
    with pytest.raises(InvalidRequest, match="not an S3 URI"):
        split_uri(uri)


def test_importing_the_estimator_loads_no_sdk_and_no_server() -> None:
    program = (
        "import sys; from sagedock import Estimator, Session; Session(target='local'); "
        "print([m for m in ('boto3', 'botocore', 'docker', 'starlette', 'moto') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
