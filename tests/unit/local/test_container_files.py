"""Files of containers, found and stored where the engine's folders cannot be read."""

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagedock.engine import ContainerSpec, OverlayFile
from sagedock.local.container_files import FoundFile, found_files, store_file
from sagedock.local.uris import S3Uri
from sagedock.testing import FakeEngine
from tests.unit.local.transform_world import BUCKET, Model, World, opened_world


class PackingEngine(FakeEngine):
    """Its only archive is one that Docker would send."""

    def __init__(self, packed: bytes) -> None:
        super().__init__(lambda _: 0, images=["probe"])
        self._packed = packed

    def archive(self, container: str, path: str) -> Iterator[bytes]:
        assert (container, path) == ("fake-1", "/top/below")
        yield self._packed


def packed(*members: tuple[str, bytes, str]) -> bytes:
    """Return a tar of (name, type, content or what it leads to)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, kind, text in members:
            entry = tarfile.TarInfo(name)
            entry.type = kind
            if kind == tarfile.REGTYPE:
                entry.size = len(text)
                archive.addfile(entry, io.BytesIO(text.encode()))
            else:
                entry.linkname = text
                archive.addfile(entry)
    return buffer.getvalue()


def read(engine: FakeEngine) -> dict[str, bytes]:
    found = {}
    for each in found_files(engine, "fake-1", "/top", "below"):
        assert not isinstance(each.content, OverlayFile)
        assert each.content is not None
        found[each.name] = each.content.read()
    return found


def test_a_file_with_several_names_is_found_under_each_and_a_link_is_not() -> None:
    engine = PackingEngine(
        packed(
            ("below", tarfile.DIRTYPE, ""),
            ("below/a", tarfile.REGTYPE, "one"),
            ("below/deep/b", tarfile.LNKTYPE, "below/a"),
            ("below/c", tarfile.LNKTYPE, "below/a"),
            ("below/d", tarfile.REGTYPE, "two"),
            ("below/e", tarfile.LNKTYPE, "below/d"),
            ("below/f", tarfile.SYMTYPE, "a"),
            ("below/g", tarfile.LNKTYPE, "below/f"),
        )
    )
    engine.create(ContainerSpec(name="probe", image="probe"))
    assert read(engine) == {
        "a": b"one",
        "deep/b": b"one",
        "c": b"one",
        "d": b"two",
        "e": b"two",
    }


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with opened_world(tmp_path / "home", Model()) as made:
        yield made


def found(layer: Path, name: str) -> FoundFile:
    status = (layer / name).stat()
    size, changed = status.st_size, status.st_mtime_ns
    file = OverlayFile(relative=name, layer=layer, size=size, mtime_ns=changed)
    return FoundFile(name, (size, changed), file)


def test_a_file_that_stays_as_it_is_is_stored(world: World, tmp_path: Path) -> None:
    world.platform.scratch_folder.mkdir()
    (tmp_path / "a").write_text("one")
    where = S3Uri(bucket=BUCKET, key="out/a")
    assert store_file(world.platform, found(tmp_path, "a"), where)
    assert world.get("out/a") == b"one"
    assert [*world.platform.scratch_folder.iterdir()] == []


@pytest.mark.parametrize("change", ["removed", "longer", "a link"])
def test_a_file_that_is_another_meanwhile_is_not(world: World, tmp_path: Path, change: str) -> None:
    world.platform.scratch_folder.mkdir()
    (tmp_path / "a").write_text("one")
    (tmp_path / "secret").write_text("no")
    file = found(tmp_path, "a")
    if change == "longer":
        (tmp_path / "a").write_text("longer")
    else:
        (tmp_path / "a").unlink()
    if change == "a link":
        (tmp_path / "a").symlink_to("secret")
    assert not store_file(world.platform, file, S3Uri(bucket=BUCKET, key="out/a"))
    assert world.keys() == []


def test_a_place_that_is_not_there_is_an_error_and_no_file_that_is_gone(
    world: World, tmp_path: Path
) -> None:
    (tmp_path / "a").write_text("one")
    with pytest.raises(FileNotFoundError, match="scratch"):
        store_file(world.platform, found(tmp_path, "a"), S3Uri(bucket=BUCKET, key="out/a"))
