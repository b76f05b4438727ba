"""What is published of scalable resources because they are scalable.

Where nothing was invoked the service publishes zeros, so that an idle variant is scaled in. Source:
the developer guide's endpoint-auto-scaling-edit ("emits metrics with a value of zero"). Requests in
flight are published every 10 seconds; what is scaled says how many there are.
"""

import math
from collections.abc import Iterator, Mapping, Sequence

from sagedock.api.metrics import ENDPOINTS, UNIT_OF_INVOCATIONS
from sagedock.api.scaling import PREDEFINED, ScalingMetric
from sagedock.local.autoscaling.clock import Clock
from sagedock.local.autoscaling.fleets import Fleet, ScalableResource
from sagedock.local.metrics import MetricStore, Point, Series

__all__ = ["Measures"]

Found = tuple[Series, list[Point]]

_MINUTE_S, _OFTEN_S = 60, 10
#: Source: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
_UNIT = UNIT_OF_INVOCATIONS
_COUNTED = [row for row in PREDEFINED.values() if row.statistic == "Sum"]
_IN_FLIGHT = [row for row in PREDEFINED.values() if row.statistic == "Maximum"]


class Measures:
    """Publishes both, each in its own interval. One thread uses it."""

    def __init__(self, metrics: MetricStore, clock: Clock) -> None:
        self._metrics = metrics
        self._clock = clock
        self._interval: int | None = None
        #: What ran, by the minute. What happened while no server ran is unknown, and not zero.
        self._running: dict[int, frozenset[ScalableResource]] = {}

    def publish(self, fleets: Mapping[ScalableResource, Fleet], now_s: float) -> None:
        """Publish what is due now of what is scaled."""
        interval = math.floor(self._clock.scaled(now_s) / _OFTEN_S)
        if self._interval != interval:
            self._interval = interval
            self._metrics.add([*_in_flight(fleets, now_s)])
        minute = math.floor(self._clock.scaled(now_s) / _MINUTE_S)
        if minute not in self._running:
            # What was invoked may be published a little late: it is the last minute but one.
            self._metrics.add([*self._zeros(minute - 2)])
            running = frozenset(
                resource for resource, fleet in fleets.items() if fleet.current and fleet.is_counted
            )
            kept = {when: who for when, who in self._running.items() if when > minute - 2}
            self._running = {**kept, minute: running}

    def _zeros(self, minute: int) -> Iterator[Found]:
        """Yield a zero for each metric without a value in a minute."""
        begin_ms = math.ceil(self._clock.real(minute * _MINUTE_S) * 1000)
        end_ms = math.floor(self._clock.real((minute + 1) * _MINUTE_S) * 1000)
        for resource in self._running.get(minute, ()):
            for row in _rows(_COUNTED, resource):
                known = self._metrics.points(
                    resource.region,
                    ENDPOINTS,
                    row.name,
                    resource.metric_dimensions,
                    start_ms=begin_ms,
                    end_ms=end_ms,
                )
                if not known:
                    yield _series(resource, row), [Point(time_ms=begin_ms, value=0.0)]


def _in_flight(fleets: Mapping[ScalableResource, Fleet], now_s: float) -> Iterator[Found]:
    for resource, fleet in fleets.items():
        if fleet.in_flight is not None:
            for row in _rows(_IN_FLIGHT, resource):
                point = Point(time_ms=round(now_s * 1000), value=float(fleet.in_flight))
                yield _series(resource, row), [point]


def _rows(rows: Sequence[ScalingMetric], resource: ScalableResource) -> Iterator[ScalingMetric]:
    return (row for row in rows if row.dimension.name == resource.dimension)


def _series(resource: ScalableResource, row: ScalingMetric) -> Series:
    return Series(
        region=resource.region,
        namespace=ENDPOINTS,
        name=row.name,
        dimensions=resource.metric_dimensions,
        unit=_UNIT,
    )
