"""What is written down of one tuning job while it goes."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sagedock.local.moments import epoch_s
from sagedock.local.platform import Platform
from sagedock.local.resources import Key, Resource
from sagedock.local.tuning import document as changes
from sagedock.local.tuning.definitions import Definition
from sagedock.local.tuning.limits import Outcome
from sagedock.local.tuning.trial import Trial

__all__ = ["Record", "with_document"]

Document = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Record:
    """One job's document and its trials. Every method is one step in the store.

    ``parents`` are the summaries of a warm start's parents' best trials, if they count.
    """

    platform: Platform
    key: Key
    definitions: Sequence[Definition]
    parents: Sequence[Mapping[str, Any]]

    def trials(self) -> list[Trial]:
        """Return what is stored of the trials, in order."""
        return [Trial(**each) for each in self.platform.trials.of(self.key)]

    def put(self, changed: Sequence[Trial], trials: Sequence[Trial]) -> None:
        """Write down trials that changed, and what all ``trials`` have reached with that."""
        with self.platform.resources.together():
            for each in changed:
                self.platform.trials.put(self.key, each.number, each.document())
            self._change(
                lambda document: changes.with_trials(
                    document, trials, self.definitions, self.parents, time.time()
                )
            )

    def begin_stop(self) -> None:
        """Write down that the job is being stopped."""
        self._change(lambda document: changes.stopping(document, epoch_s(time.time())))

    def end(self, outcome: Outcome) -> None:
        """Write down the end."""
        self._change(
            lambda document: changes.ended(
                document, outcome.status, epoch_s(time.time()), outcome.reason
            )
        )

    def _change(self, change: Callable[[Document], Document]) -> None:
        self.platform.resources.change(
            self.key, lambda job: with_document(job, change(job.document))
        )


def with_document(job: Resource, document: Document) -> Resource:
    """Return ``job`` with another document, and what the store keeps beside it."""
    return replace(
        job,
        document=document,
        status=document["HyperParameterTuningJobStatus"],
        modified=document["LastModifiedTime"],
    )
