"""How much capacity a policy asks for, as pure functions: target tracking, step scaling.

Sources, below https://docs.aws.amazon.com/autoscaling/application/userguide/:
application-auto-scaling-target-tracking.html, application-auto-scaling-step-scaling-policies.html
"""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

__all__ = ["aggregated", "stepped", "tracked"]

#: A quotient this near to a whole number is that number: floats are not exact.
_DIGITS = 9


def tracked(base: int, values: Sequence[float], target: float, *, out: bool) -> int:
    """Return the capacity that brings a metric to ``target``: in proportion, rounded up.

    ``values`` are the datapoints of the alarm, oldest first. Out it is the latest that counts ("as
    fast as it can"), in the highest of them ("conservatively"); which ones AWS takes is unverified.
    Nothing multiplied is nothing: target tracking does not leave zero (row 121 of the rest).
    """
    value = values[-1] if out else max(values)
    wanted = math.ceil(round(base * value / target, _DIGITS))
    return max(base, wanted) if out else max(0, min(base, wanted))


def aggregated(values: Sequence[float], how: str) -> float:
    """Return the datapoints of an alarm as one: MetricAggregationType."""
    match how:
        case "Minimum":
            return min(values)
        case "Maximum":
            return max(values)
        case _:
            return fmean(values)


def stepped(
    base: int, configuration: Mapping[str, Any], beyond: float, *, above: bool
) -> int | None:
    """Return the capacity that step scaling asks for, or None where no step holds.

    ``beyond`` is the metric less the threshold. Of an alarm for high values (``above``) lower
    bounds belong to a step and upper ones do not; of one for low values it is the other way.
    """
    for step in configuration["StepAdjustments"]:
        low = step.get("MetricIntervalLowerBound", -math.inf)
        high = step.get("MetricIntervalUpperBound", math.inf)
        if (low <= beyond < high) if above else (low < beyond <= high):
            return _adjusted(base, configuration, step["ScalingAdjustment"])
    return None


def _adjusted(base: int, configuration: Mapping[str, Any], adjustment: int) -> int:
    match configuration["AdjustmentType"]:
        case "ExactCapacity":
            return max(0, adjustment)
        case "ChangeInCapacity":
            return max(0, base + adjustment)
        case _:
            least = configuration.get("MinAdjustmentMagnitude", 0)
            return max(0, base + _percent(base, adjustment, least))


def _percent(base: int, adjustment: int, least: int) -> int:
    """Return the change that a percentage makes: towards zero, but by one at least."""
    change = base * adjustment / 100
    size = max(math.floor(abs(change)), 1 if change else 0, least if adjustment else 0)
    return size if adjustment > 0 else -size
