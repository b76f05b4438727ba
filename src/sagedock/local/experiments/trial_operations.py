"""Create, Describe, List, Update and Delete of experiments and trials."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from sagedock.api import experiment_messages as words
from sagedock.local.caller import Caller
from sagedock.local.experiments.component_document import trials_of
from sagedock.local.experiments.names import COMPONENT, EXPERIMENT, TRIAL, Kind, Shelf
from sagedock.local.experiments.paging import page_of
from sagedock.local.experiments.trial_document import new_experiment, new_trial, renamed
from sagedock.local.moments import epoch_s
from sagedock.local.platform import Platform
from sagedock.local.refusal import Refused
from sagedock.local.resources import Resource

__all__ = ["TrialOperations"]

Request = Mapping[str, Any]
Answer = dict[str, Any]


class TrialOperations:
    """The operations on experiments and trials. Requests arrive checked."""

    #: Those that only read the store.
    quick = frozenset({"DescribeExperiment", "DescribeTrial"})

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._experiments = Shelf(platform=platform, kind=EXPERIMENT)
        self._trials = Shelf(platform=platform, kind=TRIAL)
        self._components = Shelf(platform=platform, kind=COMPONENT)

    def table(self) -> Mapping[str, Callable[[Caller, Request], Any]]:
        """Return each operation's name with what carries it out."""
        return {
            "CreateExperiment": self.create_experiment,
            "CreateTrial": self.create_trial,
            "DeleteExperiment": self.delete_experiment,
            "DeleteTrial": self.delete_trial,
            "DescribeExperiment": lambda caller, request: self._described(
                self._experiments, caller, request
            ),
            "DescribeTrial": lambda caller, request: self._described(self._trials, caller, request),
            "ListExperiments": self.list_experiments,
            "ListTrials": self.list_trials,
            "UpdateExperiment": lambda caller, request: self._renamed(
                self._experiments, caller, request
            ),
            "UpdateTrial": lambda caller, request: self._renamed(self._trials, caller, request),
        }

    def create_experiment(self, caller: Caller, request: Request) -> Answer:
        """Store an experiment, or refuse a name that is taken."""
        arn = self._experiments.arn(caller, request["ExperimentName"])
        document = new_experiment(request, arn, epoch_s(time.time()))
        return {"ExperimentArn": self._experiments.add(caller, document, request.get("Tags", ()))}

    def create_trial(self, caller: Caller, request: Request) -> Answer:
        """Store a trial of an experiment, or refuse one that is not there."""
        with self._platform.resources.together():  # else that might be deleted in between
            experiment = self._experiments.found(caller, request["ExperimentName"])
            of_it = {**request, "ExperimentName": experiment.key.name}
            arn = self._trials.arn(caller, request["TrialName"])
            document = new_trial(of_it, arn, epoch_s(time.time()))
            return {"TrialArn": self._trials.add(caller, document, request.get("Tags", ()))}

    def list_experiments(self, caller: Caller, request: Request) -> Answer:
        """Answer a page of summaries."""
        return _page(EXPERIMENT, "ExperimentSummaries", self._experiments.every(caller), request)

    def list_trials(self, caller: Caller, request: Request) -> Answer:
        """Answer a page of summaries: all, of an experiment, or with a component."""
        found = self._trials.every(caller)
        if name := request.get("ExperimentName"):
            experiment = self._experiments.found(caller, name).key.name
            found = [each for each in found if each.document["ExperimentName"] == experiment]
        if name := request.get("TrialComponentName"):
            of_it = trials_of(self._components.found(caller, name).document)
            found = [each for each in found if each.key.name in of_it]
        return _page(TRIAL, "TrialSummaries", found, request)

    def delete_experiment(self, caller: Caller, request: Request) -> Answer:
        """Delete an experiment without trials."""
        with self._platform.resources.together():
            found = self._experiments.found(caller, request["ExperimentName"])
            left = [
                each.key.name
                for each in self._trials.every(caller)
                if each.document["ExperimentName"] == found.key.name
            ]
            _refuse_used(EXPERIMENT, found, "trials", left)
            return {"ExperimentArn": self._experiments.delete(found)}

    def delete_trial(self, caller: Caller, request: Request) -> Answer:
        """Delete a trial without components."""
        with self._platform.resources.together():
            found = self._trials.found(caller, request["TrialName"])
            left = [
                each.key.name
                for each in self._components.every(caller)
                if found.key.name in trials_of(each.document)
            ]
            _refuse_used(TRIAL, found, "trial components", left)
            return {"TrialArn": self._trials.delete(found)}

    def _described(self, shelf: Shelf, caller: Caller, request: Request) -> Answer:
        return dict(shelf.found(caller, request[shelf.kind.named]).document)

    def _renamed(self, shelf: Shelf, caller: Caller, request: Request) -> Answer:
        found, at = shelf.found(caller, request[shelf.kind.named]), epoch_s(time.time())
        shelf.change(found.key, lambda document: renamed(document, request, at))
        return {shelf.kind.arn: found.document[shelf.kind.arn]}


def _page(kind: Kind, member: str, found: list[Resource], request: Request) -> Answer:
    page, token = page_of(found, request)
    summaries = [
        {name: each.document[name] for name in kind.summary if name in each.document}
        for each in page
    ]
    return {member: summaries, **({"NextToken": token} if token else {})}


def _refuse_used(kind: Kind, found: Resource, what: str, left: list[str]) -> None:
    if left:
        by = f"{what} ({', '.join(left[:3])}{', ...' if len(left) > 3 else ''})"
        raise Refused(words.entity_still_used(kind.words, found.document[kind.arn], by))
