"""The kinds of resources that the local SageMaker has: what runs of them, and their operations."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, Self

from sagedock.local import (
    experiments,
    hosting,
    lineage,
    pipelines,
    processing,
    registry,
    training,
    transform,
    tuning,
)
from sagedock.local.caller import Caller
from sagedock.local.calls import Calls
from sagedock.local.events import Events
from sagedock.local.faults_in_calls import refused_on_request
from sagedock.local.json_service import JsonService
from sagedock.local.platform import Platform
from sagedock.local.search import SearchOperations
from sagedock.local.state_changes import StateChanges
from sagedock.local.tag_operations import TagOperations
from sagedock.local.training import TrainingJobs

__all__ = ["SUMMARIES", "Kinds"]

#: The members that lists answer, by kind.
SUMMARIES: Mapping[str, Sequence[str]] = {
    training.KIND: training.SUMMARY,
    processing.KIND: processing.SUMMARY,
    transform.KIND: transform.SUMMARY,
    tuning.KIND: tuning.SUMMARY,
    **hosting.SUMMARIES,
    **pipelines.SUMMARIES,
    **registry.SUMMARIES,
}


class _Running(Protocol):
    """All of one kind that runs."""

    def resume(self) -> None:
        """Take up what a killed server left."""

    def shut_down(self, grace_s: float) -> None:
        """Stop everything, and return when nothing is left. Nothing starts any more."""


class _Operations(Protocol):
    """The operations on one kind."""

    #: Those that only read the store.
    quick: frozenset[str]

    def table(self) -> Mapping[str, Callable[[Caller, Mapping[str, Any]], Any]]:
        """Return each operation's name with what carries it out."""
        ...


@dataclass(frozen=True, kw_only=True)
class Kinds:
    """What runs of every kind, on one platform. ``calls`` are those of the service, from within."""

    platform: Platform
    training: TrainingJobs
    endpoints: hosting.Endpoints
    transforms: transform.TransformJobs
    executions: pipelines.Executions
    events: Events
    processing: processing.ProcessingJobs
    tunings: tuning.TuningJobs
    calls: Calls

    @classmethod
    def of(cls, platform: Platform, environment: Callable[[], Mapping[str, str]]) -> Self:
        """Return them, with nothing taken up yet. ``environment`` is what points clients here."""
        jobs = TrainingJobs(platform)
        calls = Calls()
        serving = transform.HostedContainers(platform=platform)
        return cls(
            platform=platform,
            training=jobs,
            endpoints=hosting.Endpoints(platform),
            transforms=transform.TransformJobs(platform, jobs.slots, serving),
            processing=processing.ProcessingJobs(platform, jobs.slots),
            executions=pipelines.pipelines_of(platform, calls),
            events=Events(platform.resources, platform.settings.event_hook, environment),
            tunings=tuning.TuningJobs(platform, calls),
            calls=calls,
        )

    @property
    def running(self) -> tuple[_Running, ...]:
        """All that runs, in the order in which it is taken up."""
        return (
            self.events,
            self.training,
            self.endpoints,
            self.transforms,
            self.processing,
            self.tunings,
            self.executions,
        )

    def resume(self) -> None:
        """Take up what a killed server left."""
        changes = StateChanges(
            events=self.events,
            account=self.platform.settings.account,
            tags=self.platform.tags.list,
        )
        self.platform.resources.have_witnessed(changes.witnessed)
        for each in self.running:
            each.resume()

    def shut_down(self, grace_s: float) -> None:
        """Stop all that runs, the last kind first: what creates jobs ends before they do."""
        for each in reversed(self.running):
            each.shut_down(grace_s)

    def service(self) -> JsonService:
        """Return the service that carries out all operations, for calls from within, too."""
        groups = self._operations()
        operations = {name: each for group in groups for name, each in group.table().items()}
        service = JsonService(
            service="sagemaker",
            operations={**operations, **TagOperations(self.platform).table()},
            quick=frozenset().union(*(group.quick for group in groups)),
            refuses=partial(refused_on_request, self.platform.faults),
            allow=self.platform.settings.allow_instance_types,
            check_answers=self.platform.settings.check_answers,
        )
        self.calls.serve(service)
        return service

    def _operations(self) -> tuple[_Operations, ...]:
        platform = self.platform
        of_training = training.TrainingOperations(platform, self.training)
        return (
            of_training,
            hosting.ModelOperations(platform),
            hosting.ConfigOperations(platform),
            hosting.EndpointOperations(platform, self.endpoints),
            hosting.ComponentOperations(platform, self.endpoints.components),
            transform.TransformOperations(platform, self.transforms),
            pipelines.PipelineOperations(platform),
            pipelines.ExecutionOperations(platform, self.executions),
            registry.GroupOperations(platform),
            registry.PackageOperations(platform, self.events),
            experiments.TrialOperations(platform),
            experiments.ComponentOperations(platform),
            lineage.EntityOperations(platform),
            lineage.AssociationOperations(platform),
            SearchOperations(platform),
            processing.ProcessingOperations(platform, self.processing),
            tuning.TuningOperations(platform, self.tunings, of_training),
        )
