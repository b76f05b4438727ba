"""The trial components of jobs: made when a job with an ExperimentConfig is created.

Source: the model's words on ExperimentConfig. On AWS every job has a component, with or without
one; and what a new trial is called is unverified.
"""

import time
from collections.abc import Mapping
from typing import Any

from sagedock.local.caller import Caller
from sagedock.local.experiments.component_document import associated, new_component
from sagedock.local.experiments.names import COMPONENT, EXPERIMENT, TRIAL, Shelf
from sagedock.local.experiments.sources import JobKind, parameters_of
from sagedock.local.experiments.trial_document import new_trial
from sagedock.local.moments import epoch_s
from sagedock.local.platform import Platform

__all__ = ["component_of_job", "track", "untrack"]

Request = Mapping[str, Any]


def track(platform: Platform, caller: Caller, kind: JobKind, arn: str, request: Request) -> None:
    """Make the component of a job that is being created, in the transaction of that; or refuse: its
    experiment or trial is not there.
    """
    config = request.get("ExperimentConfig")
    if not config:
        return
    experiments = Shelf(platform=platform, kind=EXPERIMENT)
    trials = Shelf(platform=platform, kind=TRIAL)
    at, job = epoch_s(time.time()), request[kind.named]
    experiment = config.get("ExperimentName")
    if experiment:
        experiments.found(caller, experiment)
    name = kind.component(job)
    trial = None
    if config.get("TrialName"):
        trial = trials.found(caller, config["TrialName"]).key.name
    elif experiment:
        trial = _own_trial(name)
        wanted = {"TrialName": trial, "ExperimentName": experiment}
        trials.add(caller, new_trial(wanted, trials.arn(caller, trial), at))
    component_of_job(platform, caller, kind, arn, request, trial)


def component_of_job(
    platform: Platform,
    caller: Caller,
    kind: JobKind,
    arn: str,
    request: Request,
    trial: str | None = None,
) -> str:
    """Return the ARN of a job's component, which is made if it is not there, of ``trial``."""
    components = Shelf(platform=platform, kind=COMPONENT)
    name, at = kind.component(request[kind.named]), epoch_s(time.time())
    found = platform.resources.alike(components.key(caller, name))
    if found is not None:
        return str(found.document["TrialComponentArn"])
    display = (request.get("ExperimentConfig") or {}).get("TrialComponentDisplayName")
    said = {
        "TrialComponentName": name,
        **parameters_of(request),
        **({"DisplayName": display} if display else {}),
    }
    document = {
        **new_component(said, components.arn(caller, name), at),
        "Source": {"SourceArn": arn, "SourceType": kind.source_type},
    }
    return components.add(caller, associated(document, [trial] if trial else [], at))


def untrack(platform: Platform, caller: Caller, kind: JobKind, request: Request) -> None:
    """Take back what ``track`` made for a job that could not be started."""
    if not request.get("ExperimentConfig"):
        return
    name = kind.component(request[kind.named])
    for shelf, each in ((COMPONENT, name), (TRIAL, _own_trial(name))):
        of_kind = Shelf(platform=platform, kind=shelf)
        found = platform.resources.alike(of_kind.key(caller, each))
        if found is not None:
            of_kind.delete(found)


def _own_trial(component: str) -> str:
    """Return what the trial of a component is called for which none was named."""
    return f"{component}-trial"
