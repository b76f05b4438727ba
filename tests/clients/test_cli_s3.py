"""The AWS CLI's `aws s3`, whose transfers are its own: parts, streams, synchronisation."""

import hashlib
import os
import time
import urllib.request
from pathlib import Path

import pytest

from tests.clients.shell import Shell

MIB = 1024 * 1024
#: `aws s3` sends and fetches in parts from 8 MiB on.
LARGE = 20 * MIB + 7


@pytest.fixture
def bucket(shell: Shell, request: pytest.FixtureRequest) -> str:
    """A bucket of this test's own."""
    name = request.node.originalname.replace("_", "-")[:50].strip("-")
    there = {"LocationConstraint": shell.environment["AWS_REGION"]}
    shell.boto3_client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=there)
    return f"s3://{name}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with three files in two levels, a minute old: S3 tells times in whole seconds."""
    (tmp_path / "deep").mkdir()
    for name in ("a.csv", "b.txt", "deep/c d+é.csv"):
        (tmp_path / name).write_text(name)
        os.utime(tmp_path / name, times=(time.time() - 60,) * 2)
    return tmp_path


def keys(shell: Shell, uri: str) -> list[str]:
    """Return what a bucket has below a prefix; boto3 starts sooner than the CLI."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    found = shell.boto3_client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)
    return [each["Key"] for each in found.get("Contents", ())]


def test_a_large_file_goes_in_parts_and_comes_back(
    shell: Shell, bucket: str, tmp_path: Path
) -> None:
    sent, copied, back = tmp_path / "sent", f"{bucket}/copied", tmp_path / "back"
    sent.write_bytes(os.urandom(LARGE))
    shell.aws("s3", "cp", str(sent), f"{bucket}/large", "--metadata", "owner=me", "--no-progress")
    head = shell.asked("s3api", "head-object", "--bucket", bucket[5:], "--key", "large")
    assert head["ContentLength"] == LARGE
    assert head["ETag"].strip('"').endswith("-3")  # of three parts
    assert head["Metadata"] == {"owner": "me"}
    shell.aws("s3", "cp", f"{bucket}/large", copied)
    shell.aws("s3", "cp", copied, str(back))
    assert digest(back) == digest(sent)
    shell.aws("s3", "mv", copied, f"{bucket}/moved")
    assert keys(shell, f"{bucket}/") == ["large", "moved"]


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_streams_in_and_out(shell: Shell, bucket: str) -> None:
    text = "no file, caf\u00e9\n" * 3
    shell.aws("s3", "cp", "-", f"{bucket}/stream.txt", given=text.encode())
    assert shell.aws("s3", "cp", f"{bucket}/stream.txt", "-") == text
    large = b"0123456789abcdef" * (LARGE // 16)
    shell.aws("s3", "cp", "-", f"{bucket}/large", given=large)
    assert shell.aws("s3", "cp", f"{bucket}/large", "-").encode() == large


def test_a_folder_goes_and_comes_as_filtered(
    shell: Shell, bucket: str, folder: Path, tmp_path: Path
) -> None:
    shell.aws("s3", "cp", str(folder), f"{bucket}/in", "--recursive", "--exclude", "*.txt")
    assert keys(shell, bucket) == ["in/a.csv", "in/deep/c d+é.csv"]
    listed = shell.aws("s3", "ls", f"{bucket}/in/")
    assert "PRE deep/" in listed
    assert listed.rstrip().endswith(" 5 a.csv")
    back = tmp_path / "back"
    shell.aws("s3", "cp", f"{bucket}/in/", str(back), "--recursive")
    assert (back / "deep/c d+é.csv").read_text() == "deep/c d+é.csv"
    shell.aws("s3", "rm", f"{bucket}/in", "--recursive", "--exclude", "*", "--include", "*/c*")
    assert keys(shell, bucket) == ["in/a.csv"]


def test_sync_sends_only_what_changed(shell: Shell, bucket: str, folder: Path) -> None:
    first = shell.aws("s3", "sync", str(folder), f"{bucket}/x", "--no-progress")
    assert first.count("upload:") == 3
    assert shell.aws("s3", "sync", str(folder), f"{bucket}/x") == ""
    (folder / "a.csv").write_text("longer than it was")
    (folder / "b.txt").unlink()
    again = shell.aws("s3", "sync", str(folder), f"{bucket}/x", "--delete", "--no-progress")
    assert again.count("upload:") == again.count("delete:") == 1
    assert keys(shell, bucket) == ["x/a.csv", "x/deep/c d+é.csv"]


def test_sync_fetches_only_what_changed(
    shell: Shell, bucket: str, folder: Path, tmp_path: Path
) -> None:
    back = tmp_path / "back"
    shell.aws("s3", "sync", str(folder), f"{bucket}/x")
    shell.aws("s3", "sync", f"{bucket}/x", str(back))
    assert (back / "deep/c d+é.csv").read_text() == "deep/c d+é.csv"
    assert shell.aws("s3", "sync", f"{bucket}/x", str(back)) == ""
    shell.aws("s3", "cp", "-", f"{bucket}/x/a.csv", given=b"a longer text than before")
    fetched = shell.aws("s3", "sync", f"{bucket}/x", str(back), "--no-progress")
    assert fetched.count("download:") == 1
    assert (back / "a.csv").read_text() == "a longer text than before"
    shell.aws("s3", "sync", f"{bucket}/x", f"{bucket}/y")
    assert len(keys(shell, f"{bucket}/y/")) == 3


def test_a_bucket_is_listed_and_removed_with_all_in_it(
    shell: Shell, bucket: str, folder: Path
) -> None:
    bucket += "-of-the-clis"
    assert shell.aws("s3", "mb", bucket) == f"make_bucket: {bucket[5:]}\n"
    shell.aws("s3", "cp", str(folder / "a.csv"), f"{bucket}/a.csv")
    assert f" {bucket[5:]}\n" in shell.aws("s3", "ls")
    summary = shell.aws("s3", "ls", bucket, "--recursive", "--human-readable", "--summarize")
    assert "5 Bytes a.csv" in summary
    assert "Total Objects: 1" in summary
    refused = shell.run("s3", "rb", bucket)
    assert refused.code != 0
    assert "BucketNotEmpty" in refused.error
    shell.aws("s3", "rb", bucket, "--force")
    assert f" {bucket[5:]}\n" not in shell.aws("s3", "ls")
    assert "NoSuchBucket" in shell.run("s3", "ls", bucket).error


def test_a_presigned_address_can_be_fetched(shell: Shell, bucket: str, folder: Path) -> None:
    shell.aws("s3", "cp", str(folder / "a.csv"), f"{bucket}/a.csv")
    url = shell.aws("s3", "presign", f"{bucket}/a.csv").strip()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url) as answer:
        assert answer.read() == b"a.csv"
