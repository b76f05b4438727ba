"""What DescribeHyperParameterTuningJob answers, from the creation of a job to its end.

Sources: rows 141 and 142 of the fidelity corpus, and the service's model.
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sagedock.api import tuning
from sagedock.local.moments import epoch_s
from sagedock.local.tuning.definitions import Definition
from sagedock.local.tuning.limits import has_converged, not_improving
from sagedock.local.tuning.names import TERMINAL
from sagedock.local.tuning.prospects import stops_early
from sagedock.local.tuning.trial import Trial, best_of, loss_of, summary

__all__ = [
    "PARENTS",
    "SEED",
    "SUMMARY",
    "described",
    "ended",
    "new_document",
    "stopping",
    "with_trials",
]

Document = Mapping[str, Any]

#: The members of a job's document that ListHyperParameterTuningJobs answers.
SUMMARY = (
    "HyperParameterTuningJobName",
    "HyperParameterTuningJobArn",
    "HyperParameterTuningJobStatus",
    "Strategy",
    "CreationTime",
    "HyperParameterTuningEndTime",
    "LastModifiedTime",
    "TrainingJobStatusCounters",
    "ObjectiveStatusCounters",
    "ResourceLimits",
)
#: Beside a stored request: what the search draws by, and what is known of the parents' trials.
SEED = "_Seed"
PARENTS = "_Parents"
#: For lists only: Describe has them within HyperParameterTuningJobConfig.
_LISTED = ("Strategy", "ResourceLimits")
_NO_TRIALS: Mapping[str, int] = dict.fromkeys(
    ("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped"), 0
)
_NO_OBJECTIVES: Mapping[str, int] = dict.fromkeys(("Succeeded", "Pending", "Failed"), 0)
_ECHOED = ("WarmStartConfig", "Autotune")
#: What of a definition is no training job's, or another shape there.
_FLAGS = (
    *("EnableNetworkIsolation", "EnableInterContainerTrafficEncryption"),
    "EnableManagedSpotTraining",
)
_RETRYABLE = "InternalServerError"


def new_document(request: Document, arn: str, at: float) -> dict[str, Any]:
    """Return the first document of a job created ``at`` (epoch seconds)."""
    config = request["HyperParameterTuningJobConfig"]
    document = {
        "HyperParameterTuningJobName": request["HyperParameterTuningJobName"],
        "HyperParameterTuningJobArn": arn,
        "HyperParameterTuningJobConfig": {
            "TrainingJobEarlyStoppingType": "Auto" if stops_early(request) else "Off",
            **config,
        },
        "HyperParameterTuningJobStatus": "InProgress",
        "CreationTime": at,
        "LastModifiedTime": at,
        "TrainingJobStatusCounters": _NO_TRIALS,
        "ObjectiveStatusCounters": _NO_OBJECTIVES,
        "Strategy": config["Strategy"],
        "ResourceLimits": config["ResourceLimits"],
        **{name: request[name] for name in _ECHOED if name in request},
    }
    if "TrainingJobDefinition" in request:
        document["TrainingJobDefinition"] = _definition(request, request["TrainingJobDefinition"])
    else:
        document["TrainingJobDefinitions"] = [
            _definition(request, each) for each in request["TrainingJobDefinitions"]
        ]
    return document


def described(document: Document) -> dict[str, Any]:
    """Return what Describe answers of a document."""
    found = {name: value for name, value in document.items() if name not in _LISTED}
    last = document.get("HyperParameterTuningEndTime", time.time())
    seconds = max(0, int(last - document["CreationTime"]))
    found["ConsumedResources"] = {"RuntimeInSeconds": seconds}
    return found


def with_trials(
    document: Document,
    trials: Sequence[Trial],
    definitions: Sequence[Definition],
    parents: Sequence[Mapping[str, Any]],
    at: float,
) -> dict[str, Any]:
    """Return ``document`` with what its trials have reached; ``parents`` are the summaries of the
    best ones of a warm start with identical data.
    """
    details: dict[str, Any] = {
        "NumberOfTrainingJobsObjectiveNotImproving": not_improving(trials, definitions)
    }
    before = document.get("TuningJobCompletionDetails", {}).get("ConvergenceDetectedTime")
    if before is not None or has_converged(trials, definitions):
        details["ConvergenceDetectedTime"] = before if before is not None else epoch_s(at)
    changed = {
        **document,
        "LastModifiedTime": epoch_s(at),
        "TrainingJobStatusCounters": {**_NO_TRIALS, **Counter(map(_counted, trials))},
        "ObjectiveStatusCounters": {
            **_NO_OBJECTIVES,
            **Counter(each.objective_status for each in trials),
        },
        "TuningJobCompletionDetails": details,
    }
    best = best_of(trials, definitions)
    if best is not None:
        changed["BestTrainingJob"] = summary(best, definitions[best.definition])
    if parents:
        changed["OverallBestTrainingJob"] = _overall(document, best, definitions, parents)
    return changed


def stopping(document: Document, at: float) -> dict[str, Any]:
    """Return ``document`` right after StopHyperParameterTuningJob."""
    return {**document, "HyperParameterTuningJobStatus": "Stopping", "LastModifiedTime": at}


def ended(document: Document, status: str, at: float, reason: str | None) -> dict[str, Any]:
    """Return ``document`` of a job that ended in ``status``."""
    if document["HyperParameterTuningJobStatus"] in TERMINAL:
        return dict(document)
    changed = {
        **document,
        "HyperParameterTuningJobStatus": status,
        "HyperParameterTuningEndTime": at,
        "LastModifiedTime": at,
    }
    return changed if reason is None else {**changed, "FailureReason": reason}


def _definition(request: Document, definition: Document) -> dict[str, Any]:
    """Return a definition as Describe answers it: the SDK v2 takes the objective's hyperparameter
    out of StaticHyperParameters there, and looks for a ResourceConfig, also where it had sent a
    HyperParameterTuningResourceConfig. That these and flags are filled in is unverified.
    """
    metric = tuning.objective(request, definition)["MetricName"]
    static = {
        tuning.METRIC_HYPERPARAMETER: metric,
        **definition.get("StaticHyperParameters", {}),
    }
    flags = dict.fromkeys(_FLAGS, False)
    return {
        **flags,
        "ResourceConfig": dict(tuning.resource_config(definition)),
        **definition,
        "StaticHyperParameters": static,
    }


def _counted(trial: Trial) -> str:
    """Return which counter a trial is in."""
    match trial.status:
        case "Completed" | "Stopped":
            return trial.status
        case "Failed":
            retryable = (trial.reason or "").startswith(_RETRYABLE)
            return "RetryableError" if retryable else "NonRetryableError"
        case _:
            return "InProgress"


def _overall(
    document: Document,
    best: Trial | None,
    definitions: Sequence[Definition],
    parents: Sequence[Mapping[str, Any]],
) -> Mapping[str, Any]:
    """Return the summary of the best of this job and of its parents."""
    known = [
        (definitions[0].loss(each["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]), each)
        for each in parents
    ]
    loss = loss_of(best, definitions) if best else None
    if best is not None and loss is not None:
        name = document["HyperParameterTuningJobName"]
        mine = summary(best, definitions[best.definition], tuning_job=name)
        known = [(loss, mine), *known]
    return min(known, key=lambda one: one[0])[1]
