"""A job's metrics over time, read from CloudWatch."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sagedock.api import metrics as names
from sagedock.client.job_kinds import KINDS, JobKind
from sagedock.client.pace import Pace
from sagedock.contract import network

__all__ = ["MetricSeries", "SeriesFollower", "host_count"]

#: Of one call. Source: API_GetMetricData.
_QUERIES = 500
#: CloudWatch shows points up to some minutes late, and counts a period from its start.
_MARGIN = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class MetricSeries:
    """One metric over time, oldest point first.

    ``host`` is the one that uses what an instance metric tells (in percent; of CPUUtilization and
    the GPUs' 100 for each core or GPU); None for what a metric definition found in the logs.
    """

    name: str
    host: str | None
    times: tuple[datetime, ...]
    values: tuple[float, ...]

    @property
    def last(self) -> float:
        """The latest value."""
        return self.values[-1]


@dataclass
class SeriesFollower:
    """Reads the metrics of one job, and at each further call only what is new.

    ``client`` is boto3's for CloudWatch.
    """

    client: Any
    pace: Pace
    _points: dict[tuple[str, str | None], dict[datetime, float]] = field(default_factory=dict)
    _read_until: datetime | None = None

    def read(
        self, description: Mapping[str, Any], kind: JobKind = KINDS["training"]
    ) -> tuple[MetricSeries, ...]:
        """Return the metrics that have points of the job ``description`` (as Describe answers)."""
        if kind.namespace is None:
            return ()
        now = datetime.now(UTC)
        began, ended = (description.get(member) for member in kind.times)
        began = began or description["CreationTime"]
        start = max(began, self._read_until or began) - _MARGIN
        end = min(now, ended or now) + _MARGIN
        period_s = self.pace.period_s((now - began).total_seconds())
        queries = list(_queries(description, period_s, kind))
        for first in range(0, len(queries), _QUERIES):
            self._take(queries[first : first + _QUERIES], start, end)
        self._read_until = now
        return tuple(self._series(queries))

    def _take(self, queries: Sequence["_Query"], start: datetime, end: datetime) -> None:
        pages = self.client.get_paginator("get_metric_data").paginate(
            MetricDataQueries=[query.request(number) for number, query in enumerate(queries)],
            StartTime=start,
            EndTime=end,
            ScanBy="TimestampAscending",
        )
        for page in pages:
            for result in page["MetricDataResults"]:
                query = queries[int(result["Id"].removeprefix("m"))]
                found = zip(result["Timestamps"], result["Values"], strict=True)
                self._points.setdefault(query.key, {}).update(found)

    def _series(self, queries: Sequence["_Query"]) -> Iterator[MetricSeries]:
        for name, host in (query.key for query in queries):
            points = sorted(self._points.get((name, host), {}).items())
            if points:
                times, values = zip(*points, strict=True)
                yield MetricSeries(name=name, host=host, times=times, values=values)


def host_count(description: Mapping[str, Any]) -> int:
    """Return how many instances a training job or a processing job has."""
    if "ProcessingResources" in description:
        return int(description["ProcessingResources"]["ClusterConfig"].get("InstanceCount", 1))
    resources = description["ResourceConfig"]
    groups = resources.get("InstanceGroups", ())
    return resources.get("InstanceCount") or sum(group["InstanceCount"] for group in groups) or 1


@dataclass(frozen=True, kw_only=True)
class _Query:
    """One metric to ask for."""

    key: tuple[str, str | None]
    namespace: str
    dimensions: Mapping[str, str]
    period_s: int

    def request(self, number: int) -> dict[str, Any]:
        metric = {
            "Namespace": self.namespace,
            "MetricName": self.key[0],
            "Dimensions": [{"Name": k, "Value": v} for k, v in self.dimensions.items()],
        }
        stat = {"Metric": metric, "Period": self.period_s, "Stat": "Average"}
        return {"Id": f"m{number}", "MetricStat": stat}


def _queries(description: Mapping[str, Any], period_s: int, kind: JobKind) -> Iterator[_Query]:
    """Yield a query for each metric that the job may have: what it has is known from no list, as
    ListMetrics tells of new ones only after minutes.
    """
    job = kind.name(description)
    query = partial(_Query, namespace=kind.namespace or "", period_s=period_s)
    defined = description.get("AlgorithmSpecification", {}).get("MetricDefinitions", ())
    for name in dict.fromkeys(each["Name"] for each in defined):
        yield query(key=(name, None), dimensions=names.job_dimension(job))
    for number in range(1, host_count(description) + 1):
        host = network.host(number)
        for name in names.INSTANCE_METRICS:
            yield query(key=(name, host), dimensions=names.host_dimension(job, host))
