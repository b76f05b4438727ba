"""``sagedock push`` before it pushes: what keeps one from AWS is told."""

from pathlib import Path

import pytest

from sagedock.cli import main
from sagedock.testing import FakeEngine


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
    assert "build/pushed/record.json: cannot be written (Not a directory)" in said
    assert "name another folder with --record" in said
