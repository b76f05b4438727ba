"""The files that go to AWS, and the zip of them."""

import os
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from sagedock.errors import InvalidRequest, StorageError
from sagedock.images.remote.packing import pack
from sagedock.images.remote.sources import project_sources
from tests.unit.images.remote_builds import FILES, git, project

_KEY = "-----BEGIN RSA PRIVATE KEY-----\n" + "QUJD" * 64 + "\n-----END RSA PRIVATE KEY-----\n"


def names(folder: Path) -> list[str]:
    return [each.name for each in project_sources(folder)]


def problems(folder: Path, *allowed: str) -> str:
    with pytest.raises(InvalidRequest) as caught:
        project_sources(folder, allowed=allowed)
    return str(caught.value)


def test_what_git_tracks_goes_and_what_it_would_and_nothing_that_it_ignores(tmp_path: Path) -> None:
    folder = project(tmp_path)
    (folder / "new.py").write_text("x")
    (folder / "data").mkdir()
    (folder / "data" / "big.bin").write_text("x")
    (folder / "containers" / "Dockerfile").unlink()
    assert names(folder) == sorted({*FILES, "new.py"} - {"containers/Dockerfile"})


def test_the_same_files_are_the_same_bytes(tmp_path: Path) -> None:
    folder = project(tmp_path / "a", **{"run.sh": "#!/bin/sh\n"})
    (folder / "run.sh").chmod(0o755)
    first = pack(project_sources(folder), tmp_path / "1.zip")
    os.utime(folder / "Makefile", (1, 1))
    (folder / "Makefile").chmod(0o600)
    second = pack(project_sources(folder), tmp_path / "2.zip")
    assert first.digest == second.digest
    assert first.key("sources/p/") == f"sources/p/{first.digest}.zip"
    assert first.count == len(FILES) + 1
    (folder / "Makefile").write_text("build: other\n")
    assert pack(project_sources(folder), tmp_path / "3.zip").digest != first.digest


def test_a_zip_program_gets_the_files_and_who_may_run_them(tmp_path: Path) -> None:
    folder = project(tmp_path / "a", **{"run.sh": "#!/bin/sh\n"})
    (folder / "run.sh").chmod(0o755)
    made = pack(project_sources(folder), tmp_path / "s.zip")
    with zipfile.ZipFile(made.path) as archive:
        assert archive.testzip() is None
        modes = {each.filename: each.external_attr >> 16 & 0o777 for each in archive.infolist()}
        assert archive.read("buildspec.yml").decode() == FILES["buildspec.yml"]
    assert modes["run.sh"] == 0o755
    assert modes["Makefile"] == 0o644


def test_a_folder_that_is_not_git_s_is_refused(tmp_path: Path) -> None:
    assert "is no work tree of git's" in problems(tmp_path)
    assert "run `git init` there" in problems(tmp_path)


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    folder = project(
        tmp_path, **{".env": "A=b\n", "deploy.pem": "x", "notes.txt": _KEY, ".env.example": "A=\n"}
    )
    (folder / "buildspec.yml").unlink()
    git(folder, "rm", "-q", "--cached", "buildspec.yml")
    (folder / "out").symlink_to("/etc/passwd")
    (folder / "in").symlink_to("Makefile")
    told = problems(folder, "absent.txt").splitlines()
    assert [line.partition(":")[0] for line in told] == [
        ".env",
        "deploy.pem",
        "in",
        "notes.txt",
        "out",
        str(folder),
        "--allow-file",
    ]
    assert "--allow-file .env" in told[0]
    assert "is a link to Makefile" in told[2]
    assert "holds a private key" in told[3]
    assert "has no file buildspec.yml" in told[5]
    assert "QUJD" not in "".join(told)


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    folder = project(tmp_path)
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9")).write_text("x")
    assert r"'caf\udce9': is a name that a zip cannot have" in problems(folder)


def test_a_file_that_cannot_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, opened = project(tmp_path), Path.open

    def refuse(path: Path, *words: Any, **more: Any) -> Any:  # as root one may read everything
        if path.name == "Makefile":
            raise PermissionError(13, "Permission denied")
        return opened(path, *words, **more)

    monkeypatch.setattr(Path, "open", refuse)
    assert problems(folder).startswith("Makefile: cannot be read (Permission denied)")


def test_a_buildspec_that_was_removed_is_missed(tmp_path: Path) -> None:
    folder = project(tmp_path)
    (folder / "buildspec.yml").unlink()
    assert "has no file buildspec.yml" in problems(folder)


def test_what_is_allowed_by_name_goes(tmp_path: Path) -> None:
    folder = project(tmp_path, **{".env": "A=b\n"})
    found = project_sources(folder, allowed=[".env"])
    assert ".env" in [each.name for each in found]


def test_a_repository_inside_is_refused(tmp_path: Path) -> None:
    folder = project(tmp_path)
    inner = project(folder / "inner")
    git(inner, "commit", "-qm", "x")
    subprocess.run(["git", "-C", folder, "add", "inner"], check=True, capture_output=True)
    assert "inner: is a repository of its own" in problems(folder)


def test_a_file_behind_a_link_is_refused(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "deep").mkdir(parents=True)
    (outside / "b").write_text("not of the project")
    (outside / "deep" / "c").write_text("not of the project")
    folder = project(tmp_path / "p", **{"a/b": "x", "a/deep/c": "x", ".gitignore": "/a\n"})
    git(folder, "add", "--force", "a")
    shutil.rmtree(folder / "a")
    (folder / "a").symlink_to(outside)
    told = problems(folder).splitlines()
    assert [line.partition(":")[0] for line in told] == ["a/b", "a/deep/c"]
    assert f"a/b: lies behind the link a to {outside}: " in told[0]


def test_a_folder_that_became_a_file_has_no_files(tmp_path: Path) -> None:
    folder = project(tmp_path, **{"a/b": "x"})
    shutil.rmtree(folder / "a")
    (folder / "a").write_text("a file now")
    assert names(folder) == sorted({*FILES, "a"})


def test_a_git_that_takes_too_long_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = project(tmp_path)
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nexec sleep 600\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", str(slow.parent), prepend=":")
    monkeypatch.setattr("sagedock.images.remote.sources._GIT_S", 0.2)
    assert "did not list its files within 0.2 s" in problems(folder)


def test_a_zip_that_is_too_large_names_the_largest_files(tmp_path: Path) -> None:
    folder = project(tmp_path / "a")
    (folder / "big.bin").write_bytes(os.urandom(20_000))
    with pytest.raises(InvalidRequest, match=r"10000 are taken.*largest are big\.bin \(20000"):
        pack(project_sources(folder), tmp_path / "s.zip", largest=10_000)


def test_a_disk_that_refuses_says_where(tmp_path: Path) -> None:
    folder = project(tmp_path / "a")
    with pytest.raises(StorageError, match=r"absent/s\.zip: cannot be written"):
        pack(project_sources(folder), tmp_path / "absent" / "s.zip")
