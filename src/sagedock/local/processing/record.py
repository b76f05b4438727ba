"""What is written down of one processing job while it goes."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sagedock.local.moments import epoch_s
from sagedock.local.platform import Platform
from sagedock.local.processing import document as changes
from sagedock.local.resources import Key, Resource

__all__ = ["Outcome", "Record", "with_document"]

Document = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a job ends: ``reason`` is FailureReason, ``message`` ExitMessage."""

    status: str
    reason: str | None = None
    message: str | None = None

    @classmethod
    def failed(cls, reason: str) -> "Outcome":
        """Return a failure for ``reason``."""
        return cls(status="Failed", reason=reason)


@dataclass(frozen=True, kw_only=True)
class Record:
    """One job's document. Every method is one step in the store."""

    platform: Platform
    key: Key

    @property
    def document(self) -> Document:
        """The document as it is now."""
        job = self.platform.resources.get(self.key)
        if job is None:
            raise LookupError(f"processing job {self.key.name} vanished from the store")
        return job.document

    def begin(self) -> None:
        """Write down that the containers run."""
        self._change(lambda document: changes.begun(document, epoch_s(time.time())))

    def stop(self) -> None:
        """Write down that the job is being stopped."""
        self._change(lambda document: changes.stopping(document, epoch_s(time.time())))

    def end(self, outcome: Outcome) -> None:
        """Write down the end."""
        self._change(
            lambda document: changes.ended(
                document,
                outcome.status,
                epoch_s(time.time()),
                reason=outcome.reason,
                message=outcome.message,
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
        status=document["ProcessingJobStatus"],
        modified=document["LastModifiedTime"],
    )
