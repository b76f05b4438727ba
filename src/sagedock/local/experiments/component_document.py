"""What DescribeTrialComponent answers: what was said of it, and what its job and metrics tell."""

from collections.abc import Mapping, Sequence
from statistics import fmean, pstdev
from typing import Any

from sagedock.local.metrics import Point

__all__ = ["associated", "described", "metric_summary", "new_component", "trials_of", "updated"]

Document = Mapping[str, Any]

#: The names of the trials that it is associated with.
_TRIALS = "_Trials"
_SAID = ("DisplayName", "Status", "StartTime", "EndTime", "MetadataProperties")
_MAPS = ("Parameters", "InputArtifacts", "OutputArtifacts")


def new_component(request: Document, arn: str, at: float) -> dict[str, Any]:
    """Return the document of a component created ``at`` (epoch seconds)."""
    said = {name: _plain(request[name]) for name in (*_SAID, *_MAPS) if name in request}
    return {
        "TrialComponentName": request["TrialComponentName"],
        "TrialComponentArn": arn,
        "DisplayName": request["TrialComponentName"],
        "CreationTime": at,
        "CreatedBy": {},
        "LastModifiedTime": at,
        "LastModifiedBy": {},
        **said,
        _TRIALS: [],
    }


def updated(document: Document, request: Document, at: float) -> dict[str, Any]:
    """Return ``document`` as UpdateTrialComponent changes it: maps are merged (unverified)."""
    changed = {**document, **{name: _plain(request[name]) for name in _SAID if name in request}}
    for name in _MAPS:
        merged = {**document.get(name, {}), **_plain(request.get(name, {}))}
        for key in request.get(f"{name}ToRemove", ()):
            merged.pop(key, None)
        if merged or name in document:
            changed[name] = merged
    return {**changed, "LastModifiedTime": at}


def trials_of(document: Document) -> list[str]:
    """Return the names of the trials that a component is associated with."""
    return list(document[_TRIALS])


def associated(document: Document, trials: Sequence[str], at: float) -> dict[str, Any]:
    """Return ``document`` associated with just these trials."""
    return {**document, _TRIALS: list(trials), "LastModifiedTime": at}


def described(document: Document, of_job: Document, metrics: Sequence[Document]) -> dict[str, Any]:
    """Return what Describe answers; ``of_job`` is what the job that is its source tells."""
    told = {name: value for name, value in document.items() if name != _TRIALS}
    for name in _MAPS:
        if merged := {**told.get(name, {}), **of_job.get(name, {})}:
            told[name] = merged
    rest = {name: value for name, value in of_job.items() if name not in _MAPS}
    return {**rest, **told, **({"Metrics": list(metrics)} if metrics else {})}


def metric_summary(name: str, source: str, points: Sequence[Point]) -> dict[str, Any]:
    """Return a metric's summary over its points, the first of which is the oldest."""
    values = [point.value for point in points]
    return {
        "MetricName": name,
        "SourceArn": source,
        "TimeStamp": points[-1].time_ms / 1000,
        "Max": max(values),
        "Min": min(values),
        "Last": values[-1],
        "Count": len(values),
        "Avg": fmean(values),
        "StdDev": pstdev(values),
    }


def _plain(value: Any) -> Any:
    """Return a value of a request as it is stored: times are epoch seconds."""
    return value.timestamp() if hasattr(value, "timestamp") else value
