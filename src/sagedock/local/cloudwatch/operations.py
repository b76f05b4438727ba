"""Operations on the metrics that are ours. Requests arrive checked against the model."""

import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from sagedock.api import ServiceError, metrics
from sagedock.local.caller import Caller
from sagedock.local.metrics.statistics import Bucket, buckets, is_value, statistic
from sagedock.local.metrics.store import MetricStore, Point, Series
from sagedock.local.refusal import Refused

__all__ = ["NAMESPACES", "OPERATIONS", "is_our_token", "is_ours"]

Request = Mapping[str, Any]
Answer = dict[str, Any]

#: What namespaces begin with that are ours; every other one is moto's.
NAMESPACES = (metrics.PREFIX, metrics.ENDPOINTS)
#: Sources: API_GetMetricStatistics, API_GetMetricData, API_ListMetrics, API_PutMetricData.
_STATISTICS_DATAPOINTS = 1440
_PAGE_DATAPOINTS = 100_800
_PAGE_METRICS = 500
_QUERIES = 500
_MOST_DATA = 1000
_SHORT_PERIODS_S = (1, 5, 10, 20, 30)
_MINUTE_S = 60
_RECENT_MS = 3 * 60 * 60 * 1000
_MOST_COUNTS = 10_000
_TOKEN = re.compile(r"sagedock-(?P<start>[0-9]{1,12})")


def is_ours(namespace: object) -> bool:
    """Say whether a namespace's metrics are ours."""
    return isinstance(namespace, str) and namespace.startswith(NAMESPACES)


def is_our_token(token: str) -> bool:
    """Say whether we gave this NextToken."""
    return _TOKEN.fullmatch(token) is not None


def _get_metric_statistics(store: MetricStore, caller: Caller, request: Request) -> Answer:
    """Answer GetMetricStatistics. Datapoints come in no order on AWS; here in that of time."""
    plain, extended = request.get("Statistics", ()), request.get("ExtendedStatistics", ())
    if not plain and not extended:
        raise _combination("Must specify either Statistics or ExtendedStatistics")
    start_s, end_s = _span(request)
    period_s = _period(request["Period"])
    # Source of the words: cloud-custodian/cloud-custodian#7683.
    if (count := int(end_s - start_s) // period_s) > _STATISTICS_DATAPOINTS:
        raise _combination(
            f"You have requested up to {count} datapoints, which exceeds the limit of "
            f"{_STATISTICS_DATAPOINTS}. You may reduce the datapoints requested by increasing "
            "Period, or decreasing the time range."
        )
    for name in extended:
        _function(name)
    found = _buckets(store, caller, request, start_s, end_s, period_s, request.get("Unit"))
    unit = request.get("Unit") or _unit(store, caller, request)
    return {
        "Label": request["MetricName"],
        "Datapoints": [_datapoint(each, plain, extended, unit) for each in found],
    }


def _get_metric_data(store: MetricStore, caller: Caller, request: Request) -> Answer:
    """Answer GetMetricData for queries without expressions, in pages of so many datapoints."""
    queries = request["MetricDataQueries"]
    _check_queries(queries)
    start_s, end_s = _span(request)
    ascending = request.get("ScanBy") == "TimestampAscending"
    rows = [
        (number, each)
        for number, query in enumerate(queries)
        for each in _queried(store, caller, query, start_s, end_s, ascending)
    ]
    begin = _begin(request.get("NextToken"))
    most = min(request.get("MaxDatapoints", _PAGE_DATAPOINTS), _PAGE_DATAPOINTS)
    if most < 1:
        raise _validation("The parameter MaxDatapoints must be greater than or equal to 1.")
    more = len(rows) > begin + most
    page: dict[int, list[tuple[int, float]]] = {number: [] for number in range(len(queries))}
    for number, row in rows[begin : begin + most]:
        page[number].append(row)
    answer: Answer = {
        "MetricDataResults": [
            _result(queries[number], found, "PartialData" if more else "Complete")
            for number, found in page.items()
            if queries[number].get("ReturnData", True)
        ],
        "Messages": [],
    }
    if more:
        answer["NextToken"] = f"sagedock-{begin + most}"
    return answer


def _list_metrics(store: MetricStore, caller: Caller, request: Request) -> Answer:
    """Answer ListMetrics, in pages of 500."""
    recent = round(time.time() * 1000) - _RECENT_MS if request.get("RecentlyActive") else None
    found = [
        each
        for each in store.series(caller.region, since_ms=recent)
        if is_ours(each.namespace) and _wanted(each, request)
    ]
    begin = _begin(request.get("NextToken"))
    answer: Answer = {"Metrics": [_named(each) for each in found[begin : begin + _PAGE_METRICS]]}
    if len(found) > begin + _PAGE_METRICS:
        answer["NextToken"] = f"sagedock-{begin + _PAGE_METRICS}"
    return answer


def _put_metric_data(store: MetricStore, caller: Caller, request: Request) -> Answer:
    """Answer PutMetricData: single values, and values with counts."""
    now_ms = round(time.time() * 1000)
    data = request.get("MetricData", ())
    if len(data) > _MOST_DATA:
        raise _validation(
            f"The collection MetricData must not have a size greater than {_MOST_DATA}."
        )
    found = [
        (
            Series(
                region=caller.region,
                namespace=request["Namespace"],
                name=datum["MetricName"],
                dimensions=_dimensions(datum),
                unit=datum.get("Unit", "None"),
            ),
            [Point(time_ms=_time_ms(datum, now_ms), value=value) for value in _values(datum)],
        )
        for datum in data
    ]
    store.add(found)
    return {}


OPERATIONS: Mapping[str, Callable[[MetricStore, Caller, Request], Answer]] = {
    "GetMetricData": _get_metric_data,
    "GetMetricStatistics": _get_metric_statistics,
    "ListMetrics": _list_metrics,
    "PutMetricData": _put_metric_data,
}


def _check_queries(queries: list[Request]) -> None:
    """Refuse queries that are not those of single metrics."""
    if len(queries) > _QUERIES:
        raise _validation(
            f"The collection MetricDataQueries must not have a size greater than {_QUERIES}."
        )
    ids = [query["Id"] for query in queries]
    if len(set(ids)) < len(ids):
        raise _validation("The values for parameter id in MetricDataQueries are not unique.")
    for number, query in enumerate(queries, 1):
        if "Expression" in query:
            raise _validation(
                f"MetricDataQueries.member.{number}.Expression: the local SageMaker computes no "
                "expressions over its own metrics: ask for each metric with MetricStat, and "
                "compute in your program"
            )
        if "MetricStat" not in query:
            raise _validation(
                f"The parameter MetricDataQueries.member.{number}.MetricStat is required.\n"
            )
        stat = query["MetricStat"]
        for name in ("Namespace", "MetricName"):
            if name not in stat["Metric"]:
                raise _validation(
                    f"The parameter MetricDataQueries.member.{number}.MetricStat.Metric.{name} is "
                    "required.\n"
                )
        _function(stat["Stat"])
        _period(stat["Period"])


def _queried(
    store: MetricStore,
    caller: Caller,
    query: Request,
    start_s: float,
    end_s: float,
    ascending: bool,
) -> list[tuple[int, float]]:
    """Return (time in seconds, value) of one query, in the order that is asked for."""
    stat = query["MetricStat"]
    compute = _function(stat["Stat"])
    found = _buckets(
        store, caller, stat["Metric"], start_s, end_s, stat["Period"], stat.get("Unit")
    )
    rows = [(each.start_s, float(compute(each.values))) for each in found]
    return rows if ascending else rows[::-1]


def _result(query: Request, rows: list[tuple[int, float]], status: str) -> Answer:
    return {
        "Id": query["Id"],
        "Label": query.get("Label") or query["MetricStat"]["Metric"]["MetricName"],
        "Timestamps": [datetime.fromtimestamp(at, UTC) for at, _ in rows],
        "Values": [value for _, value in rows],
        "StatusCode": status,
    }


def _datapoint(bucket: Bucket, plain: Any, extended: Any, unit: str) -> Answer:
    found: Answer = {
        "Timestamp": datetime.fromtimestamp(bucket.start_s, UTC),
        **{name: float(_function(name)(bucket.values)) for name in plain},
        "Unit": unit,
    }
    if extended:
        found["ExtendedStatistics"] = {
            name: float(_function(name)(bucket.values)) for name in extended
        }
    return found


def _buckets(
    store: MetricStore,
    caller: Caller,
    metric: Request,
    start_s: float,
    end_s: float,
    period_s: int,
    unit: str | None,
) -> list[Bucket]:
    """Return a metric's periods. The start is rounded down to the period, or to the minute.

    Source: API_GetMetricStatistics.
    """
    step_s = min(period_s, _MINUTE_S)
    points = store.points(
        caller.region,
        metric["Namespace"],
        metric["MetricName"],
        _dimensions(metric),
        unit=unit,
        start_ms=int(start_s // step_s * step_s) * 1000,
        end_ms=round(end_s * 1000),
    )
    return buckets(points, period_s)


def _unit(store: MetricStore, caller: Caller, request: Request) -> str:
    wanted = (request["Namespace"], request["MetricName"], _dimensions(request))
    units = (
        each.unit
        for each in store.series(caller.region)
        if (each.namespace, each.name, each.dimensions) == wanted
    )
    return next(units, "None")


def _wanted(series: Series, request: Request) -> bool:
    return (
        request.get("Namespace", series.namespace) == series.namespace
        and request.get("MetricName", series.name) == series.name
        and all(
            each["Name"] in series.dimensions
            and each.get("Value", series.dimensions[each["Name"]])
            == series.dimensions[each["Name"]]
            for each in request.get("Dimensions", ())
        )
    )


def _named(series: Series) -> Answer:
    return {
        "Namespace": series.namespace,
        "MetricName": series.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in series.dimensions.items()],
    }


def _dimensions(metric: Request) -> dict[str, str]:
    return {each["Name"]: each["Value"] for each in metric.get("Dimensions", ())}


def _time_ms(datum: Request, now_ms: int) -> int:
    moment = datum.get("Timestamp")
    return now_ms if moment is None else round(moment.timestamp() * 1000)


def _values(datum: Request) -> list[float]:
    if "StatisticValues" in datum:
        raise _validation(
            "The local SageMaker keeps single values: put Value, or Values, in place of "
            "StatisticValues"
        )
    values = datum.get("Values") or [datum[name] for name in ("Value",) if name in datum]
    counts = datum.get("Counts") or [1] * len(values)
    if not values or len(values) != len(counts):
        raise _validation("MetricData: give each datum a Value, or as many Counts as Values")
    are_counts = all(0 <= count <= _MOST_COUNTS for count in counts)
    if not all(map(is_value, values)) or not are_counts or sum(counts) > _MOST_COUNTS:
        raise _validation(
            "MetricData: values are numbers of at most 2^360, and counts 0 or more, together "
            f"{_MOST_COUNTS} here"
        )
    return [value for value, count in zip(values, counts, strict=True) for _ in range(int(count))]


def _span(request: Request) -> tuple[float, float]:
    start_s, end_s = request["StartTime"].timestamp(), request["EndTime"].timestamp()
    if start_s >= end_s:
        raise _validation("The parameter StartTime must be less than the parameter EndTime.")
    return start_s, end_s


def _period(period_s: int) -> int:
    if period_s % _MINUTE_S and period_s not in _SHORT_PERIODS_S:
        raise _parameter(
            f"The parameter Period must be a multiple of {_MINUTE_S}, or one of "
            f"{', '.join(map(str, _SHORT_PERIODS_S))}."
        )
    return period_s


def _function(name: str) -> Callable[[Any], float]:
    found = statistic(name)
    if found is None:
        raise _parameter(
            f"The value {name} for parameter Stat is not supported by the local SageMaker: use "
            "SampleCount, Average, Sum, Minimum, Maximum, or a percentile such as p99."
        )
    return found


def _begin(token: str | None) -> int:
    if token is None:
        return 0
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise Refused(ServiceError(code="InvalidNextToken", message="Invalid NextToken."))
    return int(found["start"])


def _validation(message: str) -> Refused:
    return Refused(ServiceError(code="ValidationError", message=message))


def _parameter(message: str) -> Refused:
    return Refused(ServiceError(code="InvalidParameterValue", message=message))


def _combination(message: str) -> Refused:
    return Refused(ServiceError(code="InvalidParameterCombination", message=message))
