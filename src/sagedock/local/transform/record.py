"""What is written down of one transform job while it goes."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sagedock.local.moments import epoch_s
from sagedock.local.platform import Platform
from sagedock.local.resources import Key, Resource
from sagedock.local.transform import document as changes
from sagedock.local.transform.names import LOG_GROUP

__all__ = ["Outcome", "Record", "with_document"]

Document = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a job ends; ``reason`` is FailureReason."""

    status: str
    reason: str | None = None

    @classmethod
    def failed(cls, reason: str) -> "Outcome":
        """Return a failure for ``reason``."""
        return cls(status="Failed", reason=reason)


@dataclass(frozen=True, kw_only=True)
class Record:
    """One job's document. Every method is one step in the store."""

    platform: Platform
    key: Key

    def begin(self) -> None:
        """Write down that the job has its instances."""
        now = epoch_s(time.time())
        self._change(lambda job: replace(job, document=changes.begun(job.document, now)))

    def end(self, outcome: Outcome) -> None:
        """Write down the end."""
        now = epoch_s(time.time())
        self._change(
            lambda job: with_document(
                job, changes.ended(job.document, outcome.status, now, outcome.reason)
            )
        )

    def expect_new_containers(self) -> None:
        """Let every stream take the output of a new container from its first byte."""
        logs = self.platform.logs
        for stream in logs.streams(self.key.region, LOG_GROUP, f"{self.key.name}/"):
            logs.begin_anew(stream)

    def _change(self, change: Callable[[Resource], Resource]) -> None:
        self.platform.resources.change(self.key, change)


def with_document(job: Resource, document: Document) -> Resource:
    """Return ``job`` with another document, and what the store keeps beside it."""
    return replace(
        job,
        document=document,
        status=document["TransformJobStatus"],
        modified=document["LastModifiedTime"],
    )
