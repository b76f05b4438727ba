"""`sagedock build` before it builds: what is wrong is told, and nothing is made."""

import os
import pty
import subprocess
import sys

import pytest

from sagedock.cli import main
from sagedock.cli.build_progress import BuildProgress, build_progress

TABLE = """
[[image]]
name = "mine"
kind = "training"
device = "cpu"
dockerfile = "Dockerfile"
target = "final"
repository = "mine"
tag = "v1"
base = "debian:12"
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with one image, where no engine answers."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no-engine.sock")
    (tmp_path / "containers").mkdir()
    (tmp_path / "containers" / "Dockerfile").write_text("FROM debian:12 AS final\n")
    (tmp_path / "containers" / "images.toml").write_text(TABLE)
    return tmp_path


def made(project):
    return sorted(path.name for path in project.iterdir() if path.name != "containers")


def test_without_an_engine_it_says_how_to_get_one(project, capsys):
    assert main(["build"]) == 3
    assert "no Docker engine answers" in capsys.readouterr().err
    assert made(project) == []


def test_a_name_that_is_none_is_told_without_an_engine(project, capsys):
    assert main(["build", "mime", "mine"]) == 2
    assert "mime: no image of containers/images.toml is called so: the nearest are mine" in (
        capsys.readouterr().err
    )
    assert made(project) == []


def test_outside_of_a_project_it_says_where_to_go(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["build"]) == 2
    assert "holds no containers/images.toml" in capsys.readouterr().err


def test_ten_mistakes_of_a_matrix_are_told_at_once(project, capsys):
    (project / "containers" / "images.toml").write_text(
        TABLE.replace('"cpu"', '"tpu"')
        .replace('"training"', '"train"')
        .replace('"Dockerfile"', '"../Dockerfile"')
        .replace('"v1"', '"v 1"')
        .replace('repository = "mine"', 'repository = "Mine"')
        .replace('base = "debian:12"', "base = 12")
        + 'budget_mb = "big"\ncolour = "red"\ninstance_types = ["ml.g5.7xlarge"]\n'
        + 'locks = ["absent.lock"]\ninstead = { "other.lock" = "/x.lock" }\n'
    )
    assert main(["build"]) == 2
    said = capsys.readouterr().err
    for words in (
        "device 'tpu' is unknown",
        "kind 'train' is unknown",
        "'../Dockerfile' leads out of",
        "tag 'v 1' does not match",
        "repository 'Mine' does not match",
        "base must be a string",
        "budget_mb must be a whole number",
        "colour is no field",
        "'ml.g5.7xlarge' is no instance type",
        "absent.lock is not there",
        "instead replaces 'other.lock'",
        "'/x.lock' leads out of",
    ):
        assert words in said
    assert made(project) == []


def test_a_registry_that_is_none_of_ecrs(project, capsys):
    assert main(["build", "--login-registry", "example.com"]) == 2
    assert "--login-registry: 'example.com' is no registry of ECR's" in capsys.readouterr().err
    assert made(project) == []


def test_progress_tells_the_seconds_of_each_image():
    now = iter([0.0, 10.0, 11.5, 100.0, 100.25])
    said, shown = [], []
    progress = BuildProgress(said.append, shown.append, clock=lambda: next(now))
    progress.begin("a")
    progress.say("a: one")
    progress.begin("b")
    progress.say("b: one")
    assert said == ["   1.5 s  a: one", "   0.2 s  b: one"]
    assert shown == ["a", "a: one", "b", "b: one"]


LONG = "a: [builder 2/4] RUN " + " && ".join(f"step {number}" for number in range(60))


def test_without_a_terminal_no_line_is_cut(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    with build_progress() as progress:
        progress.say(LONG)
    assert capsys.readouterr().err.endswith(f" s  {LONG}\n")


@pytest.mark.parametrize("columns", [60, 200])
def test_on_a_terminal_lines_are_whole_and_the_live_one_fits(columns):
    program = (
        "import sys; from sagedock.cli.build_progress import build_progress\n"
        "with build_progress() as progress: progress.say(sys.argv[1])"
    )
    said = on_a_terminal([sys.executable, "-c", program, LONG], columns)
    assert f" s  {LONG}\r\n" in said
    assert f"{LONG[: columns - 13]}… \x1b" in said
    assert "0:00:00" in said.rpartition("…")[2]


def on_a_terminal(argv, columns):
    """Return what a program writes to a terminal of that width on standard error."""
    ours, its = pty.openpty()
    environ = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm"}
    with subprocess.Popen(argv, stdin=its, stderr=its, env=environ) as process:
        os.close(its)
        said = b""
        try:
            while piece := os.read(ours, 65536):
                said += piece
        except OSError:  # EIO: nobody has the other end any more
            pass
        assert process.wait(60) == 0
    os.close(ours)
    return said.decode()
