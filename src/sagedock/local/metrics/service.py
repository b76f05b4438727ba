"""The operations of sagemaker-metrics: what training code puts step by step, and reads back.

Sources: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_metrics_BatchPutMetrics.html
and the service's model. Unverified: that Start and End count as XAxisValues do; that times on the
x-axis are milliseconds; the words of messages. Trial components need not exist here.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean, pstdev
from typing import Any

from sagedock.api import metrics as names
from sagedock.local.caller import Caller
from sagedock.local.metrics.statistics import is_value
from sagedock.local.metrics.store import MetricStore, Point, Series

__all__ = ["COMPONENTS_NAMESPACE", "METRICS_SERVICE", "OPERATIONS", "component_dimension"]

METRICS_SERVICE = "sagemaker-metrics"

Request = Mapping[str, Any]
Answer = dict[str, Any]

#: Where points lie that were put; no namespace of CloudWatch's begins with a colon.
COMPONENTS_NAMESPACE = ":sagemaker-metrics"
_RESOURCE = "ResourceArn"
_JOB_ARN = re.compile(r"arn:[^:]*:sagemaker:(?P<region>[^:]*):\d*:training-job/(?P<name>.+)")
#: The trial component that the service makes for a training job. Source: the SDK v2's Run.
_JOB_COMPONENT = "-aws-training-job"
_PERIODS_MS = {"OneMinute": 60_000, "FiveMinute": 300_000, "OneHour": 3_600_000}
_MOST_VALUES = 100_800  # of one query's answer: CloudWatch's; the service's own is not documented
_STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "Min": min,
    "Max": max,
    "Avg": fmean,
    "Count": len,
    "StdDev": pstdev,
    "Last": lambda values: values[-1],
}


def _batch_put_metrics(store: MetricStore, caller: Caller, request: Request) -> Answer:
    """Store what is right of the data, and name what is not by its index."""
    arn = _component_arn(caller, request["TrialComponentName"])
    errors, found = [], []
    for number, datum in enumerate(request["MetricData"]):
        if not is_value(datum["Value"]):
            errors.append({"Code": "VALIDATION_ERROR", "MetricIndex": number})
            continue
        point = Point(
            time_ms=round(datum["Timestamp"].timestamp() * 1000),
            value=float(datum["Value"]),
            step=datum.get("Step"),
        )
        found.append((_series(caller, arn, datum["MetricName"]), [point]))
    store.add(found)
    return {"Errors": errors} if errors else {}


def _batch_get_metrics(store: MetricStore, caller: Caller, request: Request) -> Answer:
    """Answer each query on its own: one that cannot be answered does not spoil the others."""
    return {
        "MetricQueryResults": [_result(store, caller, query) for query in request["MetricQueries"]]
    }


OPERATIONS: Mapping[str, Callable[[MetricStore, Caller, Request], Answer]] = {
    "BatchGetMetrics": _batch_get_metrics,
    "BatchPutMetrics": _batch_put_metrics,
}


def _result(store: MetricStore, caller: Caller, query: Request) -> Answer:
    by_step = query["XAxisType"] == "IterationNumber"
    if by_step != (query["Period"] == "IterationNumber"):
        return _refused("Period IterationNumber goes with XAxisType IterationNumber, and only so")
    groups: dict[int, list[float]] = {}
    for point in _points(store, caller, query):
        place = _place(point, query)
        if place is not None and query.get("Start", place) <= place <= query.get("End", place):
            groups.setdefault(place, []).append(point.value)
    compute = _STATISTICS[query["MetricStat"]]
    found = sorted(groups.items())[:_MOST_VALUES]
    return {
        "Status": "Complete" if len(groups) <= _MOST_VALUES else "Truncated",
        "XAxisValues": [place for place, _ in found],
        "MetricValues": [float(compute(values)) for _, values in found],
    }


def _place(point: Point, query: Request) -> int | None:
    """Return where a point stands on the x-axis: its step, or the start of its period."""
    period_ms = _PERIODS_MS.get(query["Period"])
    if period_ms is None:
        return point.step
    return point.time_ms // period_ms * period_ms


def _points(store: MetricStore, caller: Caller, query: Request) -> list[Point]:
    """Return the points of a resource: put for it, or found in its log if it is a training job."""
    arn, name = query["ResourceArn"], query["MetricName"]
    job = _JOB_ARN.fullmatch(arn)
    if job is None:
        return store.points(caller.region, COMPONENTS_NAMESPACE, name, component_dimension(arn))
    component = _component_arn(caller, f"{job['name']}{_JOB_COMPONENT}".lower())
    found = [
        *store.points(caller.region, names.TRAINING_JOBS, name, names.job_dimension(job["name"])),
        *store.points(caller.region, COMPONENTS_NAMESPACE, name, component_dimension(component)),
    ]
    return sorted(found, key=lambda point: point.time_ms)


def _refused(message: str) -> Answer:
    return {
        "Status": "ValidationError",
        "Message": message,
        "XAxisValues": [],
        "MetricValues": [],
    }


def component_dimension(arn: str) -> dict[str, str]:
    """Return the dimensions of what is put for a trial component."""
    return {_RESOURCE: arn}


def _series(caller: Caller, arn: str, name: str) -> Series:
    return Series(
        region=caller.region,
        namespace=COMPONENTS_NAMESPACE,
        name=name,
        dimensions=component_dimension(arn),
        unit=names.UNIT_OF_DEFINITIONS,
    )


def _component_arn(caller: Caller, name: str) -> str:
    return caller.arn("experiment-trial-component", name)
