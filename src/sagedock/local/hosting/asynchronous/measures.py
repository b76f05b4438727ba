"""Metrics of asynchronous endpoints: of each request that ended, and of the backlog."""

import time
from collections.abc import Iterator, Mapping

from sagedock.api import hosting_metrics as names
from sagedock.api import metrics as common
from sagedock.local.async_requests import AsyncRequest, Backlog
from sagedock.local.hosting.asynchronous.outcome import Outcome
from sagedock.local.metrics import Point, Series

__all__ = ["backlog_points", "notification_failed", "outcome_points"]

Found = tuple[Series, list[Point]]

_US, _MS = 1e6, 1e3


def outcome_points(request: AsyncRequest, outcome: Outcome) -> Iterator[Found]:
    """Yield what is published of one request that ended."""
    for name, (unit, value) in _values(request, outcome).items():
        yield _of_variant(request, outcome.variant, name, unit, value)


def notification_failed(request: AsyncRequest, variant: str) -> Found:
    """Return what is published where a topic could not be told."""
    name = names.NOTIFICATION_FAILURES
    return _of_variant(request, variant, name, names.UNITS[name], 1.0)


def backlog_points(
    region: str, endpoint: str, backlog: Backlog, instances: int, now: float
) -> Iterator[Found]:
    """Yield what is published of a backlog. Without an instance none is its share (row 121 of
    aws-answers' page on the rest).
    """
    values: dict[str, float] = {
        names.BACKLOG: backlog.size,
        names.AGE_OF_OLDEST: 0.0 if backlog.oldest is None else max(0.0, now - backlog.oldest),
        names.WITHOUT_CAPACITY: float(backlog.size > 0 and instances == 0),
    }
    if instances:
        values[names.BACKLOG_PER_INSTANCE] = backlog.size / instances
    for name, value in values.items():
        series = Series(
            region=region,
            namespace=common.ENDPOINTS,
            name=name,
            dimensions=names.endpoint_dimension(endpoint),
            unit=names.BACKLOG_UNITS[name],
        )
        yield series, [Point(time_ms=round(now * 1000), value=float(value))]


def _values(request: AsyncRequest, outcome: Outcome) -> Mapping[str, tuple[str, float]]:
    """Return each metric's unit and value: counts that happened, times of what was done."""
    counts = {
        names.PROCESSED: True,
        names.FAILURES: not outcome.succeeded,
        names.EXPIRED: outcome.expired,
        names.DOWNLOAD_FAILURES: outcome.download_failed,
        names.UPLOAD_FAILURES: outcome.upload_failed,
    }
    times = {
        names.TIME_IN_BACKLOG: (outcome.queued_s, _US),
        names.DOWNLOAD_LATENCY: (outcome.download_s, _US),
        names.UPLOAD_LATENCY: (outcome.upload_s, _US),
        names.TOTAL_TIME: (outcome.ended - request.received, _MS),
    }
    values = {name: (names.UNITS[name], 1.0) for name, happened in counts.items() if happened}
    for name, (seconds, scale) in times.items():
        if seconds is not None:
            values[name] = (names.UNITS[name], max(0.0, seconds) * scale)
    return {**values, **_of_model(outcome)}


def _of_model(outcome: Outcome) -> Mapping[str, tuple[str, float]]:
    """Return what every endpoint has: latency and errors of the container."""
    if outcome.model_s is None:
        return {}
    return {
        common.MODEL_LATENCY: (common.UNIT_OF_LATENCIES, outcome.model_s * _US),
        common.CLIENT_ERRORS: (common.UNIT_OF_INVOCATIONS, float(400 <= outcome.status < 500)),
        common.SERVER_ERRORS: (common.UNIT_OF_INVOCATIONS, float(outcome.status >= 500)),
    }


def _of_variant(request: AsyncRequest, variant: str, name: str, unit: str, value: float) -> Found:
    series = Series(
        region=request.region,
        namespace=common.ENDPOINTS,
        name=name,
        dimensions=common.variant_dimensions(request.endpoint, variant),
        unit=unit,
    )
    return series, [Point(time_ms=round(time.time() * 1000), value=value)]
