"""The variables of an execution.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-properties.html, and the
SDKs' ``ExecutionVariables``.
"""

from datetime import UTC, datetime

__all__ = ["VARIABLES", "moment"]

VARIABLES = (
    "StartDateTime",
    "CurrentDateTime",
    "PipelineName",
    "PipelineArn",
    "PipelineExecutionId",
    "PipelineExecutionArn",
    "TrainingJobName",
    "ProcessingJobName",
)


def moment(epoch_s: float) -> str:
    """Return a time as executions' variables have it; the form is unverified."""
    return f"{datetime.fromtimestamp(epoch_s, UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"
