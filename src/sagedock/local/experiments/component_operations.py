"""Create, Describe, List, Update and DeleteTrialComponent; their associations with trials."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sagedock.api import experiment_messages as words
from sagedock.local.caller import Caller
from sagedock.local.experiments import component_document as document
from sagedock.local.experiments.names import COMPONENT, EXPERIMENT, TRIAL, Shelf
from sagedock.local.experiments.paging import page_of
from sagedock.local.experiments.sources import metrics_of, told_by_job
from sagedock.local.moments import epoch_s
from sagedock.local.platform import Platform
from sagedock.local.refusal import Refused
from sagedock.local.resources import Resource

__all__ = ["ComponentOperations", "described_component"]

Request = Mapping[str, Any]
Answer = dict[str, Any]
#: The trials of a component, as the association with one of a name changes them.
Change = Callable[[list[str], str], list[str]]

_FILTERS = ("ExperimentName", "TrialName", "SourceArn")


class ComponentOperations:
    """The operations on trial components. Requests arrive checked."""

    #: None: what a component tells may be read from all metrics.
    quick: frozenset[str] = frozenset()

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._experiments = Shelf(platform=platform, kind=EXPERIMENT)
        self._trials = Shelf(platform=platform, kind=TRIAL)
        self._components = Shelf(platform=platform, kind=COMPONENT)

    def table(self) -> Mapping[str, Callable[[Caller, Request], Any]]:
        """Return each operation's name with what carries it out."""
        return {
            "AssociateTrialComponent": self.associate,
            "CreateTrialComponent": self.create,
            "DeleteTrialComponent": self.delete,
            "DescribeTrialComponent": self.describe,
            "DisassociateTrialComponent": self.disassociate,
            "ListTrialComponents": self.list,
            "UpdateTrialComponent": self.update,
        }

    def create(self, caller: Caller, request: Request) -> Answer:
        """Store a component, or refuse a name that is taken."""
        arn = self._components.arn(caller, request["TrialComponentName"])
        made = document.new_component(request, arn, epoch_s(time.time()))
        arn = self._components.add(caller, made, request.get("Tags", ()))
        return {"TrialComponentArn": arn}

    def describe(self, caller: Caller, request: Request) -> Answer:
        """Answer the component of a name or ARN."""
        found = self._components.found(caller, request["TrialComponentName"])
        return described_component(self._platform, found)

    def list(self, caller: Caller, request: Request) -> Answer:
        """Answer a page of summaries: all, of an experiment, of a trial, or of a source."""
        given = [name for name in _FILTERS if request.get(name)]
        if len(given) > 1:
            raise Refused(words.several_filters(", ".join(given)))
        page, token = page_of(self._listed(caller, request), request)
        summaries = [self._summary(each) for each in page]
        return {
            "TrialComponentSummaries": summaries,
            **({"NextToken": token} if token else {}),
        }

    def update(self, caller: Caller, request: Request) -> Answer:
        """Change what is said of a component."""
        found = self._components.found(caller, request["TrialComponentName"])
        at = epoch_s(time.time())
        self._components.change(found.key, lambda each: document.updated(each, request, at))
        return {"TrialComponentArn": found.document["TrialComponentArn"]}

    def delete(self, caller: Caller, request: Request) -> Answer:
        """Delete a component that no trial is associated with."""
        with self._platform.resources.together():
            found = self._components.found(caller, request["TrialComponentName"])
            if trials := document.trials_of(found.document):
                arn, by = found.document["TrialComponentArn"], f"trials ({', '.join(trials)})"
                raise Refused(words.entity_still_used(COMPONENT.words, arn, by))
            return {"TrialComponentArn": self._components.delete(found)}

    def associate(self, caller: Caller, request: Request) -> Answer:
        """Associate a component with a trial; once more changes nothing."""
        return self._associated(
            caller, request, lambda trials, name: [*(t for t in trials if t != name), name]
        )

    def disassociate(self, caller: Caller, request: Request) -> Answer:
        """Take a component from a trial."""
        return self._associated(
            caller, request, lambda trials, name: [t for t in trials if t != name]
        )

    def _associated(self, caller: Caller, request: Request, change: Change) -> Answer:
        at = epoch_s(time.time())
        with self._platform.resources.together():
            component = self._components.found(caller, request["TrialComponentName"])
            trial = self._trials.found(caller, request["TrialName"])
            self._components.change(
                component.key,
                lambda each: document.associated(
                    each, change(document.trials_of(each), trial.key.name), at
                ),
            )
        return {
            "TrialComponentArn": component.document["TrialComponentArn"],
            "TrialArn": trial.document["TrialArn"],
        }

    def _listed(self, caller: Caller, request: Request) -> Sequence[Resource]:
        found = self._components.every(caller)
        if name := request.get("TrialName"):
            trial = self._trials.found(caller, name).key.name
            return [each for each in found if trial in document.trials_of(each.document)]
        if name := request.get("ExperimentName"):
            experiment = self._experiments.found(caller, name).key.name
            trials = {
                each.key.name
                for each in self._trials.every(caller)
                if each.document["ExperimentName"] == experiment
            }
            return [each for each in found if trials & {*document.trials_of(each.document)}]
        if arn := request.get("SourceArn"):
            return [each for each in found if _source(each).get("SourceArn") == arn]
        return found

    def _summary(self, found: Resource) -> Answer:
        source = _source(found)
        told = told_by_job(self._platform, source["SourceArn"]) if source else {}
        whole = {**told, **found.document}
        summary = {name: whole[name] for name in COMPONENT.summary if name in whole}
        return {**summary, **({"TrialComponentSource": source} if source else {})}


def described_component(platform: Platform, found: Resource) -> Answer:
    """Return what Describe answers of a component as it is now."""
    source = _source(found)
    told = told_by_job(platform, source["SourceArn"]) if source else {}
    arn = found.document["TrialComponentArn"]
    metrics = metrics_of(platform, found.key.region, arn, source)
    return document.described(found.document, told, metrics)


def _source(found: Resource) -> Request:
    source: Request = found.document.get("Source") or {}
    return source
