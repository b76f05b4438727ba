"""The life of a training job, as changes to the document that DescribeTrainingJob answers.

Each function returns a new document. Times are epoch seconds, cut to milliseconds.
A status that lasts is one transition, whose message is overwritten in place.
"""

from collections.abc import Mapping
from typing import Any

__all__ = ["begin_stop", "end", "enter", "epoch_s"]

Document = Mapping[str, Any]


def epoch_s(time_s: float) -> float:
    """Return a time as the service answers it: in seconds, with milliseconds."""
    return round(time_s, 3)


def enter(document: Document, status: str, message: str, at: float) -> dict[str, Any]:
    """Return ``document`` in the secondary status ``status``.

    TrainingJobStatus stays as it is, but for Stopping: that is the status of both (source:
    API_DescribeTrainingJob), also where a limit stops the job.
    """
    at = epoch_s(at)
    past = [dict(transition) for transition in document["SecondaryStatusTransitions"]]
    if past and past[-1]["Status"] == status:
        past[-1]["StatusMessage"] = message
    else:
        if past:
            past[-1]["EndTime"] = at
        past.append({"Status": status, "StartTime": at, "StatusMessage": message})
    changed = {
        **document,
        "SecondaryStatus": status,
        "SecondaryStatusTransitions": past,
        "LastModifiedTime": at,
    }
    if status == "Stopping":
        changed["TrainingJobStatus"] = status
    if status == "Downloading":
        changed.setdefault("TrainingStartTime", at)
    return changed


def begin_stop(document: Document, at: float) -> dict[str, Any]:
    """Return ``document`` right after StopTrainingJob: its secondary status has not moved yet."""
    return {**document, "TrainingJobStatus": "Stopping", "LastModifiedTime": epoch_s(at)}


def end(
    document: Document,
    status: str,
    message: str,
    at: float,
    *,
    secondary: str | None = None,
    reason: str | None = None,
) -> dict[str, Any]:
    """Return ``document`` ended in ``status``; ``secondary`` differs for a limit that was reached.

    TrainingTimeInSeconds is the difference of the two times, each cut to whole seconds, and at
    least 1, the model's minimum.
    """
    at = epoch_s(at)
    ended = enter(document, secondary or status, message, at)
    ended["SecondaryStatusTransitions"][-1]["EndTime"] = at
    ended["TrainingJobStatus"] = status
    if reason is not None:
        ended["FailureReason"] = reason
    if "TrainingStartTime" in ended:
        seconds = max(1, int(at) - int(ended["TrainingStartTime"]))
        ended |= {
            "TrainingEndTime": at,
            "TrainingTimeInSeconds": seconds,
            "BillableTimeInSeconds": seconds,
        }
    return ended
