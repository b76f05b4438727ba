"""What an overlay holds, read from its two layers."""

import os
from pathlib import Path

import pytest

from sagedock.engine import OverlayFile, open_overlay_file
from sagedock.engine.overlay_files import overlay_files

as_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="whiteouts are device files: root makes them"
)


@pytest.fixture
def layers(tmp_path: Path) -> tuple[Path, Path]:
    lower, upper = tmp_path / "lower", tmp_path / "upper"
    for folder in (lower / "deep", upper):
        folder.mkdir(parents=True)
    (lower / "old").write_text("old")
    (lower / "deep" / "a").write_text("a")
    (lower / "deep" / "b").write_text("b")
    return lower, upper


def read(lower: Path, upper: Path) -> dict[str, str]:
    return {
        each.relative: open_overlay_file(each).read().decode()
        for each in overlay_files(lower, upper)
    }


def test_what_is_below_is_seen_through(layers: tuple[Path, Path]) -> None:
    assert read(*layers) == {"deep/a": "a", "deep/b": "b", "old": "old"}


def test_what_is_above_wins_and_is_added(layers: tuple[Path, Path]) -> None:
    _, upper = layers
    (upper / "old").write_text("new")
    (upper / "deep").mkdir()
    (upper / "deep" / "c").write_text("c")
    assert read(*layers) == {"deep/a": "a", "deep/b": "b", "deep/c": "c", "old": "new"}


@as_root
def test_what_was_deleted_is_gone(layers: tuple[Path, Path]) -> None:
    _, upper = layers
    os.mknod(upper / "old", 0o600 | 0o020000, os.makedev(0, 0))
    (upper / "deep").mkdir()
    os.mknod(upper / "deep" / "a", 0o600 | 0o020000, os.makedev(0, 0))
    assert read(*layers) == {"deep/b": "b"}


@as_root
def test_a_folder_that_was_made_anew_hides_the_one_below(layers: tuple[Path, Path]) -> None:
    _, upper = layers
    (upper / "deep").mkdir()
    try:
        os.setxattr(upper / "deep", "trusted.overlay.opaque", b"y")
    except OSError:
        pytest.skip("this file system keeps no trusted attributes")
    (upper / "deep" / "c").write_text("c")
    assert read(*layers) == {"deep/c": "c", "old": "old"}


def test_links_pipes_and_a_file_in_a_folders_place(layers: tuple[Path, Path]) -> None:
    _, upper = layers
    (upper / "link").symlink_to("/etc/hostname")
    os.mkfifo(upper / "pipe")
    (upper / "deep").write_text("a file now")
    assert read(*layers) == {"deep": "a file now", "old": "old"}


def test_a_link_put_in_a_files_place_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    (secret / "inner").mkdir(parents=True)
    (secret / "inner" / "file").write_text("secret")
    layer = tmp_path / "layer"
    layer.mkdir()
    (layer / "file").symlink_to(secret / "inner" / "file")
    (layer / "inner").symlink_to(secret / "inner")
    os.mkfifo(layer / "pipe")
    for relative in ("file", "inner/file", "pipe", "absent", "file/deeper"):
        with pytest.raises(FileNotFoundError):
            open_overlay_file(OverlayFile(relative=relative, layer=layer, size=1, mtime_ns=0))


def test_a_link_put_in_a_folders_place_is_not_looked_through(tmp_path: Path) -> None:
    """Else a container could have the whole machine listed, file by file."""
    outside, lower, upper = tmp_path / "outside", tmp_path / "lower", tmp_path / "upper"
    for folder in (outside, lower, upper / "b"):
        folder.mkdir(parents=True)
    (outside / "secret").write_text("secret")
    (upper / "a").write_text("a")
    found = overlay_files(lower, upper)
    assert next(found).relative == "a"
    (upper / "b").rmdir()
    (upper / "b").symlink_to(outside)
    assert list(found) == []


def below(lower: Path, upper: Path, folder: str) -> list[str]:
    return [each.relative for each in overlay_files(lower, upper, folder)]


def test_one_folder_is_looked_into_alone(layers: tuple[Path, Path]) -> None:
    _, upper = layers
    (upper / "deep" / "er").mkdir(parents=True)
    (upper / "deep" / "er" / "c").write_text("c")
    assert below(*layers, "deep") == ["deep/a", "deep/b", "deep/er/c"]
    assert below(*layers, "deep/er") == ["deep/er/c"]


@pytest.mark.parametrize("folder", ["absent", "old", "deep/absent", "old/x"])
def test_what_is_no_folder_holds_nothing(layers: tuple[Path, Path], folder: str) -> None:
    assert below(*layers, folder) == []


def test_a_link_in_the_place_of_a_folder_is_not_followed(layers: tuple[Path, Path]) -> None:
    _, upper = layers
    (upper / "link").symlink_to(layers[0] / "deep")
    assert below(*layers, "link") == []


@as_root
def test_a_folder_that_was_deleted_holds_nothing(layers: tuple[Path, Path]) -> None:
    _, upper = layers
    os.mknod(upper / "deep", 0o600 | 0o020000, os.makedev(0, 0))
    assert below(*layers, "deep") == []
