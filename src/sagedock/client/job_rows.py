"""Jobs of each kind as rows, and one of them whole."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import fmean
from typing import Any

from sagedock.api import metrics as names
from sagedock.api import states
from sagedock.client.analytics import TuningAnalytics
from sagedock.client.job_kinds import KINDS, JobKind, Word
from sagedock.client.series import MetricSeries, host_count

__all__ = ["JobRow", "JobView", "details_of"]

_OBJECTIVE = "FinalHyperParameterTuningJobObjectiveMetric"


@dataclass(frozen=True, kw_only=True)
class JobRow:
    """A job, short. Times are seconds; ``billable_s`` is known of training jobs that have ended.

    ``metrics`` holds the latest value of each metric that was found, of a tuning job the best one
    of its objective; ``usage`` that of each instance metric, as a mean over the hosts. Kinds other
    than training have no ``secondary_status`` of their own: it is the status.
    """

    name: str
    kind: Word
    status: str
    secondary_status: str
    created: datetime
    elapsed_s: float
    billable_s: int | None
    instances: str
    failure_reason: str | None
    metrics: Mapping[str, float]
    usage: Mapping[str, float]

    @property
    def has_ended(self) -> bool:
        """Whether nothing of it changes any more."""
        return states.is_terminal(KINDS[self.kind].state, self.status)

    @classmethod
    def of(
        cls,
        description: Mapping[str, Any],
        series: Sequence[MetricSeries],
        kind: JobKind = KINDS["training"],
    ) -> "JobRow":
        """Return the row of a job, from what Describe answers and its metrics over time."""
        began, ended = _span(kind, description)
        return cls(
            name=kind.name(description),
            kind=kind.word,
            status=kind.status(description),
            secondary_status=description.get("SecondaryStatus", kind.status(description)),
            created=description["CreationTime"],
            elapsed_s=max(0.0, (ended - began).total_seconds()),
            billable_s=description.get("BillableTimeInSeconds"),
            instances=_instances(kind, description),
            failure_reason=description.get("FailureReason"),
            metrics={each.name: each.last for each in series if each.host is None}
            | dict(_reached(description)),
            usage=_usage(series),
        )


@dataclass(frozen=True, kw_only=True)
class JobView:
    """A job, whole: its row, what else there is to say of its kind, and its metrics over time.

    Of a training job that has ended those of its definitions are each value, if its log is not
    long, and not CloudWatch's means. ``tuning`` are a tuning job's training jobs.
    """

    row: JobRow
    series: Sequence[MetricSeries]
    details: Mapping[str, str] = field(default_factory=dict)
    tuning: TuningAnalytics | None = None


def details_of(kind: JobKind, description: Mapping[str, Any]) -> dict[str, str]:
    """Return what a job of this kind works on, and where what it made is."""
    match kind.word:
        case "training":
            model = description.get("ModelArtifacts", {}).get("S3ModelArtifacts")
            found = {"model": model}
        case "processing":
            outputs = description.get("ProcessingOutputConfig", {}).get("Outputs", ())
            stored = {
                f"output {each['OutputName']}": each["S3Output"]["S3Uri"]
                for each in outputs
                if "S3Output" in each
            }
            found = {**stored, "message": description.get("ExitMessage")}
        case "transform":
            found = {
                "model": description["ModelName"],
                "input": description["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"],
                "output": description["TransformOutput"]["S3OutputPath"],
            }
        case "tuning":
            best = description.get("BestTrainingJob", {})
            counts = description["TrainingJobStatusCounters"]
            found = {
                "strategy": description["HyperParameterTuningJobConfig"]["Strategy"],
                "training jobs": ", ".join(f"{n} {name}" for name, n in counts.items() if n),
                "best": best.get("TrainingJobName"),
            }
    return {name: value for name, value in found.items() if value}


def _span(kind: JobKind, description: Mapping[str, Any]) -> tuple[datetime, datetime]:
    """Return when a job began and ended, or now. A training job that never got machines has no
    TrainingEndTime.
    """
    began, ended = kind.span(description, datetime.now(UTC))
    transitions = description.get("SecondaryStatusTransitions")
    if transitions and kind.has_ended(description) and kind.times[1] not in description:
        ended = transitions[-1].get("EndTime", ended)
    return began, ended


def _reached(description: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield the metrics that Describe itself tells."""
    for each in description.get("FinalMetricDataList", ()):
        yield each["MetricName"], each["Value"]
    if best := description.get("BestTrainingJob", {}).get(_OBJECTIVE):
        yield best["MetricName"], best["Value"]


def _instances(kind: JobKind, description: Mapping[str, Any]) -> str:
    """Return what a job runs on; of a tuning job with several definitions, the first one's."""
    match kind.word:
        case "training":
            resources, count = description["ResourceConfig"], host_count(description)
        case "processing":
            resources = description["ProcessingResources"]["ClusterConfig"]
            count = resources.get("InstanceCount", 1)
        case "transform":
            resources = description["TransformResources"]
            count = resources["InstanceCount"]
        case "tuning":
            several = description.get("TrainingJobDefinitions", ())
            definition = description.get("TrainingJobDefinition") or several[0]
            resources = definition.get("ResourceConfig", {})
            count = resources.get("InstanceCount", 1)
    groups = [group["InstanceType"] for group in resources.get("InstanceGroups", ())]
    found = resources.get("InstanceType") or " + ".join(dict.fromkeys(groups))
    return f"{count} x {found}" if count > 1 else found


def _usage(series: Sequence[MetricSeries]) -> dict[str, float]:
    found = {
        name: [each.last for each in series if each.host and each.name == name]
        for name in names.INSTANCE_METRICS
    }
    return {name: fmean(values) for name, values in found.items() if values}
