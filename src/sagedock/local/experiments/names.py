"""Experiments, trials and trial components in the store: one table for the three kinds.

Names are not case-sensitive, and ARNs are lower-cased. Source: the model's words on the names.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sagedock.api import experiment_messages as words
from sagedock.local.caller import Caller
from sagedock.local.platform import Platform
from sagedock.local.refusal import Refused
from sagedock.local.resources import Key, Resource

__all__ = ["COMPONENT", "EXPERIMENT", "TRIAL", "Kind", "Shelf"]

Document = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind: as ARNs name it, as refusals do, its members, and those that its list answers."""

    name: str
    words: str
    named: str
    arn: str
    summary: Sequence[str]


_TIMES = ("CreationTime", "LastModifiedTime")
EXPERIMENT = Kind(
    name="experiment",
    words="Experiment",
    named="ExperimentName",
    arn="ExperimentArn",
    summary=("ExperimentArn", "ExperimentName", "DisplayName", *_TIMES),
)
TRIAL = Kind(
    name="experiment-trial",
    words="Trial",
    named="TrialName",
    arn="TrialArn",
    summary=("TrialArn", "TrialName", "DisplayName", *_TIMES),
)
COMPONENT = Kind(
    name="experiment-trial-component",
    words="Trial component",
    named="TrialComponentName",
    arn="TrialComponentArn",
    summary=(
        *("TrialComponentName", "TrialComponentArn", "DisplayName", "Status", "StartTime"),
        *("EndTime", "CreatedBy", *_TIMES),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """The resources of one kind."""

    platform: Platform
    kind: Kind

    def key(self, caller: Caller, name: str) -> Key:
        """Return what names a resource in the store."""
        return Key(region=caller.region, kind=self.kind.name, name=name)

    def arn(self, caller: Caller, name: str) -> str:
        """Return the ARN of a name."""
        return caller.arn(self.kind.name, name.lower())

    def found(self, caller: Caller, name: str) -> Resource:
        """Return the resource of a name or ARN, or refuse: there is none."""
        last = name.rpartition("/")[2]
        resource = self.platform.resources.alike(self.key(caller, last))
        if resource is None:
            arn = name if name.startswith("arn:") else self.arn(caller, last)
            raise Refused(words.entity_not_found(self.kind.words, arn))
        return resource

    def every(self, caller: Caller) -> list[Resource]:
        """Return all of them, in the order of their creation."""
        return self.platform.resources.every(caller.region, self.kind.name)

    def add(self, caller: Caller, document: Document, tags: Sequence[Document] = ()) -> str:
        """Store a new one with its tags, and return its ARN; or refuse a taken name."""
        name, arn = document[self.kind.named], document[self.kind.arn]
        key = self.key(caller, name)
        with self.platform.resources.together():
            if self.platform.resources.alike(key) is not None:
                raise Refused(words.entity_exists(self.kind.words, name))
            self.platform.resources.add(
                Resource(
                    key=key,
                    created=document["CreationTime"],
                    modified=document["LastModifiedTime"],
                    status="",
                    document=document,
                    request={},
                )
            )
            self.platform.tags.add(arn, tags)
        return str(arn)

    def change(self, key: Key, change: Callable[[Document], Document]) -> None:
        """Change a document; what was deleted meanwhile stays so."""

        def changed(found: Resource) -> Resource:
            document = change(found.document)
            return replace(found, document=document, modified=document["LastModifiedTime"])

        self.platform.resources.change(key, changed)

    def delete(self, resource: Resource) -> str:
        """Delete one and its tags, and return its ARN."""
        arn: str = resource.document[self.kind.arn]
        with self.platform.resources.together():
            self.platform.tags.remove_all(arn)
            self.platform.resources.delete(resource.key)
        return arn
