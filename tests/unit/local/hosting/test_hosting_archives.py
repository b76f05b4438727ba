"""A model.tar.gz is hostile: nothing leaves its folder, nothing fills the disk or the memory."""

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from sagedock.local.hosting.archives import BadArchive, unpack
from tests.unit.local.hosting.hosting_local import archive


def unpacked(body: bytes, folder: Path, most_bytes: int = 10_000_000) -> dict[str, bytes]:
    unpack(io.BytesIO(body), folder, most_bytes=most_bytes, check_stop=lambda: None)
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def packed(*members: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=tarfile.PAX_FORMAT) as made:
        for member in members:
            made.addfile(member, io.BytesIO(bytes(member.size)))
    return buffer.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 0) -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, size
    return packed(info)


def test_files_and_folders_are_unpacked_readable(tmp_path: Path) -> None:
    files = {"a.bin": b"1" * 600, "code/inference.py": b"x", "code/": b""}
    del files["code/"]
    private = tarfile.TarInfo("./private")
    private.mode, private.size = 0o600, 4
    folder = tmp_path / "m"
    assert unpacked(archive(files), folder) == files
    assert unpacked(packed(private), tmp_path / "n") == {"private": bytes(4)}
    assert (tmp_path / "n" / "private").stat().st_mode & 0o777 == 0o644
    assert (folder / "code").stat().st_mode & 0o055 == 0o055


@pytest.mark.parametrize(
    "body",
    [
        member("/etc/passwd"),
        member("../outside"),
        member("a/../../outside"),
        member("link", tarfile.SYMTYPE, "/etc/passwd"),
        member("link", tarfile.SYMTYPE, "a"),
        member("link", tarfile.LNKTYPE, "../outside"),
        member("pipe", tarfile.FIFOTYPE),
        member("device", tarfile.CHRTYPE),
        member("big", size=2_000),
        b"no archive",
        b"",
        gzip.compress(b"no tar" * 1000),
        archive({"a": b"1" * 5000})[:60],
    ],
    ids=lambda body: str(len(body)),
)
def test_what_is_no_model_is_refused(tmp_path: Path, body: bytes) -> None:
    folder = tmp_path / "inner" / "m"
    with pytest.raises(BadArchive):
        unpacked(body, folder, most_bytes=1_000)
    assert [path for path in tmp_path.rglob("*") if path.is_file() or path.is_symlink()] == []


def test_one_name_for_a_file_and_a_folder_is_refused(tmp_path: Path) -> None:
    body = packed(tarfile.TarInfo("a"), tarfile.TarInfo("a/b"))
    with pytest.raises(BadArchive):
        unpacked(body, tmp_path / "m")


def test_a_record_that_is_no_file_cannot_fill_the_memory(tmp_path: Path) -> None:
    info = tarfile.TarInfo("a")
    info.pax_headers = {"comment": "x" * 20_000_000}
    with pytest.raises(BadArchive, match="a record beside its files"):
        unpacked(packed(info), tmp_path / "m")


def test_of_one_name_the_last_counts(tmp_path: Path) -> None:
    body = packed(tarfile.TarInfo("a"), _sized("a", 3))
    assert unpacked(body, tmp_path / "m") == {"a": bytes(3)}


def _sized(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = size
    return info


class Stopped(Exception):
    pass


def test_it_can_be_stopped(tmp_path: Path) -> None:
    def stop() -> None:
        raise Stopped

    check: Callable[[], None] = stop
    with pytest.raises(Stopped):
        unpack(io.BytesIO(archive({"a": b"1"})), tmp_path / "m", most_bytes=10, check_stop=check)
