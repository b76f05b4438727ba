"""No credentials, no profile, no region: a sentence in the command line's words, no traceback."""

from pathlib import Path

import pytest

from sagedock import SagedockError, Session
from sagedock.cli import main
from sagedock.errors import NoCredentials
from sagedock.testing import FakeEngine
from tests.unit.images.remote_builds import project

_AWS = ("--target", "aws", "--region", "us-west-2")
_COMMANDS = (
    ("jobs", *_AWS),
    ("jobs", "show", "x", *_AWS),
    ("models", *_AWS),
    ("models", "group", *_AWS),
    ("load", "endpoint", "--text", "{}", *_AWS),
    ("push", "team/app:1", *_AWS),
    ("build", "--remote", "--attach", "p:1", *_AWS),
    ("build", "--login-registry", "111122223333.dkr.ecr.us-west-2.amazonaws.com"),
)
_NO_CREDENTIALS = 14


@pytest.fixture(autouse=True)
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials, no way to AWS, and a project."""
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "PROFILE", "REGION", "DEFAULT_REGION"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "absent"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("SAGEDOCK_HOME", str(tmp_path / "home"))
    for name in ("SAGEDOCK_TARGET", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sagedock.engine.connect", lambda: FakeEngine(None, ["team/app:1"]))
    monkeypatch.chdir(project(tmp_path / "project"))


@pytest.mark.parametrize("words", _COMMANDS, ids=" ".join)
def test_no_credentials_are_told_with_what_helps_there(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == _NO_CREDENTIALS
    said = capsys.readouterr().err
    assert "no credentials (" in said
    assert "`aws configure` or `aws sso login`" in said
    assert said.count("\n") == 1
    assert "Session(" not in said
    assert ("--target local" in said) is (words[0] in ("jobs", "models", "load", "push"))
    assert "--dry-run" not in said


@pytest.mark.parametrize("words", _COMMANDS, ids=" ".join)
def test_a_profile_that_is_not_there_is_told_by_its_name(
    words: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert main(words) == _NO_CREDENTIALS
    said = capsys.readouterr().err
    assert "The config profile (nobody) could not be found" in said
    assert "set AWS_PROFILE to one that `aws configure list-profiles` lists" in said
    assert said.count("\n") == 1


def test_a_plan_needs_no_credentials_and_a_build_is_told_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["build", "mine", "--remote", "--yes", *_AWS]) == _NO_CREDENTIALS
    assert "or see the plan with --dry-run, which needs none" in capsys.readouterr().err


def test_a_program_is_told_of_a_profile_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(NoCredentials, match=r"\(nobody\) could not be found: set AWS_PROFILE"):
        Session(target="aws").client("s3")


@pytest.mark.parametrize("words", [("jobs",), ("models",), ("push", "team/app:1")])
def test_a_region_that_is_missing_is_asked_for_by_the_option(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--target", "aws"]) == 2
    said = capsys.readouterr().err
    assert said == "sagedock: --region: none is set: give --region, or set AWS_REGION\n"


def test_a_program_is_told_its_own_words() -> None:
    with pytest.raises(SagedockError, match=r'or use Session\(target="local"\), which needs none'):
        Session(target="aws", region="us-west-2").default_bucket()
    with pytest.raises(SagedockError, match=r"region: none is set: give Session\(region=\.\.\.\)"):
        _ = Session(target="aws").region


def test_a_target_of_the_environment_s_is_refused_by_the_variable_s_name(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAGEDOCK_TARGET", "cloud")
    assert main(["models"]) == 2
    assert capsys.readouterr().err.startswith("sagedock: SAGEDOCK_TARGET: 'cloud' is neither")


def test_what_cannot_be_reached_is_a_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        monkeypatch.setenv(f"AWS_{name}", "x")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert main(["models", *_AWS]) == 1
    said = capsys.readouterr().err
    assert said.startswith(
        "sagedock: the service cannot be reached (Could not connect to the endpoint URL"
    )
    assert said.endswith("check the region and the network\n")
