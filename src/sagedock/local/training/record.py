"""What is written down of one training job while it goes: the document that Describe answers."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sagedock.local.host_logs import HostLogs, engine_words
from sagedock.local.platform import Platform
from sagedock.local.resources import Key, Resource
from sagedock.local.training import lifecycle
from sagedock.local.training.collect import LOG_GROUP
from sagedock.local.training.steps import messages

__all__ = ["Outcome", "Record"]

Document = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a job ends. ``secondary`` differs from ``status`` for a limit that was reached.

    ``metrics`` is what FinalMetricDataList answers.
    """

    status: str
    secondary: str | None = None
    reason: str | None = None
    metrics: Sequence[Mapping[str, Any]] = ()

    @classmethod
    def failed(cls, reason: str) -> "Outcome":
        """Return a failure for ``reason``."""
        return cls(status="Failed", reason=reason)


@dataclass(frozen=True, kw_only=True)
class Record:
    """One job's document, log streams and end. Every method is one step in the store."""

    platform: Platform
    key: Key

    @property
    def document(self) -> Document:
        """The document as it is now."""
        job = self.platform.resources.get(self.key)
        if job is None:
            raise LookupError(f"training job {self.key.name} vanished from the store")
        return job.document

    @property
    def logs(self) -> HostLogs:
        """The job's log streams."""
        return HostLogs(
            logs=self.platform.logs, region=self.key.region, group=LOG_GROUP, job=self.key.name
        )

    def enter(self, status: str, message: str | None = None) -> None:
        """Move to a secondary status, or overwrite its message where it lasts."""
        text = message or messages(status)[-1]
        self.change(lambda document: lifecycle.enter(document, status, text, time.time()))

    def add(self, members: Mapping[str, Any]) -> None:
        """Put members into the document."""
        self.change(lambda document: {**document, **members})

    def change(self, change: Callable[[Document], Mapping[str, Any]]) -> None:
        """Replace the document by what ``change`` makes of it."""
        self.platform.resources.change(
            self.key, lambda job: _with_document(job, change(job.document))
        )

    def end(self, outcome: Outcome, warm_pool: Mapping[str, Any] | None = None) -> None:
        """Write down the end; ``warm_pool`` is the WarmPoolStatus of one that is kept."""
        members: dict[str, Any] = {}
        if outcome.metrics:
            members["FinalMetricDataList"] = outcome.metrics
        message = messages(outcome.secondary or outcome.status)[-1]
        if warm_pool is not None:
            members["WarmPoolStatus"] = warm_pool
            (message,) = messages("Completed", "warm-pool-hit")
        self.change(
            lambda document: lifecycle.end(
                {**document, **members},
                outcome.status,
                message,
                time.time(),
                secondary=outcome.secondary,
                reason=outcome.reason,
            )
        )

    def stream_name(self, host: str) -> str:
        """Return the log stream of a host: each attempt has its own, by the second it began."""
        return f"{self.key.name}/{host}-{int(lifecycle.attempt_began_s(self.document))}"

    def expect_new_containers(self) -> None:
        """Let every stream take the output of a new container from its first byte."""
        self.logs.begin_anew()

    def log_line(self, host: str, text: str) -> None:
        """Put the platform's own words into a host's log, as the platform does."""
        self.logs.say(self.stream_name(host), text)

    def log_engine_error(self, host: str, text: str) -> None:
        """Put the engine's words into a host's log, without what is only the engine's."""
        self.log_line(host, engine_words(text))


def _with_document(job: Resource, document: Document) -> Resource:
    return replace(
        job,
        document=document,
        status=document["TrainingJobStatus"],
        modified=document["LastModifiedTime"],
    )
