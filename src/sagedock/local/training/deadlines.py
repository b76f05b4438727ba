"""When a training job's time is over, in epoch seconds; infinity where nothing limits it.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StoppingCondition.html
"""

import math
from collections.abc import Mapping
from typing import Any

from sagedock.local.training import layout

__all__ = ["pending_deadline", "runtime_deadline", "wait_deadline"]

Document = Mapping[str, Any]
#: Families whose jobs MaxPendingTimeInSeconds holds for (source: the model's own words).
_ACCELERATED = ("ml.p", "ml.g", "ml.trn")


def runtime_deadline(document: Document, now: float) -> float:
    """Return when MaxRuntimeInSeconds is over: it counts the Training of all attempts in total."""
    spent, began = 0.0, now
    for each in document["SecondaryStatusTransitions"]:
        if each["Status"] != "Training":
            continue
        if "EndTime" in each:
            spent += each["EndTime"] - each["StartTime"]
        else:
            began = each["StartTime"]
    return began + float(document["StoppingCondition"]["MaxRuntimeInSeconds"]) - spent


def wait_deadline(document: Document) -> float:
    """Return when MaxWaitTimeInSeconds is over, counted from the job's creation."""
    allowed = document["StoppingCondition"].get("MaxWaitTimeInSeconds", math.inf)
    return float(document["CreationTime"]) + float(allowed)


def pending_deadline(document: Document) -> float:
    """Return when MaxPendingTimeInSeconds is over, for a job that is Pending on accelerated types.

    It has no effect on others.
    """
    last = document["SecondaryStatusTransitions"][-1]
    allowed = document["StoppingCondition"].get("MaxPendingTimeInSeconds")
    if allowed is None or last["Status"] != "Pending" or not _is_accelerated(document):
        return math.inf
    return float(last["StartTime"]) + float(allowed)


def _is_accelerated(document: Document) -> bool:
    return any(
        group.instance_type.startswith(_ACCELERATED) for group in layout.host_groups(document)
    )
