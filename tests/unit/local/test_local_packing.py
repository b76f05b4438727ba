"""What a container left below /opt/ml, packed: any name, many files, links, modes."""

import io
import stat
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagedock.local.training.artifacts import pack
from sagedock.testing import FakeEngine

FEW = 500
LONG = "checkpoints/" + "x" * 120 + "/weights.bin"


class Archive(FakeEngine):
    """An engine with one archive, written as Docker writes it: longer names are PAX records."""

    def __init__(self, members: list[tarfile.TarInfo]) -> None:
        super().__init__(None)
        self._members = members

    def archive(self, container: str, path: str) -> Iterator[bytes]:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for member in self._members:
                archive.addfile(member, io.BytesIO(bytes(member.size)))
        yield buffer.getvalue()


def file(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(f"model/{name}")
    made.type, made.linkname, made.size = kind, link, 3 if kind == tarfile.REGTYPE else 0
    return made


def packed(members: list[tarfile.TarInfo], scratch: Path) -> dict[str, tarfile.TarInfo]:
    path = pack(Archive(members), ["one"], "/opt/ml/model", scratch)
    assert path is not None
    with tarfile.open(path) as archive:
        return {member.name: member for member in archive}


@pytest.mark.parametrize("name", ["plain.bin", "modèle.bin", LONG, "new\nline", "été/" + "y" * 200])
def test_files_lie_at_the_top_whatever_their_name(name: str, tmp_path: Path) -> None:
    assert list(packed([file(name)], tmp_path)) == [name]


def test_a_hard_link_to_a_long_name_still_leads_to_it(tmp_path: Path) -> None:
    link = file("again", tarfile.LNKTYPE, f"model/{LONG}")
    assert packed([file(LONG), link], tmp_path)["again"].linkname == LONG


def test_what_is_neither_file_nor_folder_nor_link_is_left_out(tmp_path: Path) -> None:
    odd = [file("pipe", tarfile.FIFOTYPE), file("disk", tarfile.BLKTYPE), file("w")]
    assert list(packed(odd, tmp_path)) == ["w"]


def seconds(count: int, scratch: Path) -> float:
    """Return the processor's time for so many files; the better of two, for it is a noisy clock."""
    members, took_s = [file(f"f{number}") for number in range(count)], []
    for _ in range(2):
        began = time.thread_time()
        assert len(packed(members, scratch)) == count
        took_s.append(time.thread_time() - began)
    return min(took_s)


def test_many_files_take_time_in_proportion(tmp_path: Path) -> None:
    """Eight times as many take about eight times as long; were each looked up in all the others,
    they would take 64 times as long.
    """
    assert seconds(8 * FEW, tmp_path) < 20 * seconds(FEW, tmp_path)


def test_others_than_the_server_may_read_the_archive(tmp_path: Path) -> None:
    """It may become a channel of a container whose user is not root."""
    path = pack(Archive([file("w")]), ["one"], "/opt/ml/model", tmp_path)
    assert path is not None
    assert stat.S_IMODE(path.stat().st_mode) & 0o044 == 0o044
