"""``sagedock push`` before it pushes: what keeps one from AWS is told."""

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
