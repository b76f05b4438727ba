"""The AWS CLI's pipelines: made from a file, started, awaited, listed, retried, deleted."""

import json
from typing import Any

from tests.clients.conftest import ACCOUNT, REGION, ROLE
from tests.clients.shell import Shell

NAME = "cli-pipeline"
TOKEN = "0123456789abcdef" * 2


def definition() -> str:
    """Return a pipeline that fails, or not, by its parameter."""
    parameter = {"Get": "Parameters.wanted"}
    check = {"Type": "Equals", "LeftValue": parameter, "RightValue": "well"}
    said = {"Std:Join": {"On": " ", "Values": ["it went", parameter]}}
    arguments = {
        "Conditions": [check],
        "ElseSteps": [{"Name": "stop", "Type": "Fail", "Arguments": {"ErrorMessage": said}}],
    }
    return json.dumps(
        {
            "Version": "2020-12-01",
            "Parameters": [{"Name": "wanted", "Type": "String", "DefaultValue": "well"}],
            "Steps": [{"Name": "check", "Type": "Condition", "Arguments": arguments}],
        }
    )


def ended(shell: Shell, arn: str) -> Any:
    """Wait for an execution's end; return what describe-pipeline-execution prints."""
    return shell.awaited(
        lambda found: found["PipelineExecutionStatus"] != "Executing",
        *("describe-pipeline-execution", "--pipeline-execution-arn", arn),
    )


def start(shell: Shell, *words: str) -> str:
    made = shell.asked("sagemaker", "start-pipeline-execution", "--pipeline-name", NAME, *words)
    return str(made["PipelineExecutionArn"])


def test_a_pipeline_is_made_run_and_deleted(shell: Shell) -> None:
    (shell.folder / "pipeline.json").write_text(definition())
    made = shell.asked(
        *("sagemaker", "create-pipeline", "--pipeline-name", NAME, "--role-arn", ROLE),
        *("--pipeline-definition", "file://pipeline.json", "--client-request-token", TOKEN),
    )
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:pipeline/{NAME}"
    assert made == {"PipelineArn": arn}
    assert ended(shell, start(shell))["PipelineExecutionStatus"] == "Succeeded"
    bad = start(shell, "--pipeline-parameters", "Name=wanted,Value=badly")
    failed = ended(shell, bad)
    assert failed["FailureReason"] == "Step failure: One or multiple steps failed."
    steps = shell.asked(
        "sagemaker", "list-pipeline-execution-steps", "--pipeline-execution-arn", bad
    )["PipelineExecutionSteps"]
    assert [each["StepName"] for each in steps] == ["stop", "check"]
    assert steps[0]["FailureReason"] == "it went badly"
    listed = shell.asked("sagemaker", "list-pipeline-executions", "--pipeline-name", NAME)
    statuses = [each["PipelineExecutionStatus"] for each in listed["PipelineExecutionSummaries"]]
    assert statuses == ["Failed", "Succeeded"]
    again = shell.asked("sagemaker", "retry-pipeline-execution", "--pipeline-execution-arn", bad)
    assert again["PipelineExecutionArn"] == bad
    assert ended(shell, bad)["PipelineExecutionStatus"] == "Failed"
    shell.asked("sagemaker", "delete-pipeline", "--pipeline-name", NAME)
    assert shell.asked("sagemaker", "list-pipelines")["PipelineSummaries"] == []
