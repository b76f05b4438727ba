"""`sagedock build` of several images: what is told when one fails, or all is interrupted."""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sagedock.cli import main
from sagedock.engine import ImageLayer
from sagedock.testing import FakeEngine

TABLE = """
[[image]]
name = "{name}"
kind = "training"
device = "cpu"
dockerfile = "Dockerfile"
target = "final"
repository = "{name}"
tag = "v1"
base = "debian:12"
budget_mb = {budget_mb}
"""
#: A stand-in for the docker client: says its version, and builds as the file of the image's tag
#: has it, a shell program; ID is the file for the image's id.
DOCKER = """#!/bin/bash
[[ $1 != --version ]] || { echo "Docker version 20.10.24, build x"; exit; }
[[ $1 == build ]] || exit 1
while (($#)); do
    case $1 in --iidfile) ID=$2 ;; --tag) TAG=$2 ;; esac
    shift
done
. "$STAND_IN/${TAG%:*}"
"""
FAILS = """
echo '#6 [one 2/3] RUN make all'
echo '#6 ERROR: executor failed running [/bin/sh -c make all]: exit code: 2'
exit 1
"""
#: Says that it has begun, and goes on until it is ended.
HANGS = "touch $STAND_IN/begun; exec sleep 60"
Build = Callable[..., int]


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Build:
    """Run `sagedock build` for images of these names; a value is a program in place of a build."""
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(DOCKER)
    program.chmod(0o755)
    folder = tmp_path / "project" / "containers"
    folder.mkdir(parents=True)
    (folder / "Dockerfile").write_text("ARG BASE\nFROM ${BASE} AS final\n")
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setenv("STAND_IN", str(tmp_path))
    monkeypatch.chdir(tmp_path / "project")

    def run(*words: str, budget_mb: int = 100, **programs: str) -> int:
        engine = FakeEngine(None, [f"{name}:v1" for name in programs])
        engine.layers_of_images = [ImageLayer(made_by="FROM", size=30_000_000, diff_id="d")]
        monkeypatch.setattr("sagedock.engine.connect", lambda: engine)
        tables = (TABLE.format(name=name, budget_mb=budget_mb) for name in programs)
        (folder / "images.toml").write_text("".join(tables))
        for name, text in programs.items():
            own = engine.image(f"{name}:v1").id
            (tmp_path / name).write_text(text or f"echo {own} >$ID")
        return main(["build", *words])

    return run


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_what_is_built_failed_and_was_not_tried_is_one_document(
    build: Build, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build("--json", one="", two=FAILS, three="") == 6
    document = told(capsys)
    assert list(document) == ["built", "failed", "not_tried"]
    assert [(each["name"], each["size"]) for each in document["built"]] == [("one", 30_000_000)]
    (failed,) = document["failed"]
    assert (failed["name"], failed["step"], failed["code"]) == ("two", "[one 2/3] RUN make all", 6)
    assert failed["error"].startswith("two was not built: docker ended with 1")
    assert document["not_tried"] == ["three"]


def test_the_same_in_words(build: Build, capsys: pytest.CaptureFixture[str]) -> None:
    assert build(one="", two=FAILS, three="") == 6
    said = capsys.readouterr()
    assert said.out.startswith("one one:v1 sha256:")
    assert "built: one; failed: two; not tried: three\n" in said.err
    assert "sagedock: two was not built: docker ended with 1" in said.err


def test_one_image_that_fails_needs_no_summary(
    build: Build, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build(one=FAILS) == 6
    said = capsys.readouterr()
    assert said.out == ""
    assert "not tried" not in said.err


def test_where_all_is_well_the_document_has_the_same_form(
    build: Build, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build("--json", one="", two="") == 0
    document = told(capsys)
    assert [each["name"] for each in document["built"]] == ["one", "two"]
    assert (document["failed"], document["not_tried"]) == ([], [])


def test_an_image_over_its_budget_is_built_and_has_failed(
    build: Build, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build("--json", one="", budget_mb=29) == 6
    document = told(capsys)
    assert [each["over_budget"] for each in document["built"]] == [True]
    assert [(each["name"], each["code"]) for each in document["failed"]] == [("one", 6)]
    assert "its budget_mb in images.toml is 29" in document["failed"][0]["error"]


def test_layers_of_a_base_that_the_engine_has_are_told(
    build: Build, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    base = ImageLayer(made_by="FROM", size=20_000_000, diff_id="d")
    own = ImageLayer(made_by="RUN", size=10_000_000, diff_id="e")
    monkeypatch.setattr(
        FakeEngine, "layers", lambda _, image: [base] if image == "debian:12" else [base, own]
    )
    assert build("--json", one="", budget_mb=29) == 6
    document = told(capsys)
    assert [each["of_base"] for each in document["built"][0]["layers"]] == [True, False]
    assert "20 MB of that are its base's, debian:12" in document["failed"][0]["error"]


def test_a_budget_and_a_failure_are_both_told(
    build: Build, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build(one="", two=FAILS, budget_mb=29) == 6
    said = capsys.readouterr().err
    assert "one takes 30 MB, and its budget_mb in images.toml is 29" in said
    assert "two was not built" in said


def test_a_client_that_cannot_say_what_it_made(
    build: Build, capsys: pytest.CaptureFixture[str]
) -> None:
    """No step of the Dockerfile failed."""
    assert build("--json", one="true", two="") == 6
    document = told(capsys)
    assert [(each["name"], each["step"]) for each in document["failed"]] == [("one", None)]
    assert document["not_tried"] == ["two"]


@pytest.mark.parametrize(
    ("options", "again"),
    [([], "the same command goes on"), (["--no-cache"], "the same command without --no-cache")],
)
def test_ctrl_c_says_what_was_stopped_what_is_kept_and_how_to_go_on(
    build: Build,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    again: str,
) -> None:
    with interrupted_once(tmp_path / "begun"):
        assert build("--json", *options, one="", two=HANGS, three="") == 130
    said = capsys.readouterr()
    words = said.err.splitlines()[-1]
    assert words.startswith("sagedock: interrupted: the build of two was stopped; its finished ")
    assert f"one is built, and {again}" in words
    assert "Traceback" not in said.err
    document = json.loads(said.out)
    assert [each["name"] for each in document["built"]] == ["one"]
    assert document["failed"] == [{"name": "two", "step": None, "error": words, "code": 130}]
    assert document["not_tried"] == ["three"]


def test_an_image_that_is_measured_when_ctrl_c_comes_is_built(
    build: Build, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sagedock.images.packed_layers.measure_packed", interrupted)
    assert build("--measure", one="") == 130
    assert capsys.readouterr().err.splitlines()[-1] == (
        "sagedock: interrupted: the measuring of one was stopped; one is built, and the same "
        "command goes on from there"
    )


def test_layers_that_were_measured_before_are_told_to_what_measures(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def measure(_save: object, _say: object, known: set[str]) -> dict[str, int]:
        asked.append(known)
        return {"d": 10}

    layers = [ImageLayer(made_by="RUN", size=30, diff_id=each) for each in "de"]
    monkeypatch.setattr(FakeEngine, "layers", lambda *_: layers)
    monkeypatch.setattr("sagedock.images.packed_layers.measure_packed", measure)
    Path("build").mkdir()
    Path("build/layers.json").write_text('{"e": 9, "of another image": 1}')
    assert build("--measure", one="") == 0
    kept = json.loads(Path("build/layers.json").read_text())
    assert kept == {"d": 10, "e": 9, "of another image": 1}
    assert build("--measure", one="") == 0  # nothing is new
    assert asked == [{"e"}]


def test_ctrl_c_before_anything_is_begun(
    build: Build, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sagedock.images.load_images", interrupted)
    assert build(one="") == 130
    assert capsys.readouterr().err == "sagedock: interrupted: nothing was begun\n"


@pytest.mark.parametrize(
    ("place", "options", "said"),
    [
        ("build", [], "build/logs/one.log: cannot be written (Not a directory)"),
        ("build/logs", [], "build/logs/one.log: cannot be written (Not a directory)"),
        ("build/layers.json/x", ["--measure"], "layers.json: cannot be written (Is a directory)"),
    ],
)
def test_a_build_folder_that_takes_no_file_is_told_before_anything_is_done(
    build: Build, capsys: pytest.CaptureFixture[str], place: str, options: list[str], said: str
) -> None:
    Path(place).parent.mkdir(parents=True, exist_ok=True)
    Path(place).write_text("")
    assert build(*options, "--json", one="touch $STAND_IN/begun") == 7
    told = capsys.readouterr()
    assert said in told.err
    assert told.out == ""
    assert not Path("../begun").exists()


@contextmanager
def interrupted_once(begun: Path) -> Iterator[None]:
    """Send this process Ctrl-C once a file is there."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            if begun.exists():
                os.kill(os.getpid(), signal.SIGINT)
                return

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
