"""What EventBridge is told of jobs, endpoints, pipeline executions and their steps.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html.
Unverified: that each secondary status of a training job is an event, the detail of processing jobs,
that a new resource is an event, and which members of Describe a detail leaves out.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sagedock.local import processing, training, transform, tuning
from sagedock.local.caller import Caller
from sagedock.local.events import Events, iso_time
from sagedock.local.hosting import ENDPOINT
from sagedock.local.pipelines import EXECUTION, STEPS
from sagedock.local.resources import Resource

__all__ = ["StateChanges"]

Document = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class _Told:
    """How a kind is told of: ``statuses`` are the members whose change is an event, ``time`` writes
    a time (epoch seconds).
    """

    what: str
    arn: str
    statuses: tuple[str, ...]
    time: Callable[[float], Any]


def _milliseconds(at: float) -> str:
    return str(round(at * 1000))


_KINDS = {
    training.KIND: _Told(
        what="SageMaker Training Job State Change",
        arn="TrainingJobArn",
        statuses=("TrainingJobStatus", "SecondaryStatus"),
        time=_milliseconds,
    ),
    tuning.KIND: _Told(
        what="SageMaker HyperParameter Tuning Job State Change",
        arn="HyperParameterTuningJobArn",
        statuses=("HyperParameterTuningJobStatus",),
        time=_milliseconds,
    ),
    transform.KIND: _Told(
        what="SageMaker Transform Job State Change",
        arn="TransformJobArn",
        statuses=("TransformJobStatus",),
        time=iso_time,
    ),
    processing.KIND: _Told(
        what="SageMaker Processing Job State Change",
        arn="ProcessingJobArn",
        statuses=("ProcessingJobStatus",),
        time=_milliseconds,
    ),
    ENDPOINT.name: _Told(
        what="SageMaker Endpoint State Change",
        arn="EndpointArn",
        statuses=("EndpointStatus",),
        time=lambda at: float(round(at * 1000)),
    ),
}
_EXECUTION = "SageMaker Model Building Pipeline Execution Status Change"
_STEP = "SageMaker Model Building Pipeline Execution Step Status Change"
#: The border of two words in a status.
_BORDER = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, kw_only=True)
class StateChanges:
    """Tells ``events`` of each change of a state, as ``witnessed``, in the step that makes it.

    ``tags`` returns those of an ARN.
    """

    events: Events
    account: str
    tags: Callable[[str], list[dict[str, str]]]

    def witnessed(self, before: Resource | None, now: Resource) -> None:
        """See a resource added or changed."""
        kind = now.key.kind
        if kind in _KINDS:
            if self.events.are_heard:
                self._told(_KINDS[kind], before, now)
        elif kind.startswith(f"{EXECUTION}:") and self.events.are_heard:
            old = before.document if before else {}
            arns = [now.document[name] for name in ("PipelineArn", "PipelineExecutionArn")]
            for what, detail in _of_execution(old, now.document):
                self.events.tell(self._caller(now), what, arns, detail)

    def _told(self, told: _Told, before: Resource | None, now: Resource) -> None:
        document = now.document
        if before and all(before.document.get(n) == document.get(n) for n in told.statuses):
            return
        detail = _timed({n: v for n, v in document.items() if n[0].isupper()}, told.time)
        if "EndpointStatus" in detail:
            detail["EndpointStatus"] = _BORDER.sub("_", detail["EndpointStatus"]).upper()
        arn = document[told.arn]
        detail["Tags"] = {each["Key"]: each["Value"] for each in self.tags(arn)}
        self.events.tell(self._caller(now), told.what, [arn], detail)

    def _caller(self, now: Resource) -> Caller:
        return Caller(region=now.key.region, service=None, account=self.account)


def _of_execution(old: Document, now: Document) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the events, what and detail, of a change of an execution's document."""
    where = {
        "pipelineArn": now["PipelineArn"],
        "pipelineExecutionArn": now["PipelineExecutionArn"],
    }
    steps = old.get(STEPS, {})
    for name, step in now[STEPS].items():
        previous, current = steps.get(name, {}).get("StepStatus"), step.get("StepStatus")
        if current != previous:
            yield _STEP, {**_of_step(step, previous), **where}
    previous, current = old.get("PipelineExecutionStatus"), now["PipelineExecutionStatus"]
    if current != previous:
        ended = current not in ("Executing", "Stopping")
        yield (
            _EXECUTION,
            {
                "pipelineExecutionDisplayName": now["PipelineExecutionDisplayName"],
                "currentPipelineExecutionStatus": current,
                **({"previousPipelineExecutionStatus": previous} if previous else {}),
                "executionStartTime": iso_time(now["CreationTime"]),
                **({"executionEndTime": iso_time(now["LastModifiedTime"])} if ended else {}),
                **_given(now, "PipelineExecutionDescription", "pipelineExecutionDescription"),
                **where,
            },
        )


def _of_step(step: Document, previous: str | None) -> dict[str, Any]:
    return {
        "metadata": _camel(step.get("Metadata", {})),
        "stepStartTime": iso_time(step["StartTime"]),
        **({"stepEndTime": iso_time(step["EndTime"])} if "EndTime" in step else {}),
        "stepName": step["StepName"],
        **_given(step, "_Type", "stepType"),
        **({"previousStepStatus": previous} if previous else {}),
        "currentStepStatus": step["StepStatus"],
        **_given(step, "FailureReason", "failureReason"),
        **({"cacheHitResult": _camel(hit)} if (hit := step.get("CacheHitResult")) else {}),
    }


def _given(record: Document, member: str, name: str) -> dict[str, Any]:
    return {name: record[member]} if member in record else {}


def _camel(value: Any) -> Any:
    """Return a value with its members' names begun in lower case."""
    if isinstance(value, Mapping):
        return {name[:1].lower() + name[1:]: _camel(each) for name, each in value.items()}
    return value


def _timed(value: Any, time: Callable[[float], Any]) -> Any:
    """Return a value with all times in it, which are numbers of seconds, written by ``time``."""
    match value:
        case Mapping():
            return {
                name: time(each)
                if name.endswith("Time") and isinstance(each, int | float)
                else _timed(each, time)
                for name, each in value.items()
            }
        case list():
            return [_timed(each, time) for each in value]
    return value
