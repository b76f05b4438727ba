"""sourcedir.tar.gz: what is in it, what is not, and that the same files give the same bytes."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from sagedock.client.source import Source


def packed(source: Source) -> bytes:
    assert source.problems() == []
    file = io.BytesIO()
    source.write(file)
    return file.getvalue()


def members(archive: bytes) -> dict[str, str]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return {
            member.name: opened.extractfile(member).read().decode()  # type: ignore[union-attr]
            for member in opened.getmembers()
        }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "src"
    (folder / "package" / "__pycache__").mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / "train.py").write_text("train")
    (folder / "requirements.txt").write_text("numpy")
    (folder / ".env.example").write_text("kept")
    (folder / "package" / "__init__.py").write_text("")
    (folder / "package" / "model.py").write_text("model")
    (folder / "package" / "__pycache__" / "model.pyc").write_text("no")
    (folder / ".git" / "config").write_text("no")
    (folder / ".DS_Store").write_text("no")
    return folder


def test_a_folder_is_packed_without_what_tools_keep_in_it(folder: Path) -> None:
    source = Source(entry_point="train.py", source_dir=str(folder))
    assert members(packed(source)) == {
        ".env.example": "kept",
        "package/__init__.py": "",
        "package/model.py": "model",
        "requirements.txt": "numpy",
        "train.py": "train",
    }


def test_the_same_files_give_the_same_bytes_at_any_time_and_place(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = packed(Source(entry_point="train.py", source_dir=str(folder)))
    os.utime(folder / "train.py", (1, 1))
    moved = folder.rename(tmp_path / "elsewhere")
    monkeypatch.setattr("time.time", lambda: 1e9)
    assert packed(Source(entry_point="train.py", source_dir=str(moved))) == first


def test_files_are_packed_by_name_whatever_order_the_disk_has(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "dbca":
        (folder / f"{name}.py").write_text(name)
    walk = os.walk

    def backwards(*where: object, **how: object) -> object:
        for top, folders, files in walk(*where, **how):  # type: ignore[call-overload]
            yield top, folders, sorted(files, reverse=True)

    monkeypatch.setattr("os.walk", backwards)
    names = list(members(packed(Source(entry_point="train.py", source_dir=str(folder)))))
    assert names == sorted(names)


def test_another_content_gives_other_bytes(folder: Path) -> None:
    source = Source(entry_point="train.py", source_dir=str(folder))
    first = packed(source)
    (folder / "train.py").write_text("other")
    assert packed(source) != first


def test_a_program_stays_executable(folder: Path) -> None:
    (folder / "run.sh").write_text("#!/bin/sh")
    (folder / "run.sh").chmod(0o755)
    archive = packed(Source(entry_point="run.sh", source_dir=str(folder)))
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        assert opened.getmember("run.sh").mode == 0o755
        assert opened.getmember("train.py").mode == 0o644


def test_without_a_folder_only_the_entry_point_is_packed(folder: Path) -> None:
    source = Source(entry_point=str(folder / "train.py"))
    assert source.program == "train.py"
    assert members(packed(source)) == {"train.py": "train"}


def test_dependencies_lie_at_the_top(folder: Path) -> None:
    source = Source(
        entry_point=str(folder / "train.py"),
        dependencies=[str(folder / "package"), str(folder / "requirements.txt")],
    )
    assert set(members(packed(source))) == {
        "package/__init__.py",
        "package/model.py",
        "requirements.txt",
        "train.py",
    }


def test_links_are_followed_and_one_that_leads_up_does_not_go_on_for_ever(
    folder: Path, tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "a.py").write_text("a")
    (folder / "first").symlink_to(shared)
    (folder / "second").symlink_to(shared)
    (folder / "package" / "up").symlink_to(folder)
    (folder / "package" / "self").symlink_to(folder / "package")
    names = members(packed(Source(entry_point="train.py", source_dir=str(folder))))
    assert {"first/a.py", "second/a.py"} <= set(names)
    assert not [name for name in names if "up/" in name or "self/" in name]


@pytest.mark.parametrize("entry_point", ["./train.py", "package/../train.py"])
def test_the_entry_point_is_told_in_the_form_that_the_toolkit_takes(
    folder: Path, entry_point: str
) -> None:
    source = Source(entry_point=entry_point, source_dir=str(folder))
    assert source.problems() == []
    assert source.program == "train.py"


@pytest.mark.parametrize(
    ("entry_point", "source_dir", "problem"),
    [
        ("nope.py", "src", "entry_point: src/nope.py: no such file inside source_dir (src)"),
        ("src/train.py", "src", "entry_point: src/src/train.py: no such file inside source_dir"),
        ("train.py", "nope", "source_dir: nope: no such folder"),
        ("nope.py", None, "entry_point: nope.py: no such file: check the path"),
        ("../src/train.py", "src", "entry_point: '../src/train.py' is not a path that"),
        ("my train.py", "src", "entry_point: 'my train.py' is not a path that"),
        ("my train.py", "s3://b/code.tar.gz", "entry_point: 'my train.py' is not a path that"),
        ("-c", "src", "entry_point: '-c' is not a path that"),
        ("package", "src", "entry_point: src/package: no such file inside"),
    ],
)
def test_what_cannot_run_is_said_before_it_is_packed(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    entry_point: str,
    source_dir: str | None,
    problem: str,
) -> None:
    monkeypatch.chdir(folder.parent)
    (folder / "my train.py").write_text("")
    (folder / "-c").write_text("")
    (found,) = Source(entry_point=entry_point, source_dir=source_dir).problems()
    assert found.startswith(problem)


def test_missing_dependencies_and_broken_links_are_named(folder: Path) -> None:
    source = Source(
        entry_point="train.py", source_dir=str(folder), dependencies=["nowhere", "lost"]
    )
    assert [line.split(":")[1] for line in source.problems()] == [" nowhere", " lost"]
    (folder / "broken").symlink_to(folder / "gone")
    (line,) = Source(entry_point="train.py", source_dir=str(folder)).problems()
    assert str(folder / "broken") in line


def test_an_absolute_entry_point_inside_a_folder_is_refused(folder: Path) -> None:
    found = Source(entry_point=str(folder / "train.py"), source_dir=str(folder)).problems()
    assert any("relative to source_dir" in line for line in found)


def test_a_packed_source_is_left_as_it_is() -> None:
    source = Source(entry_point="train.py", source_dir="s3://b/code.tar.gz")
    assert source.is_packed
    assert source.problems() == []
