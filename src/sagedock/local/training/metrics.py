"""Metric definitions, applied to a job's log: what FinalMetricDataList answers."""

import math
import re
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sagedock.local.logs import Event

__all__ = ["final_metrics"]


def final_metrics(
    definitions: Sequence[Mapping[str, str]], events: Iterable[Event]
) -> list[dict[str, Any]]:
    """Return the last value of each metric that occurs, in the order of the definitions.

    A definition's regular expression has one group, a number. Values are single-precision and
    times whole seconds, as the service answers them. Of several hosts, the latest line counts.
    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/training-metrics.html
    """
    expressions = {each["Name"]: re.compile(each["Regex"]) for each in definitions}
    found: dict[str, tuple[float, int]] = {}
    for event in events:
        for name, expression in expressions.items():
            for match in expression.finditer(event.message):
                value = _number(match)
                if value is not None and (name not in found or event.time_ms >= found[name][1]):
                    found[name] = (value, event.time_ms)
    return [
        {"MetricName": name, "Value": found[name][0], "Timestamp": float(found[name][1] // 1000)}
        for name in expressions
        if name in found
    ]


def _number(match: re.Match[str]) -> float | None:
    """Return the first group as a single-precision number, or None if it is no finite number."""
    try:
        value = float(match.group(1) if match.re.groups else match.group(0))
    except (TypeError, ValueError):
        return None
    if not math.isfinite(value):
        return None
    try:
        single: float = struct.unpack("f", struct.pack("f", value))[0]
    except OverflowError:
        return None
    return single
