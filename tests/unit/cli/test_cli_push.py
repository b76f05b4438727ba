"""``sagedock push`` before it pushes: what keeps one from AWS is told."""

from pathlib import Path

import pytest

from sagedock.cli import main
from sagedock.testing import FakeEngine

MATRIX = """
[[image]]
name = "mine"
kind = "training"
device = "cpu"
dockerfile = "Dockerfile"
target = "final"
repository = "team/mine"
tag = "v1"
base = "debian:12"
"""


@pytest.fixture
def nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """No local SageMaker, and nobody may start one."""

    def start(*_: object) -> None:
        raise AssertionError("a local SageMaker is started")

    monkeypatch.setattr("sagedock.client.session.place_of", start)


def test_a_profile_that_is_not_there_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sagedock.engine.connect", lambda: FakeEngine(None, ["team/app:1"]))
    monkeypatch.setenv("AWS_PROFILE", "nope")
    words = ["push", "team/app:1", "--target", "aws", "--region", "us-west-2"]
    assert main(words) == 14
    said = capsys.readouterr().err
    assert "The config profile (nope) could not be found: set AWS_PROFILE to one" in said


def test_a_record_that_cannot_be_written_is_told_before_anything_is_pushed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def connect() -> None:
        raise AssertionError("the engine is asked")

    monkeypatch.setattr("sagedock.engine.connect", connect)
    monkeypatch.chdir(tmp_path)
    Path("build").write_text("a file in its place")
    assert main(["push", "team/app:1", "--target", "local"]) == 7
    said = capsys.readouterr().err
    assert "sagedock: build/pushed: cannot be written (Not a directory)" in said
    assert "name another folder with --record" in said


@pytest.mark.usefixtures("nothing_starts")
def test_all_images_that_are_absent_are_told_before_anything_is_started(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("sagedock.engine.connect", lambda: FakeEngine(None, ["team/app:1"]))
    monkeypatch.chdir(tmp_path)
    Path("containers").mkdir()
    Path("containers/Dockerfile").write_text("ARG BASE\nFROM ${BASE} AS final\n")
    Path("containers/images.toml").write_text(MATRIX)
    words = ["push", "mine", "team/app:1", "team/mien:v1", "zzz", "--target", "local"]
    assert main(words) == 3
    said = capsys.readouterr().err
    assert "mine: the engine has no such image: build it with `sagedock build mine`\n" in said
    assert "team/mien:v1: the engine has no such image: " in said
    assert "did you mean team/mine:v1?\n" in said
    assert "zzz: the engine has no such image: build or pull it" in said
    assert "team/app:1" not in said


@pytest.mark.usefixtures("nothing_starts")
@pytest.mark.parametrize(
    "role", ["nonsense", "arn:aws:iam::1:role/x", "arn:aws:iam::111122223333:user/me"]
)
def test_a_role_that_is_none_is_told_before_anything_is_started(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], role: str
) -> None:
    monkeypatch.setattr("sagedock.engine.connect", lambda: FakeEngine(None, ["team/app:1"]))
    assert main(["push", "team/app:1", "--target", "local", "--role-arn", role]) == 2
    assert f"--role-arn: {role!r} is no role's ARN" in capsys.readouterr().err
