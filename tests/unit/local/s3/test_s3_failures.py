"""What may go wrong: full disks, clients that hang up, many writers, bugs."""

import errno
import os
import socket
import sqlite3
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sagedock.local.s3.store import ObjectStore


def _full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _names_a_full_disk(refusal: tuple[int, str, str]) -> bool:
    return refusal[:2] == (500, "InternalError") and "disk is full" in refusal[2]


@pytest.mark.parametrize("size", [1, 5_000_000])
def test_a_full_disk_while_writing_leaves_the_old_object(s3, server, refused, monkeypatch, size):
    s3.put_object(Bucket="kettle", Key="k", Body=b"old", Metadata={"a": "b"})
    monkeypatch.setattr("sagedock.local.s3.incoming._write_all", _full)
    body = b"x" * size
    assert _names_a_full_disk(refused(s3.put_object, Bucket="kettle", Key="k", Body=body))
    assert _names_a_full_disk(refused(s3.put_object, Bucket="kettle", Key="d/k", Body=body))
    monkeypatch.undo()
    got = s3.get_object(Bucket="kettle", Key="k")
    assert (got["Body"].read(), got["Metadata"]) == (b"old", {"a": "b"})
    assert [path.name for path in server.file("").iterdir()] == ["k"]
    assert server.leftovers() == []


@pytest.mark.parametrize("failing", ["row", "file"])
def test_a_full_disk_at_the_last_step_leaves_the_old_object(
    s3, server, refused, monkeypatch, failing
):
    s3.put_object(Bucket="kettle", Key="k", Body=b"old", Metadata={"a": "b"})

    def full_database(*_):
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    if failing == "row":
        monkeypatch.setattr(server.store._table, "save", full_database)
    else:
        monkeypatch.setattr(Path, "replace", _full)
    for key in ("k", "new/folder/k"):
        assert _names_a_full_disk(refused(s3.put_object, Bucket="kettle", Key=key, Body=b"new"))
    monkeypatch.undo()
    got = s3.get_object(Bucket="kettle", Key="k")
    assert (got["Body"].read(), got["Metadata"]) == (b"old", {"a": "b"})
    assert [path.name for path in server.file("").iterdir()] == ["k"]
    assert server.leftovers() == []


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 16 MiB, where we may mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("only root can mount a small file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_that_is_really_full(small_disk, server, s3, refused):
    server.stop()
    server.root = small_disk / "s3"
    server.start()
    s3 = server.client()
    s3.create_bucket(Bucket="kettle")
    s3.put_object(Bucket="kettle", Key="k", Body=b"old")
    body = os.urandom(20_000_000)
    assert _names_a_full_disk(refused(s3.put_object, Bucket="kettle", Key="k", Body=body))
    part = {"Bucket": "kettle", "Key": "k", "PartNumber": 1, "Body": body}
    upload = s3.create_multipart_upload(Bucket="kettle", Key="k")["UploadId"]
    assert _names_a_full_disk(refused(s3.upload_part, UploadId=upload, **part))
    assert server.leftovers() == []
    assert s3.get_object(Bucket="kettle", Key="k")["Body"].read() == b"old"
    s3.put_object(Bucket="kettle", Key="k", Body=b"fits again")


def _wait_until(condition) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_client_that_hangs_up_leaves_nothing(s3, server):
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"PUT /kettle/k HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n")
        connection.sendall(b"x" * 3_000_000)
        _wait_until(server.leftovers)
    _wait_until(lambda: not server.leftovers())
    assert not server.file("k").exists()
    s3.put_object(Bucket="kettle", Key="k", Body=b"x")


def test_a_client_that_hangs_up_while_it_reads_harms_nobody(s3, server):
    s3.put_object(Bucket="kettle", Key="k", Body=bytes(20_000_000))
    got = s3.get_object(Bucket="kettle", Key="k")
    got["Body"].read(10)
    got["Body"].close()
    assert s3.head_object(Bucket="kettle", Key="k")["ContentLength"] == 20_000_000


def test_a_refusal_before_the_body_does_not_spoil_the_connection(server, s3, refused):
    """boto3 waits for ``100 Continue`` and keeps its connection: the next request must work."""
    for _ in range(3):
        nowhere = refused(s3.put_object, Bucket="nowhere", Key="k", Body=b"x" * 2_000_000)
        assert nowhere[:2] == (404, "NoSuchBucket")
        s3.put_object(Bucket="kettle", Key="k", Body=b"y")
        assert s3.get_object(Bucket="kettle", Key="k")["Body"].read() == b"y"


def test_of_many_writers_one_wins_whole(s3, server):
    bodies = [bytes([number]) * (300_000 + number) for number in range(12)]

    def put(number: int) -> None:
        s3.put_object(
            Bucket="kettle", Key="deep/k", Body=bodies[number], Metadata={"n": str(number)}
        )

    def look(_: int) -> None:
        got = s3.get_object(Bucket="kettle", Key="deep/k")
        assert got["Body"].read() == bodies[int(got["Metadata"]["n"])]

    put(0)
    with ThreadPoolExecutor(8) as pool:
        for outcome in [pool.submit(put, n) for n in range(12)] + [
            pool.submit(look, n) for n in range(12)
        ]:
            outcome.result()
    look(0)
    assert server.leftovers() == []


def test_folders_come_and_go_under_many_hands(tmp_path):
    """Deleting the last object of a folder must not take the folder from under a new one."""
    store = ObjectStore(tmp_path / "s3")
    store.create_bucket("kettle", "us-east-1")

    def churn(number: int) -> None:
        for _ in range(60):
            source = store.temporary()
            source.write_bytes(b"x")
            store.put_file("kettle", f"a/b/{number}", source)
            store.get("kettle", f"a/b/{number}")
            list(store.objects("kettle"))
            store.delete("kettle", f"a/b/{number}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(churn, range(4)))
    assert list(store.objects("kettle")) == []
    assert list(store.folder("kettle").iterdir()) == []
    store.close()


def test_one_of_many_creations_on_condition_succeeds(s3):
    barrier = threading.Barrier(6)

    def create(number: int) -> bool:
        barrier.wait()
        try:
            s3.put_object(Bucket="kettle", Key="k", Body=bytes([number]), IfNoneMatch="*")
        except s3.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == "PreconditionFailed"
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(create, range(6))) == 1


def test_a_bug_is_an_answer_in_xml(s3, server, refused, monkeypatch, caplog):
    monkeypatch.setattr(server.store, "open", lambda *_: 1 / 0)
    answer = refused(s3.get_object, Bucket="kettle", Key="k")
    assert answer == (500, "InternalError", "We encountered an internal error. Please try again.")
    assert "ZeroDivisionError" in caplog.text


def test_a_file_that_may_not_be_read_is_access_denied(s3, server, refused, monkeypatch):
    def forbidden(*_):
        raise PermissionError(errno.EACCES, "Permission denied", "the-file")

    monkeypatch.setattr("sagedock.local.s3.tree.open_file", forbidden)
    s3.put_object(Bucket="kettle", Key="k", Body=b"x")
    status, code, message = refused(s3.get_object, Bucket="kettle", Key="k")
    assert (status, code) == (403, "AccessDenied")
    assert "the-file" in message
