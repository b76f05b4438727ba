"""OutputDataConfig.CompressionType NONE: each file of the hosts is an object."""

import io
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sagedock.local.training.artifacts import ArtifactClash
from sagedock.local.training.extracted import extracted
from sagedock.testing import Container, FakeEngine
from tests.conftest import BUCKET, Local

OUTPUT = {"S3OutputPath": f"s3://{BUCKET}/out/", "CompressionType": "NONE"}
TWO = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}


class Archive(FakeEngine):
    """An engine whose containers have one archive each."""

    def __init__(self, *hosts: list[tarfile.TarInfo]) -> None:
        super().__init__(None)
        self._hosts = hosts

    def archive(self, container: str, path: str) -> Iterator[bytes]:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for member in self._hosts[int(container)]:
                archive.addfile(member, io.BytesIO(b"x" * member.size))
        yield buffer.getvalue()


def file(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(f"model/{name}")
    made.type, made.linkname, made.size = kind, link, 3 if kind == tarfile.REGTYPE else 0
    return made


def symlink(name: str, target: str) -> tarfile.TarInfo:
    return file(name, tarfile.SYMTYPE, target)


def found(folder: Path, *hosts: list[tarfile.TarInfo]) -> dict[str, bytes]:
    containers = [str(number) for number in range(len(hosts))]
    with extracted(Archive(*hosts), containers, "/opt/ml/model", folder) as files:
        return {name: path.read_bytes() for name, path in files.items()}


def test_links_are_files_where_they_lead_to_one(tmp_path: Path) -> None:
    members = [
        file("deep", tarfile.DIRTYPE),
        file("deep/w"),
        file("hard", tarfile.LNKTYPE, "model/deep/w"),
        symlink("deep/soft", "w"),
        symlink("up", "deep/../deep/soft"),
        symlink("deep/up", "../hard"),
    ]
    assert found(tmp_path, members) == dict.fromkeys(
        ("deep/w", "hard", "deep/soft", "up", "deep/up"), b"xxx"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "target", ["/etc/passwd", "../../etc/passwd", "absent", "self", "deep", "other", "", "."]
)
def test_links_that_lead_elsewhere_are_left_out(tmp_path: Path, target: str) -> None:
    members = [
        file("deep", tarfile.DIRTYPE),
        file("w"),
        symlink("self", target),
        symlink("other", "self"),
        file("pipe", tarfile.FIFOTYPE),
        file("disk", tarfile.BLKTYPE),
    ]
    assert found(tmp_path, members) == {"w": b"xxx"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (file("w"), file("w")),
        (file("w"), symlink("w", "x")),
        (symlink("w", "x"), file("w")),
        (symlink("w", "x"), symlink("w", "x")),
    ],
)
def test_a_name_of_two_hosts_is_a_clash(
    tmp_path: Path, one: tarfile.TarInfo, other: tarfile.TarInfo
) -> None:
    with pytest.raises(ArtifactClash, match=r"^w$"):
        found(tmp_path, [one], [other])
    assert list(tmp_path.iterdir()) == []


def test_folders_of_two_hosts_are_merged(tmp_path: Path) -> None:
    deep = file("deep", tarfile.DIRTYPE)
    assert set(found(tmp_path, [deep, file("deep/a")], [deep, file("deep/b")])) == {
        "deep/a",
        "deep/b",
    }


def writing(files: Callable[[Container], dict[str, bytes]]) -> Callable[[Container], int]:
    def program(container: Container) -> int:
        container.files.update(files(container))
        return 0

    return program


def objects(local: Local) -> dict[str, bytes]:
    s3 = local.client("s3")
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]
    return {key: s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}


def test_every_hosts_files_become_objects(local: Local) -> None:
    def files(container: Container) -> dict[str, bytes]:
        host = container.spec.labels["sagedock.host"]
        return {
            f"/opt/ml/model/deep/{host}": host.encode(),
            f"/opt/ml/output/data/{host}.json": b"{}",
        }

    job = local.run(writing(files), OutputDataConfig=OUTPUT, ResourceConfig=TWO)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    start = "out/probe-1/output"
    assert objects(local) == {
        f"{start}/data/algo-1.json": b"{}",
        f"{start}/data/algo-2.json": b"{}",
        f"{start}/model/deep/algo-1": b"algo-1",
        f"{start}/model/deep/algo-2": b"algo-2",
    }
    assert job["ModelArtifacts"] == {"S3ModelArtifacts": f"s3://{BUCKET}/{start}/model/"}
    assert job["OutputDataConfig"]["CompressionType"] == "NONE"
    assert list((local.server.settings.home / "scratch").iterdir()) == []


def test_a_clash_stores_no_model(local: Local) -> None:
    program = writing(lambda _: {"/opt/ml/model/w": b"x"})
    job = local.run(program, OutputDataConfig=OUTPUT, ResourceConfig=TWO)
    assert job["FailureReason"] == (
        "ClientError: Artifact upload failed:several hosts wrote /opt/ml/model/w: names must not "
        "clash"
    )
    assert objects(local) == {}


@pytest.mark.parametrize("name", ["new\nline", "ä b", "?*<>|'\"&%", "x" * 255])
def test_odd_names_are_keys(local: Local, name: str) -> None:
    program = writing(lambda _: {f"/opt/ml/model/{name}": b"x"})
    job = local.run(program, OutputDataConfig=OUTPUT)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    (file_of,) = local.server.settings.home.glob("s3/buckets/*/out/probe-1/output/model/**/*")
    assert file_of.read_bytes() == b"x"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("a\udcff", r"/opt/ml/model/'a\\udcff' is no UTF-8: no object can be so"),
        ("/".join(["x" * 250] * 5), "Your key is too long"),
    ],
)
def test_names_that_no_key_can_have_fail_the_upload(local: Local, name: str, says: Any) -> None:
    program = writing(lambda _: {f"/opt/ml/model/{name}": b"x"})
    job = local.run(program, OutputDataConfig=OUTPUT)
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: Artifact upload failed:")
    assert says.replace("\\\\", "\\") in job["FailureReason"]
    assert list((local.server.settings.home / "scratch").iterdir()) == []


def test_a_job_without_a_model_has_its_place_all_the_same(local: Local) -> None:
    job = local.run(OutputDataConfig=OUTPUT)
    assert job["ModelArtifacts"]["S3ModelArtifacts"].endswith("/probe-1/output/model/")
    assert objects(local) == {}
