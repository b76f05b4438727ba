"""One execution's document in the store: read at first, written at each change."""

import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sagedock.local.moments import epoch_s
from sagedock.local.pipelines.document import STEPS
from sagedock.local.resources import Key, Resource, Resources

__all__ = ["Ledger", "with_document"]

_REASON_CHARACTERS = 1024
Record = Mapping[str, Any]


def with_document(resource: Resource, document: Mapping[str, Any]) -> Resource:
    """Return ``resource`` with another document, its status and its time."""
    return replace(
        resource,
        document=document,
        status=document["PipelineExecutionStatus"],
        modified=document["LastModifiedTime"],
    )


class Ledger:
    """What is known of one execution's steps. Every change is in the store when it returns."""

    def __init__(self, resources: Resources, execution: Resource) -> None:
        self._resources = resources
        self._lock = threading.Lock()
        self.key: Key = execution.key
        self.arn: str = execution.document["PipelineExecutionArn"]
        self._document = execution.document

    @property
    def document(self) -> Mapping[str, Any]:
        """The document as it is now."""
        return self._document

    @property
    def steps(self) -> Mapping[str, Record]:
        """The records of the steps that have begun, by name."""
        records: Mapping[str, Record] = self._document[STEPS]
        return records

    @property
    def status(self) -> str:
        """The execution's status."""
        return str(self._document["PipelineExecutionStatus"])

    def begin(self, name: str, record: Record) -> None:
        """Write down that a step begins."""
        self.put(name, {"StepName": name, "StartTime": epoch_s(time.time()), **record})

    def add(self, name: str, members: Record) -> None:
        """Add to a step's record."""
        self.put(name, {**self.steps[name], **members})

    def end(self, name: str, status: str, reason: str | None = None, **members: Any) -> None:
        """Write down that a step ended, in ``status``."""
        record = {**self.steps[name], **members, "StepStatus": status}
        record["EndTime"] = epoch_s(time.time())
        if reason is not None:
            record["FailureReason"] = reason[:_REASON_CHARACTERS]
        self.put(name, record)

    def put(self, name: str, record: Record) -> None:
        """Write a step's record."""
        self._change({}, {name: record})

    def conclude(self, status: str, reason: str | None = None) -> None:
        """Write down the execution's status, and why it failed."""
        members: dict[str, Any] = {"PipelineExecutionStatus": status}
        if reason is not None:
            members |= {"FailureReason": reason, "PipelineExecutionFailureReason": reason}
        self._change(members, {})

    def refresh(self) -> None:
        """Read what others changed: a stop, or a callback's answer."""
        with self._lock:
            found = self._resources.get(self.key)
            if found is not None:
                self._document = found.document

    def _change(self, members: Record, steps: Mapping[str, Record]) -> None:
        at = epoch_s(time.time())

        def changed(resource: Resource) -> Resource:
            document = resource.document
            return with_document(
                resource,
                {
                    **document,
                    **members,
                    STEPS: {**document[STEPS], **steps},
                    "LastModifiedTime": at,
                },
            )

        with self._lock:
            found = self._resources.change(self.key, changed)
            if found is not None:
                self._document = found.document
