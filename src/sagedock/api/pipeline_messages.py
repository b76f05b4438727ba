"""Refusals about pipelines that need the world.

As in ``messages``: each names its source (rows are those of the fidelity corpus' page on the rest),
and ``unverified`` marks words that nobody was seen to receive.
"""

from sagedock.api.messages import validation
from sagedock.api.service_error import ServiceError

__all__ = [
    "callback_not_found",
    "definition_missing",
    "definition_unreadable",
    "definition_wrong",
    "execution_ended",
    "execution_not_found",
    "nothing_to_retry",
    "output_of_wrong_type",
    "parameters_wrong",
    "pipeline_exists",
    "pipeline_not_found",
    "pipeline_runs",
    "selection_of_nothing",
    "selection_of_other_pipeline",
    "selection_without_result",
    "selection_without_source",
    "step_has_ended",
    "too_many_versions",
    "undeclared_output",
]


def _not_found(message: str) -> ServiceError:
    return ServiceError(code="ResourceNotFound", message=message)


def _conflict(message: str) -> ServiceError:
    return ServiceError(code="ConflictException", message=message)


def pipeline_exists(arn: str) -> ServiceError:
    """CreatePipeline of a name that is taken. Source: row 136, which has the words up to the
    region; the SDKs look for "already exists".
    """
    return validation(
        "Pipeline names must be unique within an AWS account and region. Pipeline with name "
        f"already exists: {arn}"
    )


def pipeline_not_found(arn: str) -> ServiceError:
    """No such pipeline. The code is the one that the model declares; the words are unverified."""
    return _not_found(f"Pipeline '{arn}' does not exist.")


def execution_not_found(arn: str) -> ServiceError:
    """No such execution. The code is the one that the model declares; the words are unverified."""
    return _not_found(f"Pipeline execution with ARN '{arn}' does not exist.")


def definition_missing() -> ServiceError:
    """CreatePipeline without a definition. Unverified."""
    return validation("Either PipelineDefinition or PipelineDefinitionS3Location is required.")


def definition_unreadable(uri: str, why: str) -> ServiceError:
    """A definition in S3 that cannot be read. Unverified."""
    return validation(f"Unable to read the pipeline definition at {uri}: {why}")


def definition_wrong(problem: str) -> ServiceError:
    """A definition that cannot be carried out. Sources: rows 137, 138, 140 to 142, each in its
    ``problem``; other problems are unverified.
    """
    return validation(problem)


def parameters_wrong(problem: str) -> ServiceError:
    """StartPipelineExecution with parameters that do not fit. Source: row 145 for an empty text;
    other problems are unverified.
    """
    return validation(problem)


def pipeline_runs(arn: str) -> ServiceError:
    """DeletePipeline while executions run. Unverified."""
    return _conflict(f"Pipeline '{arn}' has running executions: stop them first.")


def execution_ended(arn: str, status: str) -> ServiceError:
    """StopPipelineExecution of one that has ended. Unverified."""
    return _conflict(
        f"Pipeline execution with ARN '{arn}' cannot be stopped: its status is {status}."
    )


def nothing_to_retry(arn: str, status: str) -> ServiceError:
    """RetryPipelineExecution of one that runs or has succeeded. Unverified."""
    return _conflict(
        f"Pipeline execution with ARN '{arn}' cannot be retried: its status is {status}."
    )


def callback_not_found(token: str) -> ServiceError:
    """No callback step has this token. Unverified."""
    return _not_found(f"Callback token '{token}' does not exist.")


def step_has_ended(token: str, status: str) -> ServiceError:
    """The callback step has been answered, or was ended. Unverified."""
    return _conflict(f"The step of callback token '{token}' is in status {status}.")


def selection_of_nothing(names: str) -> ServiceError:
    """Steps were selected that the pipeline does not have. Unverified."""
    return validation(f"The selected steps [{names}] do not exist in the pipeline.")


def selection_without_source(selected: str, needed: str) -> ServiceError:
    """Steps were selected whose inputs come from steps that were not. Source: row 146."""
    return validation(
        f"Invalid SourcePipelineExecutionArn: null. The selected steps [{selected}] have "
        f"dependencies on [{needed}]"
    )


def selection_without_result(source: str, step: str) -> ServiceError:
    """The execution that results are taken from has none of a step. Unverified."""
    return validation(
        f"Invalid SourcePipelineExecutionArn: {source}. The step [{step}] has not succeeded in it."
    )


def selection_of_other_pipeline(source: str, pipeline: str) -> ServiceError:
    """The execution that results are taken from is another pipeline's. Unverified."""
    return validation(
        f"Invalid SourcePipelineExecutionArn: {source}. It is no execution of {pipeline}."
    )


def undeclared_output(step: str, output: str) -> ServiceError:
    """A callback answers what its step does not declare. Unverified."""
    return validation(f"The callback step [{step}] declares no output parameter [{output}].")


def output_of_wrong_type(step: str, output: str, kind: str) -> ServiceError:
    """A callback answers a value that is not of the declared type. Unverified."""
    return validation(
        f"The output parameter [{output}] of the callback step [{step}] is not of type {kind}."
    )


def too_many_versions(what: str) -> ServiceError:
    """A request names a version or an alias of a pipeline. Unverified: AWS keeps versions."""
    return validation(
        f"The local SageMaker keeps no versions of pipelines: leave {what} out locally."
    )
