"""AddAssociation, DeleteAssociation, ListAssociations and QueryLineage."""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sagedock.api import experiment_messages as words
from sagedock.api import messages
from sagedock.local.caller import Caller
from sagedock.local.experiments.paging import page_of
from sagedock.local.lineage.associations import (
    ASSOCIATION,
    Entity,
    associate,
    association_key,
    entity_of,
)
from sagedock.local.moments import epoch_s
from sagedock.local.platform import Platform
from sagedock.local.refusal import Refused

__all__ = ["AssociationOperations"]

Request = Mapping[str, Any]
Answer = dict[str, Any]

_FILTERS = ("SourceArn", "DestinationArn", "SourceType", "DestinationType", "AssociationType")
_DEPTH = 10
_MOST = 50
_EDGE = ("SourceArn", "DestinationArn", "AssociationType")


class AssociationOperations:
    """The operations on associations. Requests arrive checked."""

    quick: frozenset[str] = frozenset()

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def table(self) -> Mapping[str, Callable[[Caller, Request], Any]]:
        """Return each operation's name with what carries it out."""
        return {
            "AddAssociation": self.add,
            "DeleteAssociation": self.delete,
            "ListAssociations": self.list,
            "QueryLineage": self.query,
        }

    def add(self, caller: Caller, request: Request) -> Answer:
        """Associate two entities that are there."""
        at, resources = epoch_s(time.time()), self._platform.resources
        with resources.together():
            source = self._entity(request["SourceArn"])
            destination = self._entity(request["DestinationArn"])
            ends = (source.arn, destination.arn)
            if not associate(resources, caller, ends, request.get("AssociationType"), at):
                raise Refused(words.association_exists(source.arn, destination.arn))
        return {"SourceArn": source.arn, "DestinationArn": destination.arn}

    def delete(self, caller: Caller, request: Request) -> Answer:
        """Remove an association."""
        ends = (request["SourceArn"], request["DestinationArn"])
        found = self._platform.resources.alike(association_key(caller, *ends))
        if found is None:
            raise Refused(words.association_not_found(*ends))
        self._platform.resources.delete(found.key)
        return {name: found.document[name] for name in ("SourceArn", "DestinationArn")}

    def list(self, caller: Caller, request: Request) -> Answer:
        """Answer a page of associations. They are sorted by their creation, or by their ends."""
        wanted = {name: request[name] for name in _FILTERS if name in request}
        found = [
            each
            for each in self._platform.resources.every(caller.region, ASSOCIATION)
            if all(each.document.get(name) == value for name, value in wanted.items())
        ]
        by_ends = request.get("SortBy", "CreationTime") != "CreationTime"
        page, token = page_of(found, {**request, "SortBy": "Name"} if by_ends else request)
        more = {"NextToken": token} if token else {}
        return {"AssociationSummaries": [dict(each.document) for each in page], **more}

    def query(self, caller: Caller, request: Request) -> Answer:
        """Answer what is reached from some entities, nearest first; they themselves are not told
        (unverified).
        """
        starts = [self._entity(arn).arn for arn in request.get("StartArns") or ()]
        edges = [
            each.document for each in self._platform.resources.every(caller.region, ASSOCIATION)
        ]
        direction = request.get("Direction", "Both")
        depth = request.get("MaxDepth", _DEPTH)
        reached = _reached(starts, edges, direction, depth)
        filters = request.get("Filters") or {}
        wanted = [each for each in map(self._vertex, reached) if each and _passes(each, filters)]
        begin = _offset(request.get("NextToken"))
        page = wanted[begin : begin + request.get("MaxResults", _MOST)]
        answer: Answer = {
            "Vertices": [
                {"Arn": each.arn, "Type": each.type or each.lineage, "LineageType": each.lineage}
                for each in page
            ]
        }
        if request.get("IncludeEdges", True):
            known = {*starts, *reached}
            answer["Edges"] = [
                {name: edge[name] for name in _EDGE if name in edge}
                for edge in edges
                if edge["SourceArn"] in known and edge["DestinationArn"] in known
            ]
        if begin + len(page) < len(wanted):
            answer["NextToken"] = str(begin + len(page))
        return answer

    def _entity(self, arn: str) -> Entity:
        found = entity_of(self._platform.resources, arn)
        if found is None:
            raise Refused(words.entity_not_found("Lineage entity", arn))
        return found

    def _vertex(self, arn: str) -> Entity | None:
        found = entity_of(self._platform.resources, arn)
        return found if found is not None and found.lineage is not None else None


def _reached(starts: list[str], edges: list[Request], direction: str, depth: int) -> list[str]:
    """Return what is reached by at most ``depth`` associations, nearest first, without starts."""
    seen, border = dict.fromkeys(starts), list(starts)
    for _ in range(depth):
        found = {arn for each in border for arn in _neighbours(each, edges, direction)}
        border = sorted(found - set(seen))
        seen |= dict.fromkeys(border)
    return [arn for arn in seen if arn not in starts]


def _neighbours(arn: str, edges: list[Request], direction: str) -> Iterator[str]:
    for edge in edges:
        if direction != "Ascendants" and edge["SourceArn"] == arn:
            yield edge["DestinationArn"]
        if direction != "Descendants" and edge["DestinationArn"] == arn:
            yield edge["SourceArn"]


def _passes(entity: Entity, filters: Request) -> bool:
    resource = entity.resource
    properties = resource.document.get("Properties", {})
    wanted = filters.get("Properties")
    return (
        _is_of_type(entity, filters.get("Types"))
        and _is_in(entity.lineage, filters.get("LineageTypes"))
        and _is_within(resource.created, filters, "Created")
        and _is_within(resource.modified, filters, "Modified")
        and (not wanted or any(properties.get(name) == value for name, value in wanted.items()))
    )


def _is_of_type(entity: Entity, wanted: Any) -> bool:
    """Say whether an entity is of a type. Of a job's component that may be the job's, TrainingJob
    for one: the SDK v2's LineageSourceEnum asks so.
    """
    return _is_in(entity.type, wanted) or (
        entity.type is not None and entity.type.removeprefix("SageMaker") in wanted
    )


def _is_in(value: str | None, wanted: Any) -> bool:
    return not wanted or value in wanted


def _is_within(at: float, filters: Request, what: str) -> bool:
    after: datetime | None = filters.get(f"{what}After")
    before: datetime | None = filters.get(f"{what}Before")
    return (after is None or at > after.timestamp()) and (before is None or at < before.timestamp())


def _offset(token: str | None) -> int:
    if token is None:
        return 0
    if not (token.isascii() and token.isdigit()):
        raise Refused(messages.invalid_pagination_token(token))
    return int(token)
