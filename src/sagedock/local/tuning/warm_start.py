"""Warm start: what earlier tuning jobs found, handed to a new one.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-warm-start.html.
How AWS weighs the parents' trials is not documented: here they count as the job's own, with
TransferLearning each parent's on a scale of its own.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sagedock.api import ServiceError, tuning, tuning_messages
from sagedock.local.platform import Platform
from sagedock.local.resources import Key, Resource
from sagedock.local.tuning.definitions import definitions_of
from sagedock.local.tuning.document import PARENTS, SEED
from sagedock.local.tuning.names import KIND
from sagedock.local.tuning.trial import Trial, best_of, loss_of, summary
from sagedock.search import Tried

__all__ = ["best_of_parents", "found_by_parents", "refusal_of_parents", "tried_by_parents"]

Request = Mapping[str, Any]

_IDENTICAL = "IdenticalDataAndAlgorithm"
_USABLE = ("Completed", "Stopped")
#: Members of a definition that a warm start may change: row 92, and those that came after it.
_MAY_CHANGE = frozenset(
    {
        *("AlgorithmSpecification", "InputDataConfig", "OutputDataConfig", "RoleArn"),
        *("StaticHyperParameters", "ResourceConfig", "HyperParameterTuningResourceConfig"),
        *("StoppingCondition", "VpcConfig", "EnableManagedSpotTraining", "CheckpointConfig"),
        *("HyperParameterRanges", "TuningObjective"),
    }
)


def refusal_of_parents(platform: Platform, region: str, request: Request) -> ServiceError | None:
    """Return the refusal of a warm start that cannot be, or None."""
    for name in _names(request):
        parent = platform.resources.get(Key(region=region, kind=KIND, name=name))
        if parent is None:
            return tuning_messages.parent_not_found(name)
        if parent.status not in _USABLE:
            return tuning_messages.parent_not_usable(name, parent.status)
        if refusal := _difference(request, parent):
            return refusal
    return None


def found_by_parents(platform: Platform, region: str, request: Request) -> list[dict[str, Any]]:
    """Return what is to be kept of each parent: its trials' values and losses, and its best one."""
    found = []
    for name in _names(request):
        parent = platform.resources.get(Key(region=region, kind=KIND, name=name))
        if parent is None:
            continue
        definitions = definitions_of(parent.request, parent.request[SEED])
        trials = [Trial(**each) for each in platform.trials.of(parent.key)]
        best = best_of(trials, definitions)
        found.append(
            {
                "tried": [
                    {"values": each.values, "loss": loss}
                    for each in trials
                    if (loss := loss_of(each, definitions)) is not None
                ],
                "best": best and summary(best, definitions[best.definition], tuning_job=name),
            }
        )
    return found


def tried_by_parents(request: Request) -> list[Tried]:
    """Return what the search is to know of the parents' trials."""
    identical = _is_identical(request)
    return [
        Tried(values=each["values"], loss=each["loss"], group=0 if identical else number)
        for number, parent in enumerate(request.get(PARENTS, ()), start=1)
        for each in parent["tried"]
    ]


def best_of_parents(request: Request) -> list[Request]:
    """Return the summaries of the parents' best trials, if they compete with this job's."""
    if not _is_identical(request):
        return []
    return [parent["best"] for parent in request.get(PARENTS, ()) if parent["best"]]


def _names(request: Request) -> list[str]:
    parents = request.get("WarmStartConfig", {}).get("ParentHyperParameterTuningJobs", ())
    return [each["HyperParameterTuningJobName"] for each in parents]


def _is_identical(request: Request) -> bool:
    return bool(request.get("WarmStartConfig", {}).get("WarmStartType") == _IDENTICAL)


def _difference(request: Request, parent: Resource) -> ServiceError | None:
    """Return the refusal of what differs from a parent and must not. Of several definitions, those
    at the same place are compared (unverified).
    """
    pairs = zip(tuning.definitions(request), tuning.definitions(parent.request), strict=False)
    name = parent.key.name
    for mine, theirs in pairs:
        fixed = (set(mine) | set(theirs)) - _MAY_CHANGE
        if any(_said(mine, member) != _said(theirs, member) for member in fixed):
            return tuning_messages.warm_start_changes()
        if tuning.objective(request, mine) != tuning.objective(parent.request, theirs):
            return tuning_messages.warm_start_objective_changed(name)
        if _count(request, mine) != _count(parent.request, theirs):
            return tuning_messages.warm_start_hyperparameters_changed(name)
        if _is_identical(request) and _data(mine) != _data(theirs):
            return tuning_messages.warm_start_data_changed(name)
    return None


def _said(definition: Request, member: str) -> Any:
    """Return a member; what says nothing is as if it were left out."""
    return definition.get(member) or None


def _count(request: Request, definition: Request) -> int:
    ranges = tuning.ranges(request, definition)
    kinds: Sequence[str] = (*tuning.RANGES.values(), "AutoParameters")
    tuned = sum(len(ranges.get(kind) or ()) for kind in kinds)
    return tuned + len(definition.get("StaticHyperParameters") or {})


def _data(definition: Request) -> Any:
    algorithm = definition["AlgorithmSpecification"]
    image = {name: algorithm.get(name) for name in ("TrainingImage", "AlgorithmName")}
    return image, definition.get("InputDataConfig")
