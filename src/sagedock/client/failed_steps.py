"""Why a step of a pipeline failed: its job, the reason, the last lines of the job's log."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sagedock.client.job_kinds import KINDS, JobKind
from sagedock.client.logs import last_lines
from sagedock.client.patience import Clock
from sagedock.client.session import Session
from sagedock.errors import SagedockError

__all__ = ["told_of_failures"]

Record = Mapping[str, Any]

_LINES = 10
_PAGE = 100
#: A job may be created before its step is known to have begun.
_MARGIN = timedelta(minutes=1)
#: What a step's Metadata calls the jobs of each kind. Source: API_PipelineExecutionStepMetadata.
_METADATA: Mapping[str, JobKind] = {
    "TrainingJob": KINDS["training"],
    "ProcessingJob": KINDS["processing"],
    "TransformJob": KINDS["transform"],
    "TuningJob": KINDS["tuning"],
}


def told_of_failures(
    steps: Sequence[Record], session: Session, clock: Clock | None = None
) -> Iterator[str]:
    """Yield lines about the job of each step that failed. What cannot be read is said, not raised:
    the failure itself is what matters.
    """
    from botocore import exceptions as aws

    for step in steps:
        if step["StepStatus"] != "Failed":
            continue
        for member, kind in _METADATA.items():
            if (job := step.get("Metadata", {}).get(member)) is None:
                continue
            try:
                yield from _told(step, kind, job["Arn"], session, clock or Clock())
            except (SagedockError, aws.ClientError, aws.BotoCoreError) as error:
                yield f"{step['StepName']}: more of {job['Arn']} is not known: {error}"


def _told(step: Record, kind: JobKind, arn: str, session: Session, clock: Clock) -> Iterator[str]:
    sagemaker = session.client("sagemaker")
    name = _name(sagemaker, kind, arn, step)
    found = kind.describe(sagemaker, name)
    yield f"{step['StepName']}: {_ended(kind, found)}"
    if kind is KINDS["tuning"]:
        if (child := _failed_child(sagemaker, name)) is None:
            yield f"  more of it: {_command(name, session)}"
            return
        kind, name = KINDS["training"], child
        yield f"  {_ended(kind, kind.describe(sagemaker, name))}"
    if kind.log_group is not None:
        for line in _last_lines(kind.log_group, name, session, clock):
            yield f"  | {line}"
    yield f"  more of it: {_command(name, session)} --lines 100"


def _name(sagemaker: Any, kind: JobKind, arn: str, step: Record) -> str:
    """Return the name of a step's job: its ARN has it in lower case, which Describe need not know.

    One that is not listed any more is asked for by the end of its ARN.
    """
    pages = sagemaker.get_paginator(f"list_{kind.snake}s").paginate(
        CreationTimeAfter=step["StartTime"] - _MARGIN, SortBy="CreationTime", SortOrder="Ascending"
    )
    for page in pages:
        for each in page[kind.summaries]:
            if each[f"{kind.member}Arn"] == arn:
                return kind.name(each)
    return arn.rpartition("/")[2]


def _ended(kind: JobKind, found: Record) -> str:
    reason = found.get("FailureReason") or "no reason given"
    return f"the {kind.word} job {kind.name(found)} ended {kind.status(found)}: {reason}"


def _failed_child(sagemaker: Any, name: str) -> str | None:
    """Return the training job of a tuning job to look at: of those that failed the first that had
    reached something, else the first.
    """
    found = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name,
        StatusEquals="Failed",
        SortBy="CreationTime",
        SortOrder="Ascending",
        MaxResults=_PAGE,
    )["TrainingJobSummaries"]
    reached = [each for each in found if "FinalHyperParameterTuningJobObjectiveMetric" in each]
    chosen = [*reached, *found][:1]
    return chosen[0]["TrainingJobName"] if chosen else None


def _last_lines(group: str, name: str, session: Session, clock: Clock) -> Sequence[str]:
    """Return the end of a job's log, which CloudWatch may show some seconds after the job's end."""
    logs, quiet_s = session.client("logs"), session.place.pace.quiet_s
    lines = last_lines(logs, group=group, job_name=name, count=_LINES)
    if not lines and quiet_s:
        clock.sleep(quiet_s)
        lines = last_lines(logs, group=group, job_name=name, count=_LINES)
    return lines


def _command(name: str, session: Session) -> str:
    """Return the command that tells more of a job."""
    if session.target == "aws":
        return f"sagedock jobs show {name} --target aws --region {session.region}"
    if session.place.ends_with_program:
        return f"sagedock local up --detach; sagedock jobs show {name}"
    return f"sagedock jobs show {name}"
