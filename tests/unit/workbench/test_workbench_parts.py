"""The parts of the workbench: what is wrong with a handler, layouts, edits, words."""

import io
import os
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sagedock.cli.app import app
from sagedock.cli.serve_words import words_of
from sagedock.errors import InvalidRequest, StorageError
from sagedock.workbench import Event, Handler
from sagedock.workbench import events as told
from sagedock.workbench.edits import Edit, Watch
from sagedock.workbench.layout import Layout
from tests.unit.workbench.bench import handler_of


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    handler = Handler(source=tmp_path / "no", model=tmp_path / "none", memory_mib=1, gpus=-1)
    assert handler.problems() == [
        f"source: {tmp_path}/no: no such folder: check the path",
        f"model: {tmp_path}/none: no such folder or model.tar.gz: check the path",
        "memory: 1 MiB is below Docker's 6: use more",
        "gpus: -1 is below 0: say how many GPUs the container gets",
    ]


def test_a_source_without_the_handlers_file_is_a_problem(tmp_path: Path) -> None:
    assert Handler(source=tmp_path).problems() == [
        f"entry_point: {tmp_path} has no inference.py: write it, or name the file that holds the "
        "handler"
    ]


def test_a_broken_link_is_a_problem(tmp_path: Path) -> None:
    handler = handler_of(tmp_path, model=tmp_path / "model")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights").symlink_to(tmp_path / "gone")
    (handler.source / "data").symlink_to(tmp_path / "gone")
    problems = handler.problems()
    assert len(problems) == 2
    assert all("broken link" in problem for problem in problems)


def test_the_command_line_names_its_options(tmp_path: Path) -> None:
    words = ["serve", "--source", str(tmp_path), "--memory", "1"]
    found = CliRunner().invoke(app, words).exception
    assert isinstance(found, InvalidRequest)
    assert [problem.partition(":")[0] for problem in found.problems] == [
        "--entry-point",
        "--memory",
    ]
    found = CliRunner().invoke(app, ["serve", "--source", ".", "--env", "A"]).exception
    assert str(found) == "--env: 'A' is no NAME=VALUE"


def pack(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def test_an_archive_is_unpacked_and_its_code_replaced(tmp_path: Path) -> None:
    model = pack(tmp_path / "model.tar.gz", {"weights": b"w", "code/old.py": b"old"})
    layout = Layout(tmp_path / "laid", handler_of(tmp_path, model=model))
    layout.lay_out_model()
    layout.lay_out_code()
    found = sorted(p.relative_to(tmp_path / "laid") for p in (tmp_path / "laid").rglob("*"))
    assert list(map(str, found)) == ["code", "code/inference.py", "weights"]
    assert [bind.target for bind in layout.mounts()] == ["/opt/ml/model"]


@pytest.mark.parametrize("members", [{"../out": b"x"}, {"/abs": b"x"}])
def test_a_hostile_archive_is_refused(tmp_path: Path, members: dict[str, bytes]) -> None:
    model = pack(tmp_path / "model.tar.gz", members)
    with pytest.raises(InvalidRequest, match=r"model: .* is no model\.tar\.gz"):
        Layout(tmp_path / "laid", handler_of(tmp_path, model=model)).lay_out_model()


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    model = tmp_path / "model.tar.gz"
    model.write_bytes(b"no archive")
    with pytest.raises(InvalidRequest, match=r"is no model\.tar\.gz"):
        Layout(tmp_path / "laid", handler_of(tmp_path, model=model)).lay_out_model()


def test_code_is_copied_as_it_is_packed(tmp_path: Path) -> None:
    handler = handler_of(tmp_path)
    elsewhere = tmp_path / "shared.py"
    elsewhere.write_text("shared")
    (handler.source / "linked.py").symlink_to(elsewhere)
    for folder in ("__pycache__", ".git", "package"):
        (handler.source / folder).mkdir()
        (handler.source / folder / "x.py").write_text("x")
    (handler.source / "run.sh").write_text("#!")
    (handler.source / "run.sh").chmod(0o700)
    layout = Layout(tmp_path / "laid", handler)
    layout.lay_out_model()
    layout.lay_out_code()
    layout.lay_out_code()
    files = {p.relative_to(layout.code).as_posix(): p for p in layout.code.rglob("*.*")}
    assert sorted(files) == ["inference.py", "linked.py", "package/x.py", "run.sh"]
    assert not files["linked.py"].is_symlink()
    assert files["run.sh"].stat().st_mode & 0o777 == 0o755
    assert files["inference.py"].stat().st_mode & 0o777 == 0o644


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    handler = handler_of(tmp_path)
    (handler.source / "inference.py").chmod(0)
    layout = Layout(tmp_path / "laid", handler)
    layout.lay_out_model()
    with pytest.raises(StorageError, match="inference"):
        layout.lay_out_code()


class Watched:
    """A source, its copy, and what a watch says of them."""

    def __init__(self, folder: Path) -> None:
        self.handler = handler_of(folder)
        self.layout = Layout(folder / "laid", self.handler)
        self.layout.lay_out_model()
        self.watch = Watch(self.handler.packed(), self.layout.code)
        self.layout.lay_out_code()

    def write(self, name: str, text: str) -> None:
        path = self.handler.source / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        os.utime(path, ns=(time.time_ns(), time.time_ns()))

    def look(self) -> Edit | None:
        """Look until a look was really taken."""
        self.watch._next_look = 0.0
        return self.watch.edit(lambda _: None)


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_an_untouched_source_is_no_edit(watched: Watched) -> None:
    assert watched.look() is None


def test_files_saved_at_once_are_one_edit(watched: Watched) -> None:
    watched.write("inference.py", "two")
    watched.write("new.py", "new")
    watched.write("package/deep.py", "deep")
    found = watched.look()
    assert found == Edit(changed=("inference.py",), added=("new.py", "package/deep.py"))
    watched.layout.lay_out_code()
    assert watched.look() is None
    (watched.handler.source / "new.py").unlink()
    assert watched.look() == Edit(removed=("new.py",))


def test_a_file_that_was_only_touched_is_no_edit(watched: Watched) -> None:
    watched.write("inference.py", "one")
    assert watched.look() is None


@pytest.mark.parametrize(
    "name",
    [
        *(".inference.py.swp", "inference.py~", "#inference.py#", ".#inference.py", "4913"),
        *("__pycache__/inference.pyc", ".git/index", "inference.pyc", "x.tmp"),
    ],
)
def test_what_editors_and_tools_write_is_no_edit(watched: Watched, name: str) -> None:
    watched.write(name, "x")
    assert watched.look() is None


def test_an_edit_while_files_are_copied_is_found(watched: Watched) -> None:
    watched.write("inference.py", "two")
    assert watched.look()
    watched.layout.lay_out_code()
    (watched.layout.code / "inference.py").write_text("half of it")  # as if copied too early
    watched.write("inference.py", "two, and the rest")
    assert watched.look() == Edit(changed=("inference.py",))


def test_requirements_are_told_apart() -> None:
    assert Edit(added=("requirements.txt",)).of_requirements
    assert not Edit(changed=("package/requirements.txt",)).of_requirements


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (told.Waiting(), ["nothing serves until the source is changed"]),
        (
            told.Edited(changed=("a", "b"), added=("c",), removed=(), anew=True),
            ["changed: a, b; new: c: a new container, for what pip installs"],
        ),
        (
            told.Edited(changed=tuple("abcdefg"), added=(), removed=(), anew=False),
            ["changed: a, b, c, d, e and 2 more: starting again"],
        ),
        (
            told.Ended(code=137, out_of_memory=True, last_lines=()),
            ["the container ended with code 137 (its memory had run out): it said nothing"],
        ),
        (
            told.Serving(url="http://127.0.0.1:8080/invocations", took_s=1.25),
            [
                "serving on http://127.0.0.1:8080/invocations after 1.2 s; try:",
                "  curl http://127.0.0.1:8080/invocations -H 'Content-Type: application/json' -d "
                "'[[1, 2, 3]]'",
            ],
        ),
    ],
)
def test_events_in_words(event: Event, words: list[str]) -> None:
    assert list(words_of(event)) == words


def test_events_as_json() -> None:
    event: Any = told.Log(stream="stderr", text="x")
    assert event.as_json() == {"event": "log", "stream": "stderr", "text": "x"}
