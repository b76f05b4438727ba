"""``sagedock build --remote`` for who may not: credentials, regions, permissions, policies."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
)

from sagedock.cli import main
from tests.conftest import REGION, Local
from tests.unit.images.remote_command import (
    answering,
    denied,
    folder,
    here,
    projects,
    run,
)

__all__ = ["answering", "folder", "here"]

Capture = pytest.CaptureFixture[str]
Answer = Callable[[BaseClient, str, dict[str, Any]], Any]


@pytest.fixture
def nobody(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials, and no way to AWS."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "SAGEDOCK_TARGET"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(folder / "absent"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def test_without_credentials_the_plan_is_shown_all_the_same(nobody: None, capsys: Capture) -> None:
    words = ["build", "mine", "--remote", "--region", "us-west-2"]
    assert main([*words, "--dry-run", "--json"]) == 0
    told = capsys.readouterr()
    assert "no credentials: 111122223333 stands in for the account" in told.err
    assert json.loads(told.out)[0]["What"] == "bucket sagedock-build-111122223333-us-west-2"
    assert main([*words, "--yes"]) == 14
    assert "in us-west-2: no credentials (" in capsys.readouterr().err


@pytest.fixture
def somebody(
    nobody: None, answering: Callable[[str, Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Credentials of an account, which AWS tells; it is asked nothing else."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    answering("GetCallerIdentity", {"Account": "444455556666"})


def test_a_region_of_another_partition_has_its_arns(somebody: None, capsys: Capture) -> None:
    words = ["build", "mine", "--remote", "--region", "cn-north-1", "--print-policy", "build"]
    assert main(words) == 0
    policy = json.loads(capsys.readouterr().out)
    assert policy["Statement"][0]["Resource"].startswith("arn:aws-cn:s3:::")


@pytest.mark.parametrize("region", ["nowhere", "us west"])
def test_a_region_that_is_none_is_refused(nobody: None, capsys: Capture, region: str) -> None:
    assert main(["build", "mine", "--remote", "--region", region, "--dry-run"]) == 2
    assert "--region: " in capsys.readouterr().err


def test_a_region_that_cannot_be_reached_says_so(
    here: Local, answering: Callable[[str, Any], None], capsys: Capture
) -> None:
    answering("GetCallerIdentity", EndpointConnectionError(endpoint_url="https://sts.xx.example"))
    assert run("--yes") == 6
    assert "cannot be reached" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("operation", "service", "actions", "policy"),
    [
        ("ListRoleTags", "iam", "iam:ListRoleTags", "build"),
        ("CreateRole", "iam", "iam:CreateRole, iam:TagRole", "setup"),
        ("CreateProject", "codebuild", "codebuild:CreateProject, iam:PassRole", "setup"),
        ("StartBuild", "codebuild", "codebuild:StartBuild", "build"),
        ("PutBucketEncryption", "s3", "s3:PutEncryptionConfiguration", "setup"),
        ("GetBucketPolicy", "s3", "s3:GetBucketPolicy", "build"),
    ],
)
def test_who_may_not_is_told_which_action_and_which_policy(
    here: Local,
    answering: Callable[[str, Any], None],
    capsys: Capture,
    operation: str,
    service: str,
    actions: str,
    policy: str,
) -> None:
    if operation == "GetBucketPolicy":
        run("--yes", "--detach")
    answering(operation, denied(operation))
    assert run("--yes") == 6
    said = capsys.readouterr().err
    assert f"{service} in {REGION}: {operation}: User: me is not authorized" in said
    assert f"it takes {actions}: " in said
    assert f"which --print-policy {policy} prints" in said
    assert ("an administrator" in said) is (policy == "setup")


@pytest.mark.parametrize("which", ["build", "setup"])
def test_the_policies_are_printed(somebody: None, capsys: Capture, which: str) -> None:
    words = ["build", "mine", "--remote", "--region", "us-west-2", "--print-policy", which]
    assert main(words) == 0
    policy = json.loads(capsys.readouterr().out)
    assert "::444455556666:" in json.dumps(policy)
    may_write = "iam:PutRolePolicy" in json.dumps(policy)
    assert may_write is (which == "setup")


@pytest.mark.parametrize("which", ["build", "setup"])
def test_a_policy_is_for_no_account_but_one_s_own(
    nobody: None, capsys: Capture, which: str
) -> None:
    words = ["build", "mine", "--remote", "--region", "us-west-2", "--print-policy", which]
    assert main(words) == 14
    told = capsys.readouterr()
    assert told.out == ""
    assert "in us-west-2: no credentials (" in told.err
    assert "--dry-run" not in told.err


def test_a_bucket_of_another_account_s(
    here: Local, answering: Callable[[str, Any], None], capsys: Capture
) -> None:
    error = ClientError({"Error": {"Code": "403", "Message": "Forbidden"}}, "HeadBucket")
    answering("HeadBucket", error)
    assert run("--yes", "--bucket", "theirs") == 6
    assert "the bucket theirs is another account's" in capsys.readouterr().err


def test_credentials_that_expired(
    here: Local, answering: Callable[[str, Any], None], capsys: Capture
) -> None:
    error = {"Code": "ExpiredToken", "Message": "The security token included is expired"}
    answering("GetCallerIdentity", ClientError({"Error": error}, "GetCallerIdentity"))
    assert run("--dry-run") == 6
    assert "sign in again" in capsys.readouterr().err


def test_a_call_that_takes_no_action_names_none(
    here: Local, answering: Callable[[str, Any], None], capsys: Capture
) -> None:
    answering("GetCallerIdentity", denied("GetCallerIdentity"))
    assert run("--yes") == 6
    assert "(AccessDeniedException): ask for the policy of who" in capsys.readouterr().err


def test_a_name_that_is_none_and_a_folder_that_is_not_git_s(
    here: Local, folder: Path, capsys: Capture
) -> None:
    assert main(["build", "mein", "--remote", "--target", "local", "--yes"]) == 2
    assert "the nearest are mine" in capsys.readouterr().err
    (folder / ".git").rename(folder / "no-git")
    assert run("--yes") == 2
    assert "is no work tree of git's" in capsys.readouterr().err
    assert projects(here, folder) == []


@pytest.mark.parametrize("option", ["--yes", "--dry-run", "--print-policy=build"])
def test_a_profile_that_is_not_there_is_words_too(
    nobody: None, monkeypatch: pytest.MonkeyPatch, capsys: Capture, option: str
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nope")
    assert main(["build", "mine", "--remote", "--region", "us-west-2", option]) == 14
    told = capsys.readouterr()
    assert "(nope) could not be found: set AWS_PROFILE to one that" in told.err
    assert told.out == ""
