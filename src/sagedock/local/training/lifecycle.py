"""The life of a training job, as changes to the document that DescribeTrainingJob answers.

Each function returns a new document. Times are epoch seconds, cut to milliseconds.
A status that lasts is one transition, whose message is overwritten in place.
"""

from collections.abc import Mapping
from typing import Any

from sagedock.local.moments import epoch_s

__all__ = ["attempt", "attempt_began_s", "begin_stop", "billable_s", "end", "enter"]

Document = Mapping[str, Any]

#: What a spot job pays of the time that its machines work: an example, for the real share follows
#: the market (unverified; people's notebooks show savings of 60 to 90 %).
_SPOT_SHARE = 0.3
#: While a job is in these, it has machines.
_WITH_MACHINES = frozenset({"Downloading", "Training", "Uploading", "Stopping"})


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
        ended |= {"TrainingEndTime": at, "TrainingTimeInSeconds": seconds}
        ended["BillableTimeInSeconds"] = billable_s(ended)
    return ended


def billable_s(document: Document) -> int:
    """Return BillableTimeInSeconds of an ended job: all its training time, unless it is spot.

    A spot job pays for the time in which it has machines, and less for each second of it. At least
    1, the model's minimum. Source: API_DescribeTrainingJob ("savings").
    """
    if not document["EnableManagedSpotTraining"]:
        return int(document["TrainingTimeInSeconds"])
    with_machines = sum(
        each["EndTime"] - each["StartTime"]
        for each in document["SecondaryStatusTransitions"]
        if each["Status"] in _WITH_MACHINES
    )
    return max(1, int(with_machines * _SPOT_SHARE))


def attempt(document: Document) -> int:
    """Return which attempt this is, from 1: a job that was interrupted or retried starts again."""
    return len(_starts(document))


def attempt_began_s(document: Document) -> float:
    """Return when the attempt began, in epoch seconds: the first is the job's creation."""
    return float(_starts(document)[-1])


def _starts(document: Document) -> list[float]:
    transitions = document["SecondaryStatusTransitions"]
    return [each["StartTime"] for each in transitions if each["Status"] == "Starting"]
