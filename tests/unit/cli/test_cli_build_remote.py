"""``sagedock build --remote``: the plan, the agreement, the build, and every refusal."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import (
    ClientError,
    NoCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
)

from sagedock.cli import main
from sagedock.errors import EngineUnavailable
from sagedock.images.git import git_output
from sagedock.testing import FakeEngine
from tests.conftest import Local
from tests.unit.images.remote_builds import MATRIX, git
from tests.unit.images.remote_command import (
    REAL,
    Terminal,
    answering,
    folder,
    here,
    name_of,
    projects,
    recorded,
    run,
)

__all__ = ["answering", "folder", "here"]

Capture = pytest.CaptureFixture[str]
Answer = Callable[[BaseClient, str, dict[str, Any]], Any]


def test_the_last_line_is_the_image_by_digest(
    here: Local, folder: Path, answering: Callable[[str, Any], None], capsys: Capture
) -> None:
    answering("BatchGetBuilds", recorded(here))
    assert run("--yes") == 0
    told = capsys.readouterr()
    assert told.out == "host/team/mine@sha256:1\n"
    assert f"make project {name_of(folder)}\n" in told.err
    assert run("--yes", "--json") == 0
    told = capsys.readouterr()
    assert [each["tag"] for each in json.loads(told.out)] == ["1"]
    assert "make " not in told.err
    assert "is there already" in told.err


def test_a_build_that_is_left_is_taken_up_again(
    here: Local, folder: Path, answering: Callable[[str, Any], None], capsys: Capture
) -> None:
    answering("BatchGetBuilds", recorded(here))
    assert run("--yes", "--detach") == 0
    build_id = capsys.readouterr().out.strip()
    assert build_id.startswith(f"{name_of(folder)}:")
    assert main(["build", "--remote", "--target", "local", "--attach", build_id]) == 0
    assert capsys.readouterr().out == "host/team/mine@sha256:1\n"


def test_a_build_without_a_record_is_exit_code_6(here: Local, capsys: Capture) -> None:
    assert run("--yes") == 6
    assert "has no record of a push" in capsys.readouterr().err


def test_nothing_is_done_that_nobody_agreed_to(here: Local, folder: Path, capsys: Capture) -> None:
    assert run() == 2
    assert "--yes: is needed where nobody can be asked" in capsys.readouterr().err
    assert projects(here, folder) == []
    assert [each["Name"] for each in here.client("s3").list_buckets()["Buckets"]] == [
        "probe-bucket"
    ]


@pytest.mark.parametrize(("answer", "code", "made"), [("n", 1, 0), ("", 1, 0), ("y", 0, 1)])
def test_who_is_asked_decides(
    here: Local,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
    answer: str,
    code: int,
    made: int,
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(f"{answer}\n"))
    assert run("--detach") == code
    said = capsys.readouterr().err
    assert said.index(f"make project {name_of(folder)}") < said.index("Do all this?")
    assert len(projects(here, folder)) == made


def test_a_dry_run_shows_every_call_and_makes_none(
    here: Local, folder: Path, capsys: Capture
) -> None:
    assert run("--dry-run", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [each["Verb"] for each in told] == [*["make"] * 4, "send", "start"]
    operations = [call["Operation"] for each in told for call in each["Calls"]]
    assert operations[0] == "CreateBucket"
    assert operations[-3:] == ["CreateProject", "PutObject", "StartBuild"]
    assert run("--dry-run") == 0
    assert "codebuild StartBuild {" in capsys.readouterr().out
    assert projects(here, folder) == []


@pytest.mark.parametrize("option", ["--dry-run", "--detach"])
def test_the_plan_warns_of_a_base_that_the_build_does_not_see(
    here: Local, monkeypatch: pytest.MonkeyPatch, capsys: Capture, option: str
) -> None:
    monkeypatch.setattr("sagedock.engine.connect", lambda: FakeEngine(None, ["b"]))
    assert run(option, "--yes") == 0
    assert "warning: mine: its base b is known in this machine's engine" in capsys.readouterr().err


def test_a_machine_without_an_engine_plans_too(
    here: Local, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def connect() -> None:
        raise EngineUnavailable("no engine")

    monkeypatch.setattr("sagedock.engine.connect", connect)
    assert run("--dry-run") == 0
    assert "engine" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--yes"], "--yes: is for a build on AWS: add --remote"),
        (["--region", "us-west-2", "--attach", "a:b"], "--attach: is for a build on AWS"),
        (["--remote", "--no-cache"], "--no-cache: is for a build here"),
        (["--remote", "--attach", "a:b", "--detach"], "--detach: goes not with --attach"),
        (["mine", "--remote", "--attach", "a:b"], "NAME: goes not with --attach"),
        (
            ["--remote", "--attach", "a:b", "--login-registry", "x"],
            "--login-registry: goes not with --attach",
        ),
        (["--remote", "--attach", "ab"], "--attach: is an id like PROJECT:UUID"),
        (["--remote", "--detach", "--json"], "--json: tells what was pushed"),
    ],
)
def test_options_that_do_not_go_together(words: list[str], problem: str, capsys: Capture) -> None:
    assert main(["build", *words]) == 2
    assert problem in capsys.readouterr().err


def test_ctrl_c_stops_the_build(
    here: Local, answering: Callable[[str, Any], None], capsys: Capture
) -> None:
    asked: list[str] = []

    def builds(parameters: dict[str, Any]) -> dict[str, Any]:
        asked.append("builds")
        if asked == ["builds"]:
            signal.raise_signal(signal.SIGTERM)
        status = "STOPPED" if "stop" in asked else "IN_PROGRESS"
        return {"builds": [{"id": parameters["ids"][0], "buildStatus": status}]}

    def stop(_: dict[str, Any]) -> dict[str, Any]:
        asked.append("stop")
        return {}

    answering("BatchGetBuilds", builds)
    answering("StopBuild", stop)
    assert run("--yes") == 130
    assert asked == ["builds", "stop", "builds"]
    assert "was stopped" in capsys.readouterr().err


def test_an_interrupted_plan_goes_on_where_it_stopped(
    here: Local, answering: Callable[[str, Any], None], capsys: Capture
) -> None:
    answering("CreateRole", KeyboardInterrupt())
    assert run("--yes") == 130
    assert "the same command goes on from there" in capsys.readouterr().err
    answering("CreateRole", lambda parameters: _again(here, parameters))
    assert run("--yes", "--detach") == 0
    said = capsys.readouterr().err
    assert "make bucket" not in said
    assert "make role" in said


def _again(here: Local, parameters: dict[str, Any]) -> Any:
    return REAL(here.client("iam"), "CreateRole", parameters)


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (NoCredentialsError(), 14, "run `aws configure`"),
        (ProfileNotFound(profile="nope"), 14, "The config profile (nope) could not be found"),
        (ReadTimeoutError(endpoint_url="https://sts.example"), 6, "cannot be reached"),
        (
            ClientError({"Error": {"Code": "AccountLimitExceededException"}}, "StartBuild"),
            6,
            "ask Service Quotas for more concurrent builds",
        ),
    ],
)
def test_what_ends_a_call_is_words_and_no_traceback(
    here: Local,
    answering: Callable[[str, Any], None],
    capsys: Capture,
    error: Exception,
    code: int,
    words: str,
) -> None:
    operation = getattr(error, "operation_name", "GetCallerIdentity")
    answering(operation, error)
    assert run("--yes") == code
    assert words in capsys.readouterr().err


def test_a_build_that_aws_no_longer_tells_of_can_be_taken_up(
    here: Local, folder: Path, answering: Callable[[str, Any], None], capsys: Capture
) -> None:
    error = {"Code": "ExpiredTokenException", "Message": "expired"}
    answering("BatchGetBuilds", ClientError({"Error": error}, "BatchGetBuilds"))
    assert run("--yes") == 6
    said = capsys.readouterr().err
    assert f"the build goes on: follow it with --remote --attach {name_of(folder)}:" in said
    assert "sign in again" in said


def test_a_build_of_one_image_leaves_the_role_what_another_one_takes(
    here: Local, folder: Path, capsys: Capture
) -> None:
    second = MATRIX.replace('"mine"', '"other"').replace("team/mine", "team/other")
    (folder / "containers" / "images.toml").write_text(MATRIX + second)
    assert run("--yes", "--detach") == 0
    capsys.readouterr()
    assert main(["build", "other", "--remote", "--target", "local", "--yes", "--detach"]) == 0
    said = capsys.readouterr().err
    assert "start a build of other" in said
    assert "change " not in said


def test_the_build_is_told_the_revision_of_its_sources(
    here: Local, folder: Path, capsys: Capture
) -> None:
    git(folder, "commit", "-qm", "first")
    commit = git_output(folder, "rev-parse", "HEAD")
    assert run("--dry-run") == 0
    assert f"SAGEDOCK_REVISION={commit}\n" in capsys.readouterr().out
    (folder / "Makefile").write_text("build: other\n")
    assert run("--dry-run") == 0
    assert f"SAGEDOCK_REVISION={commit}-dirty\n" in capsys.readouterr().out
