"""Create, Describe, List, Update and Delete of artifacts, actions and contexts."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from sagedock.api import experiment_messages as words
from sagedock.local.caller import Caller
from sagedock.local.experiments.names import Kind, Shelf
from sagedock.local.experiments.paging import page_of
from sagedock.local.lineage.associations import associated_with
from sagedock.local.lineage.entities import ARTIFACT, KINDS, artifact_key, described, new_entity
from sagedock.local.moments import epoch_s
from sagedock.local.platform import Platform
from sagedock.local.refusal import Refused
from sagedock.local.resources import Resource

__all__ = ["EntityOperations"]

Request = Mapping[str, Any]
Answer = dict[str, Any]

#: The characters of an ActionType that ActionSummary has; CreateAction takes more.
_LISTED_TYPE = 64
_CHANGED = ("ArtifactName", "Description", "Status")


class EntityOperations:
    """The operations on artifacts, actions and contexts. Requests arrive checked."""

    #: Those that only read the store.
    quick = frozenset({f"Describe{kind.words}" for kind in KINDS})

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def table(self) -> Mapping[str, Callable[[Caller, Request], Any]]:
        """Return each operation's name with what carries it out."""
        found: dict[str, Callable[[Caller, Request], Any]] = {}
        for kind in KINDS:
            shelf = Shelf(platform=self._platform, kind=kind)
            found |= {
                f"Create{kind.words}": partial(self.create, shelf),
                f"Delete{kind.words}": partial(self.delete, shelf),
                f"Describe{kind.words}": partial(self.describe, shelf),
                f"List{kind.words}s": partial(self.list, shelf),
                f"Update{kind.words}": partial(self.update, shelf),
            }
        return found

    def create(self, shelf: Shelf, caller: Caller, request: Request) -> Answer:
        """Store an entity, or refuse one that is there already."""
        kind = shelf.kind
        is_artifact = kind is ARTIFACT
        name = artifact_key(request["Source"]) if is_artifact else request[kind.named]
        arn = shelf.arn(caller, name)
        made = new_entity(kind, request, name, arn, epoch_s(time.time()))
        with self._platform.resources.together():
            there = self._platform.resources.alike(shelf.key(caller, name))
            if is_artifact and there is not None:
                raise Refused(words.artifact_exists(request["Source"]["SourceUri"]))
            return {kind.arn: shelf.add(caller, made, request.get("Tags", ()))}

    def describe(self, shelf: Shelf, caller: Caller, request: Request) -> Answer:
        """Answer the entity of a name or ARN."""
        return described(self._found(shelf, caller, request).document)

    def list(self, shelf: Shelf, caller: Caller, request: Request) -> Answer:
        """Answer a page of summaries: of a source, of a type, or all."""
        kind = shelf.kind
        found = [each for each in shelf.every(caller) if _is_wanted(kind, each, request)]
        page, token = page_of(found, request)
        summaries = [_summary(kind, each.document) for each in page]
        more = {"NextToken": token} if token else {}
        return {f"{kind.words}Summaries": summaries, **more}

    def update(self, shelf: Shelf, caller: Caller, request: Request) -> Answer:
        """Change what is said of an entity; its properties are merged (unverified)."""
        found, at = self._found(shelf, caller, request), epoch_s(time.time())

        def changed(document: Request) -> Answer:
            properties = {**document.get("Properties", {}), **request.get("Properties", {})}
            for name in request.get("PropertiesToRemove", ()):
                properties.pop(name, None)
            said = {name: request[name] for name in _CHANGED if name in request}
            return {**document, **said, "Properties": properties, "LastModifiedTime": at}

        shelf.change(found.key, changed)
        return {shelf.kind.arn: found.document[shelf.kind.arn]}

    def delete(self, shelf: Shelf, caller: Caller, request: Request) -> Answer:
        """Delete an entity that nothing is associated with."""
        with self._platform.resources.together():
            found = self._found(shelf, caller, request)
            arn = found.document[shelf.kind.arn]
            if associated_with(self._platform.resources, caller.region, arn):
                raise Refused(words.entity_still_used(shelf.kind.words, arn, "associations"))
            return {shelf.kind.arn: shelf.delete(found)}

    def _found(self, shelf: Shelf, caller: Caller, request: Request) -> Resource:
        """Return what a request names: an artifact by its ARN or its source."""
        if shelf.kind is not ARTIFACT:
            return shelf.found(caller, request[shelf.kind.named])
        if arn := request.get("ArtifactArn"):
            return shelf.found(caller, arn)
        if "Source" not in request:
            raise Refused(words.nothing_named("DeleteArtifact", "ArtifactArn, Source"))
        return shelf.found(caller, artifact_key(request["Source"]))


def _summary(kind: Kind, document: Request) -> Answer:
    """Return what a list answers: of an action's type as much as the model gives it there."""
    found = {name: document[name] for name in kind.summary if name in document}
    if "ActionType" in found:
        found["ActionType"] = found["ActionType"][:_LISTED_TYPE]
    return found


def _is_wanted(kind: Kind, found: Resource, request: Request) -> bool:
    wanted = request.get(f"{kind.words}Type")
    of_type = wanted is None or found.document[f"{kind.words}Type"] == wanted
    uri = request.get("SourceUri")
    return of_type and (uri is None or found.document["Source"]["SourceUri"] == uri)
