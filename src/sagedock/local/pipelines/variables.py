"""The variables of an execution.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-properties.html, and the
SDKs' ``ExecutionVariables``.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

__all__ = ["OF_JOBS", "VARIABLES", "moment", "variable_of"]

#: Those that have a value in steps that start such a job only.
OF_JOBS = ("TrainingJobName", "ProcessingJobName")

VARIABLES = (
    "StartDateTime",
    "CurrentDateTime",
    "PipelineName",
    "PipelineArn",
    "PipelineExecutionId",
    "PipelineExecutionArn",
    *OF_JOBS,
)


def moment(epoch_s: float) -> str:
    """Return a time as executions' variables have it; the form is unverified."""
    return f"{datetime.fromtimestamp(epoch_s, UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"


def variable_of(name: str, execution: Mapping[str, Any], pipeline: str, now: float) -> str | None:
    """Return a variable of an execution that is described so, at a time (epoch seconds); None for
    what jobs are called.
    """
    match name:
        case "StartDateTime":
            return moment(execution["CreationTime"])
        case "CurrentDateTime":
            return moment(now)
        case "PipelineName":
            return pipeline
        case "PipelineArn":
            return str(execution["PipelineArn"])
        case "PipelineExecutionId":
            return str(execution["PipelineExecutionArn"].rpartition("/")[2])
        case "PipelineExecutionArn":
            return str(execution["PipelineExecutionArn"])
    return None
