"""Models registered, approved and deployed with other people's clients."""

import json
from typing import Any

import pytest

from tests.clients.conftest import ACCOUNT, REGION, ROLE, Runner
from tests.clients.shell import Shell
from tests.docker.hosting_real import SERVING, images

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("images")]
__all__ = ["images"]

ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package"


def test_the_sdk_v2_registers_approves_and_deploys(runner: Runner) -> None:
    facts = runner.client("sdk_v2", "sdk_v2/registry.py", SERVING, ROLE)
    assert facts["arn"] == f"{ARN}/sdkv2/1"
    assert (facts["approval"], facts["description"]) == ("Approved", "good")
    assert facts["team"] == "a"
    assert facts["metrics"] == "application/json"
    assert facts["which"] == "registered"


def test_the_sdk_v3_registers_approves_and_deploys(runner: Runner) -> None:
    facts = runner.client("sdk_v3", "sdk_v3/registry.py", SERVING, ROLE)
    assert facts["group"] == "SdkV3"
    assert (facts["approval"], facts["version"]) == ("Approved", 1)
    assert facts["which"] == "registered"
    assert facts["specified"] is True


def test_the_cli_registers_approves_and_searches(shell: Shell) -> None:
    group = ("--model-package-group-name", "by-cli")

    def asked(*words: str) -> Any:
        return shell.asked("sagemaker", *words)

    made = asked("create-model-package-group", *group)
    assert made["ModelPackageGroupArn"].endswith(":model-package-group/by-cli")
    types = {"SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"]}
    specification = {"Containers": [{"Image": SERVING}], **types}
    made = asked(
        "create-model-package", *group, "--inference-specification", json.dumps(specification)
    )
    arn = made["ModelPackageArn"]
    assert arn == f"{ARN}/by-cli/1"
    asked(
        *("update-model-package", "--model-package-arn", arn),
        *("--model-approval-status", "Approved"),
    )
    listed = asked("list-model-packages", *group, "--model-approval-status", "Approved")
    assert [each["ModelPackageArn"] for each in listed["ModelPackageSummaryList"]] == [arn]
    expression = {
        "Filters": [{"Name": "ModelApprovalStatus", "Operator": "Equals", "Value": "Approved"}]
    }
    found = asked(
        *("search", "--resource", "ModelPackage", "--search-expression", json.dumps(expression))
    )
    assert [each["ModelPackage"]["ModelPackageArn"] for each in found["Results"]] == [arn]
    shell.aws("sagemaker", "delete-model-package", "--model-package-name", arn)
    shell.aws("sagemaker", "delete-model-package-group", *group)


def test_the_sdk_v2_tracks_runs(runner: Runner) -> None:
    facts = runner.client("sdk_v2", "sdk_v2/experiments.py")
    assert facts["runs"] == ["first"]
    assert facts["parameters"] == {
        "lr": {"NumberValue": 0.1},
        "kind": {"StringValue": "a"},
        "epochs": {"NumberValue": 3.0},
    }
    assert facts["status"] == "Completed"
    assert facts["loss"] == [0.25]
    assert facts["experiments"] == ["exp-v2"]
