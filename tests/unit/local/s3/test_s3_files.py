"""Objects are files: what users and channels do with them by hand."""

import hashlib
import os
from pathlib import Path

import pytest

from sagedock.errors import StorageError
from sagedock.local.s3 import NoSuchBucket, NoSuchKey, ObjectStore, S3Error


@pytest.fixture
def store(tmp_path: Path):
    with_bucket = ObjectStore(tmp_path / "s3")
    with_bucket.create_bucket("kettle", "us-east-1")
    yield with_bucket
    with_bucket.close()


def _quoted_md5(content: bytes) -> str:
    return f'"{hashlib.md5(content).hexdigest()}"'


def _file(path: Path, content: bytes = b"content") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_file_dropped_in_by_hand_is_an_object(s3, server):
    _file(server.file("data/train.csv"), b"a,b\n")
    [listed] = s3.list_objects_v2(Bucket="kettle", Prefix="data/")["Contents"]
    got = s3.get_object(Bucket="kettle", Key="data/train.csv")
    assert got["Body"].read() == b"a,b\n"
    assert got["ContentType"] == "text/csv"
    assert got["ETag"] == listed["ETag"] == _quoted_md5(b"a,b\n")


def test_a_large_dropped_file_is_listed_without_being_read(s3, server, tmp_path):
    path = _file(server.file("large.bin"))
    with path.open("r+b") as file:
        file.truncate(300 * 1024**3)  # sparse: reading it would take minutes
    [listed] = s3.list_objects_v2(Bucket="kettle")["Contents"]
    assert listed["Size"] == 300 * 1024**3
    head = s3.head_object(Bucket="kettle", Key="large.bin")
    assert head["ETag"] == listed["ETag"]
    assert listed["ETag"].endswith('-1"')  # clients take no such tag for an MD5
    part = s3.get_object(Bucket="kettle", Key="large.bin", Range="bytes=0-6", IfMatch=head["ETag"])
    assert part["Body"].read() == b"content"


def test_a_file_changed_by_hand_has_a_new_tag_and_loses_what_was_kept_of_the_old(s3, server):
    s3.put_object(Bucket="kettle", Key="k.txt", Body=b"old", Metadata={"a": "b"})
    path = server.file("k.txt")
    path.write_bytes(b"edited")
    head = s3.head_object(Bucket="kettle", Key="k.txt", ChecksumMode="ENABLED")
    assert head["ETag"] == _quoted_md5(b"edited")
    assert head["Metadata"] == {}
    assert "ChecksumCRC32" not in head
    assert head["ContentType"] == "text/plain"
    os.utime(path, (1, 1))
    path.write_bytes(b"edits")
    assert s3.head_object(Bucket="kettle", Key="k.txt")["ETag"] != head["ETag"]


def test_the_tag_of_a_dropped_file_is_computed_once(store, monkeypatch):
    _file(store.folder("kettle") / "k")
    first = store.get("kettle", "k").etag
    monkeypatch.setattr("sagedock.local.s3.store.tag_of_a_file", lambda _: "computed again")
    assert store.get("kettle", "k").etag == first
    assert [found.etag for found in store.objects("kettle")] == [first]


def test_a_file_removed_by_hand_is_gone(s3, server, refused):
    s3.put_object(Bucket="kettle", Key="k", Body=b"x")
    server.file("k").unlink()
    assert refused(s3.get_object, Bucket="kettle", Key="k")[:2] == (404, "NoSuchKey")
    assert "Contents" not in s3.list_objects_v2(Bucket="kettle")
    s3.delete_object(Bucket="kettle", Key="k")


def test_an_overwrite_leaves_hard_links_and_open_files_their_content(s3, server, tmp_path):
    s3.put_object(Bucket="kettle", Key="k", Body=b"old")
    link = tmp_path / "channel"
    link.hardlink_to(server.file("k"))
    with server.file("k").open("rb") as opened:
        s3.put_object(Bucket="kettle", Key="k", Body=b"new")
        assert opened.read() == b"old"
    assert link.read_bytes() == b"old"
    assert server.file("k").read_bytes() == b"new"


def test_a_hard_link_made_by_a_channel_changes_nothing(s3, server, tmp_path):
    s3.put_object(Bucket="kettle", Key="k", Body=b"x", Metadata={"a": "b"})
    (tmp_path / "channel").hardlink_to(server.file("k"))
    assert s3.head_object(Bucket="kettle", Key="k")["Metadata"] == {"a": "b"}


def test_symbolic_links_are_neither_read_nor_written_nor_listed(s3, server, tmp_path, refused):
    outside = _file(tmp_path / "outside" / "secret", b"secret").parent
    server.file("to-folder").symlink_to(outside)
    server.file("to-file").symlink_to(outside / "secret")
    assert "Contents" not in s3.list_objects_v2(Bucket="kettle")
    assert "Contents" not in s3.list_objects_v2(Bucket="kettle", Prefix="to-folder/")
    for key in ("to-folder/secret", "to-file"):
        assert refused(s3.get_object, Bucket="kettle", Key=key)[:2] == (404, "NoSuchKey")
        s3.put_object(Bucket="kettle", Key=key, Body=b"mine")
        assert s3.get_object(Bucket="kettle", Key=key)["Body"].read() == b"mine"
    assert (outside / "secret").read_bytes() == b"secret"
    for key in ("to-folder/secret", "to-file"):
        s3.delete_object(Bucket="kettle", Key=key)
    s3.delete_bucket(Bucket="kettle")
    assert (outside / "secret").read_bytes() == b"secret"


def test_a_bucket_that_is_a_symbolic_link_is_none(s3, server, tmp_path):
    _file(tmp_path / "outside" / "secret")
    (server.root / "buckets" / "linked").symlink_to(tmp_path / "outside")
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["kettle"]
    assert not server.store.has_bucket("linked")


def test_other_kinds_of_files_are_not_objects(s3, server):
    os.mkfifo(server.file("pipe"))
    server.file("empty").mkdir()
    os.close(os.open(os.fsencode(server.file("")) + b"/not-utf8-\xff", os.O_CREAT))
    assert "Contents" not in s3.list_objects_v2(Bucket="kettle")
    rolled = s3.list_objects_v2(Bucket="kettle", Delimiter="/")
    assert "CommonPrefixes" not in rolled


def test_put_file_takes_a_file_over(store, tmp_path):
    source = _file(tmp_path / "model.tar.gz")
    inode = source.stat().st_ino
    stored = store.put_file("kettle", "out/model.tar.gz", source, "application/gzip")
    assert not source.exists()
    assert stored.path == store.folder("kettle") / "out/model.tar.gz"
    assert (stored.path.stat().st_ino, stored.path.stat().st_nlink) == (inode, 1)
    assert (stored.size, stored.content_type) == (7, "application/gzip")
    assert stored.etag == hashlib.md5(b"content").hexdigest()


def test_put_file_that_is_refused_leaves_the_file(store, tmp_path):
    source = _file(tmp_path / "f")
    for bucket, key, error in (
        ("nowhere", "k", NoSuchBucket),
        ("kettle", "../k", S3Error),
        ("kettle", "k" * 2000, S3Error),
    ):
        with pytest.raises(error):
            store.put_file(bucket, key, source)
        assert source.read_bytes() == b"content"
    link = tmp_path / "link"
    link.symlink_to(source)
    with pytest.raises(StorageError, match="no regular file"):
        store.put_file("kettle", "k", link)
    assert list(store.objects("kettle")) == []


def test_put_file_copies_where_it_cannot_link(store, tmp_path, monkeypatch):
    def across_devices(self, target):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(Path, "hardlink_to", across_devices)
    store.put_file("kettle", "k", _file(tmp_path / "f"))
    assert store.get("kettle", "k").path.read_bytes() == b"content"
    assert not (tmp_path / "f").exists()


def test_objects_come_in_the_order_of_their_bytes_with_real_paths(store, tmp_path):
    keys = ["a", "a!", "a/", "a/b", "a/b/c", "a0", "é", "z//", "😀"]
    for key in keys:
        store.put_file("kettle", key, _file(tmp_path / "f", key.encode()))
    found = list(store.objects("kettle"))
    assert [item.key for item in found] == sorted(keys, key=str.encode)
    assert all(item.path.read_bytes() == item.key.encode() for item in found)
    assert [item.key for item in store.objects("kettle", "a/")] == ["a/", "a/b", "a/b/c"]


def test_the_stores_own_errors(store):
    with pytest.raises(NoSuchKey, match=r"NoSuchKey: The specified key does not exist\..*nothing"):
        store.get("kettle", "nothing")
    with pytest.raises(NoSuchBucket, match="nowhere"):
        list(store.objects("nowhere"))
    with pytest.raises(NoSuchBucket):
        store.region("nowhere")
    with pytest.raises(S3Error) as caught:
        store.create_bucket("kettle", "us-east-1")
    assert caught.value.code == "BucketAlreadyOwnedByYou"
    assert caught.value.exit_code == 7
    store.delete("kettle", "nothing")


def test_a_store_opened_again_sweeps_what_was_not_finished(tmp_path):
    root = tmp_path / "s3"
    ObjectStore(root).close()
    left = [_file(root / "tmp" / "half"), _file(root / "parts" / "unknown-upload" / "1")]
    ObjectStore(root).close()
    assert [path for path in left if path.exists()] == []
