"""The job's source wins over code baked into the image."""

import time
from pathlib import Path

import pytest

from sagedock.errors import InvalidRequest, StorageError
from sagedock.runtime.source import bring, is_mount_point


def fetch(uri: str, folder: Path) -> None:
    (folder / "train.py").write_text(f"# from {uri}")
    (folder / "lib").mkdir()
    (folder / "lib" / "net.py").touch()


def test_source_replaces_what_is_baked_in_and_says_so(tmp_path: Path) -> None:
    code, said = tmp_path / "code", list[str]()
    (code / "old").mkdir(parents=True)
    (code / "old" / "x.py").touch()
    (code / "train.py").write_text("# baked in")
    bring("s3://b/source.tar.gz", code, fetch=fetch, say=said.append)
    assert sorted(p.name for p in code.iterdir()) == ["lib", "train.py"]
    assert (code / "train.py").read_text() == "# from s3://b/source.tar.gz"
    assert len(said) == 1
    assert "s3://b/source.tar.gz" in said[0]


def test_empty_folder_is_filled_in_silence(tmp_path: Path) -> None:
    said = list[str]()
    bring("file:///x", tmp_path / "code", fetch=fetch, say=said.append)
    assert (tmp_path / "code" / "train.py").read_text() == "# from /x"
    assert said == []


def test_no_source_named_leaves_the_folder(tmp_path: Path) -> None:
    (tmp_path / "train.py").touch()
    bring(None, tmp_path, fetch=fetch, say=list[str]().append)
    assert (tmp_path / "train.py").exists()


def test_failed_fetch_keeps_the_code_and_names_the_source(tmp_path: Path) -> None:
    def fail(uri: str, folder: Path) -> None:
        raise OSError("Not Found (404)")

    (tmp_path / "train.py").touch()
    with pytest.raises(InvalidRequest, match=r"s3://b/k cannot be fetched: OSError: Not Found"):
        bring("s3://b/k", tmp_path, fetch=fail, say=list[str]().append)
    assert (tmp_path / "train.py").exists()


def test_mount_points_are_read_from_the_kernels_table(tmp_path: Path) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(
        "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
        f"30 22 8:1 /home/me/code {tmp_path}/my\\040code rw - ext4 /dev/sda1 rw\n"
    )
    assert is_mount_point(tmp_path / "my code", table)
    assert not is_mount_point(tmp_path, table)
    assert is_mount_point(Path("/proc"))


class EndpointConnectionError(Exception):
    """By the name that botocore gives it."""


def test_a_server_that_starts_anew_is_awaited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses, said = list[float](), list[str]()
    monkeypatch.setattr(time, "sleep", pauses.append)

    def fetch_at_last(uri: str, folder: Path) -> None:
        if len(pauses) < 3:
            raise EndpointConnectionError("refused")
        fetch(uri, folder)

    bring("s3://b/k", tmp_path / "code", fetch=fetch_at_last, say=said.append)
    assert (tmp_path / "code" / "train.py").exists()
    assert pauses == [0.5, 1.0, 2.0]
    assert len(said) == 3
    assert "s3://b/k cannot be reached now, and is tried again: EndpointConnectionError" in said[0]


def test_a_server_that_stays_away_is_no_wrong_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda pause_s: now.__setitem__(0, now[0] + pause_s))

    def fail(uri: str, folder: Path) -> None:
        raise EndpointConnectionError("refused")

    with pytest.raises(StorageError, match="s3://b/k cannot be reached: EndpointConnectionError"):
        bring("s3://b/k", tmp_path, fetch=fail, say=list[str]().append)
    assert 20 < now[0] <= 30
