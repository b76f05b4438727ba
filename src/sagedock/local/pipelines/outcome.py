"""Why a step failed, in the service's words."""

from sagedock.api import ServiceError
from sagedock.local.pipelines.retrying import Fault

__all__ = ["is_broken", "job_failed", "not_retried", "refused"]


def is_broken(error: ServiceError) -> bool:
    """Say whether a refusal is the server's fault, so that the same may be tried again."""
    return error.http_status >= 500


def refused(operation: str, error: ServiceError) -> str:
    """A call that was refused. Sources: rows 149, 150, 152, 153."""
    details = error.message or "null"
    return f"ClientError: Failed to invoke sagemaker:{operation}. Error Details: {details}"


def job_failed(reason: str | None, status: str) -> str:
    """A job that ran and did not succeed. Source: row 156; that of one which was stopped, by
    somebody or by a limit, is unverified.
    """
    return f"ClientError: {reason}" if reason else f"ClientError: The job ended as {status}."


def not_retried(reason: str, fault: Fault, *, execution: str, step: str) -> str:
    """The same, and that no policy of the step retries it. Source: row 149."""
    if not fault.exception:
        return reason
    head, _, tail = execution.rpartition(":pipeline/")
    return (
        f"{reason}\nRetry not appropriate on execution of step with PipelineExecutionArn "
        f"{head}:pipeline/{tail.lower()} and StepId {step}. No retry policy configured for the "
        f"exception type {fault.constant}."
    )
