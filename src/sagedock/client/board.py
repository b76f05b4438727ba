"""Jobs as the rows of a table: what each is doing, what it costs, what it has reached."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from statistics import fmean
from typing import Any

from sagedock.api import metrics as names
from sagedock.api import states
from sagedock.client.exact import exact_series
from sagedock.client.refusals import explained
from sagedock.client.series import MetricSeries, SeriesFollower, host_count
from sagedock.client.session import Session

__all__ = ["Board", "JobRow", "JobView"]

_PAGE = 100


@dataclass(frozen=True, kw_only=True)
class JobRow:
    """A training job, short. Times are seconds; ``billable_s`` is known once the job has ended.

    ``metrics`` holds the latest value of each metric that was found, ``usage`` that of each
    instance metric, as a mean over the hosts.
    """

    name: str
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
        return states.is_terminal("training-job", self.status)

    @classmethod
    def of(cls, description: Mapping[str, Any], series: Sequence[MetricSeries]) -> "JobRow":
        """Return the row of a job, from DescribeTrainingJob and its metrics over time."""
        began = description.get("TrainingStartTime") or description["CreationTime"]
        final = description.get("FinalMetricDataList", ())
        return cls(
            name=description["TrainingJobName"],
            status=description["TrainingJobStatus"],
            secondary_status=description["SecondaryStatus"],
            created=description["CreationTime"],
            elapsed_s=max(0.0, (_ended(description) - began).total_seconds()),
            billable_s=description.get("BillableTimeInSeconds"),
            instances=_instances(description),
            failure_reason=description.get("FailureReason"),
            metrics={each.name: each.last for each in series if each.host is None}
            | {each["MetricName"]: each["Value"] for each in final},
            usage=_usage(series),
        )


@dataclass(frozen=True, kw_only=True)
class JobView:
    """A training job, whole: its row, and its metrics over time.

    Of a job that has ended those of its definitions are each value, if its log is not long, and
    not CloudWatch's means.
    """

    row: JobRow
    series: Sequence[MetricSeries]


class Board:
    """Looks at training jobs, again and again: of each it asks only for what may have changed."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._followers: dict[str, SeriesFollower] = {}
        self._ended: dict[str, tuple[JobView, Mapping[str, Any]]] = {}

    def latest(
        self, *, limit: int, status: str | None = None, contains: str | None = None
    ) -> tuple[JobRow, ...]:
        """Return the newest jobs, newest first; of those in ``status``, or with such a name."""
        asked = {"StatusEquals": status, "NameContains": contains}
        request = {name: value for name, value in asked.items() if value is not None}
        with explained(self._session.target):
            pages = self._sagemaker.get_paginator("list_training_jobs").paginate(
                **request,
                SortBy="CreationTime",
                SortOrder="Descending",
                PaginationConfig={"MaxItems": limit, "PageSize": min(limit, _PAGE)},
            )
            found = [
                each["TrainingJobName"] for page in pages for each in page["TrainingJobSummaries"]
            ]
        return tuple(self._looked_at(name)[0].row for name in found[:limit])

    def view(self, name: str) -> JobView:
        """Return one job. Raises InvalidRequest for an unknown one."""
        view, description = self._looked_at(name)
        if not view.row.has_ended:
            return view
        with explained(self._session.target):
            series = exact_series(self._session.client("logs"), description, view.series)
        return replace(view, series=series)

    def _looked_at(self, name: str) -> tuple[JobView, Mapping[str, Any]]:
        """Return a job as CloudWatch has it, and its description."""
        if name in self._ended:
            return self._ended[name]
        with explained(self._session.target):
            description = self._sagemaker.describe_training_job(TrainingJobName=name)
            series = self._follower(name).read(description)
        view = JobView(row=JobRow.of(description, series), series=series)
        if view.row.has_ended:
            self._ended[name] = (view, description)
        return view, description

    def _follower(self, name: str) -> SeriesFollower:
        if name not in self._followers:
            self._followers[name] = SeriesFollower(
                self._session.client("cloudwatch"), self._session.place.pace
            )
        return self._followers[name]

    @property
    def _sagemaker(self) -> Any:
        return self._session.client("sagemaker")


def _ended(description: Mapping[str, Any]) -> datetime:
    """Return when a job ended, or now. One that never got machines has no TrainingEndTime."""
    if ended := description.get("TrainingEndTime"):
        return ended  # type: ignore[no-any-return]
    if states.is_terminal("training-job", description["TrainingJobStatus"]):
        last = description["SecondaryStatusTransitions"][-1]
        return last.get("EndTime", description["LastModifiedTime"])  # type: ignore[no-any-return]
    return datetime.now(UTC)


def _instances(description: Mapping[str, Any]) -> str:
    resources = description["ResourceConfig"]
    kinds = [group["InstanceType"] for group in resources.get("InstanceGroups", ())]
    kind = resources.get("InstanceType") or " + ".join(dict.fromkeys(kinds))
    count = host_count(description)
    return f"{count} x {kind}" if count > 1 else kind


def _usage(series: Sequence[MetricSeries]) -> dict[str, float]:
    found = {
        name: [each.last for each in series if each.host and each.name == name]
        for name in names.INSTANCE_METRICS
    }
    return {name: fmean(values) for name, values in found.items() if values}
