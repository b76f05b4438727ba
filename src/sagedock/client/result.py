"""What came of a training job."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sagedock.errors import JobFailed

__all__ = ["TrainingResult", "require_completed"]


@dataclass(frozen=True, kw_only=True)
class TrainingResult:
    """A training job as DescribeTrainingJob tells it; what is not known yet is None.

    ``seconds`` and ``billable_seconds`` are of one instance. ``metrics`` holds the last value of
    each metric definition that matched.
    """

    name: str
    status: str
    secondary_status: str
    failure_reason: str | None
    model_data: str | None
    output_path: str
    metrics: Mapping[str, float]
    seconds: int | None
    billable_seconds: int | None

    @classmethod
    def of(cls, description: Mapping[str, Any]) -> "TrainingResult":
        """Return the result that an answer of DescribeTrainingJob holds."""
        return cls(
            name=description["TrainingJobName"],
            status=description["TrainingJobStatus"],
            secondary_status=description["SecondaryStatus"],
            failure_reason=description.get("FailureReason"),
            model_data=description.get("ModelArtifacts", {}).get("S3ModelArtifacts"),
            output_path=description["OutputDataConfig"]["S3OutputPath"],
            metrics={
                metric["MetricName"]: metric["Value"]
                for metric in description.get("FinalMetricDataList", ())
            },
            seconds=description.get("TrainingTimeInSeconds"),
            billable_seconds=description.get("BillableTimeInSeconds"),
        )


def require_completed(result: TrainingResult) -> TrainingResult:
    """Return ``result`` of a job that completed; raise JobFailed for any other."""
    if result.status == "Completed":
        return result
    # A stopped job has no FailureReason: its secondary status says who stopped it.
    reason = result.failure_reason or result.secondary_status
    raise JobFailed(result.name, result.status, reason)
