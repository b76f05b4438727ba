"""Associations between entities, and the graph that they make."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sagedock.local.caller import Caller
from sagedock.local.experiments.names import COMPONENT, EXPERIMENT, Kind
from sagedock.local.lineage.entities import ACTION, ARTIFACT, CONTEXT
from sagedock.local.resources import Key, Resource, Resources

__all__ = [
    "ASSOCIATION",
    "Entity",
    "associate",
    "associated_with",
    "association_key",
    "entity_of",
]

#: What associations are stored as.
ASSOCIATION = "association"
_ARN = re.compile(
    r"arn:[^:]+:sagemaker:(?P<region>[^:]*):(?P<account>\d{12}):(?P<kind>[^/]+)/(?P<name>.+)"
)
_LINEAGE: Mapping[str, tuple[Kind, str | None]] = {
    "action": (ACTION, "Action"),
    "artifact": (ARTIFACT, "Artifact"),
    "context": (CONTEXT, "Context"),
    "experiment": (EXPERIMENT, None),
    "experiment-trial-component": (COMPONENT, "TrialComponent"),
}
_NAMES = ("ArtifactName", "ActionName", "ContextName", "TrialComponentName", "ExperimentName")


@dataclass(frozen=True, kw_only=True)
class Entity:
    """What an association has at one end. ``lineage`` is its LineageType; experiments have none."""

    arn: str
    type: str | None
    lineage: str | None
    resource: Resource

    @property
    def name(self) -> str | None:
        """What it is called, where it has a name."""
        document = self.resource.document
        return next((document[each] for each in _NAMES if each in document), None)


def entity_of(resources: Resources, arn: str) -> Entity | None:
    """Return what an ARN names, or None: there is no such entity."""
    parts = _ARN.fullmatch(arn)
    known = _LINEAGE.get(parts["kind"]) if parts else None
    if parts is None or known is None:
        return None
    kind, lineage = known
    found = resources.alike(Key(region=parts["region"], kind=kind.name, name=parts["name"]))
    if found is None:
        return None
    document = found.document
    own = document.get(f"{kind.words}Type") or (document.get("Source") or {}).get("SourceType")
    return Entity(arn=document[kind.arn], type=own, lineage=lineage, resource=found)


def association_key(caller: Caller, source: str, destination: str) -> Key:
    """Return what an association is stored as."""
    return Key(region=caller.region, kind=ASSOCIATION, name=f"{source} {destination}")


def associate(
    resources: Resources, caller: Caller, ends: tuple[str, str], type_: str | None, at: float
) -> bool:
    """Associate two entities, by their ARNs, that are there; say whether they were not before."""
    source, destination = (entity_of(resources, arn) for arn in ends)
    if source is None or destination is None:
        raise ValueError(f"one of {' and '.join(ends)} is no entity")
    document: dict[str, Any] = {
        "SourceArn": source.arn,
        "DestinationArn": destination.arn,
        "SourceType": source.type,
        "DestinationType": destination.type,
        "SourceName": source.name,
        "DestinationName": destination.name,
        "AssociationType": type_,
        "CreationTime": at,
        "CreatedBy": {},
    }
    return resources.add(
        Resource(
            key=association_key(caller, source.arn, destination.arn),
            created=at,
            modified=at,
            status="",
            document={name: value for name, value in document.items() if value is not None},
            request={},
        )
    )


def associated_with(resources: Resources, region: str, arn: str) -> bool:
    """Say whether anything is associated with an entity."""
    return any(arn in ends for ends in _ends(resources, region))


def _ends(resources: Resources, region: str) -> Iterator[tuple[Any, Any]]:
    for each in resources.every(region, ASSOCIATION):
        yield each.document["SourceArn"], each.document["DestinationArn"]
