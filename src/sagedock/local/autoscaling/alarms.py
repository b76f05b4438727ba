"""CloudWatch's alarms, as pure functions: datapoints in, a state out.

Sources: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

__all__ = ["COMPARISONS", "AlarmRule", "Datapoints", "State", "evaluate", "window"]

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
#: The value of each period, oldest first, None where there is none.
Datapoints = Sequence[float | None]

#: More datapoints are looked at than are evaluated, for some may be late: in the guide's tables
#: two, for three.
_EXTRA = 2
_BREACHES: Mapping[str, Callable[[float, float], bool]] = MappingProxyType(
    {
        "GreaterThanOrEqualToThreshold": lambda value, limit: value >= limit,
        "GreaterThanThreshold": lambda value, limit: value > limit,
        "LessThanThreshold": lambda value, limit: value < limit,
        "LessThanOrEqualToThreshold": lambda value, limit: value <= limit,
    }
)


#: The comparisons with a static threshold.
COMPARISONS = frozenset(_BREACHES)


@dataclass(frozen=True, kw_only=True)
class AlarmRule:
    """When an alarm goes off: ``needed`` of the last ``periods`` datapoints breach the threshold.

    ``missing`` is what stands for a period without data: missing, ignore, breaching, notBreaching.
    """

    comparison: str
    threshold: float
    periods: int
    needed: int
    period_s: int
    missing: str = "missing"

    @classmethod
    def of(cls, alarm: Mapping[str, Any]) -> "AlarmRule":
        """Return the rule of an alarm as PutMetricAlarm has it."""
        return cls(
            comparison=alarm["ComparisonOperator"],
            threshold=alarm["Threshold"],
            periods=alarm["EvaluationPeriods"],
            needed=alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"],
            period_s=alarm["Period"],
            missing=alarm.get("TreatMissingData", "missing"),
        )

    @property
    def looked_at(self) -> int:
        """How many of the last periods are looked at."""
        return self.periods + _EXTRA

    @property
    def above(self) -> bool:
        """Whether it watches for high values."""
        return self.comparison.startswith("Greater")

    def breaches(self, value: float) -> bool:
        """Say whether one value is beyond the threshold."""
        return _BREACHES[self.comparison](value, self.threshold)


def evaluate(rule: AlarmRule, datapoints: Datapoints, before: State) -> State:
    """Return the state that the last ``rule.looked_at`` datapoints make of an alarm.

    Where there are enough of them, only those that exist count, the latest; else the missing ones
    are taken as the alarm says. That few data which alarm nobody are ``OK`` is unverified.
    """
    found = window(rule, datapoints)
    if len(found) >= rule.periods:
        return "ALARM" if _breaching(rule, found) >= rule.needed else "OK"
    lacking = rule.periods - len(found)
    match rule.missing:
        case "breaching":
            return "ALARM" if _breaching(rule, found) + lacking >= rule.needed else "OK"
        case "notBreaching":
            return "ALARM" if _breaching(rule, found) >= rule.needed else "OK"
    if not found:
        return before if rule.missing == "ignore" else "INSUFFICIENT_DATA"
    if _breaching(rule, found) >= rule.needed or _has_waited(rule, datapoints):
        return "ALARM"
    if rule.missing == "ignore" and rule.breaches(found[-1]):
        return before
    return "OK"


def window(rule: AlarmRule, datapoints: Datapoints) -> list[float]:
    """Return the datapoints that are evaluated: the latest that exist, oldest first."""
    looked_at = datapoints[-rule.looked_at :]
    return [value for value in looked_at if value is not None][-rule.periods :]


def _breaching(rule: AlarmRule, found: Sequence[float]) -> int:
    return sum(map(rule.breaches, found))


def _has_waited(rule: AlarmRule, datapoints: Datapoints) -> bool:
    """Say whether the oldest breaching datapoint is at least as old as those needed, and nothing
    after it is within the threshold: then the alarm goes off, however little data there is.
    """
    looked_at = datapoints[-rule.looked_at :]
    for age, value in zip(range(len(looked_at), 0, -1), looked_at, strict=True):
        if value is not None and rule.breaches(value):
            later = looked_at[len(looked_at) - age :]
            return age >= rule.needed and all(each is None or rule.breaches(each) for each in later)
    return False
