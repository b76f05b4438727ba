"""Artifacts, actions and contexts: one table for the three kinds.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/lineage-tracking-entities.html. An artifact
is known by its source, and its ARN ends with a digest of that (unverified: the digest is ours).
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sagedock.local.experiments.names import Kind

__all__ = ["ACTION", "ARTIFACT", "CONTEXT", "KINDS", "artifact_key", "described", "new_entity"]

Document = Mapping[str, Any]

#: What an artifact is stored as.
_KEY = "_Key"
_TIMES = ("CreationTime", "LastModifiedTime")
_DIGITS = 32
ARTIFACT = Kind(
    name="artifact",
    words="Artifact",
    named=_KEY,
    arn="ArtifactArn",
    summary=("ArtifactArn", "ArtifactName", "Source", "ArtifactType", *_TIMES),
)
ACTION = Kind(
    name="action",
    words="Action",
    named="ActionName",
    arn="ActionArn",
    summary=("ActionArn", "ActionName", "Source", "ActionType", "Status", *_TIMES),
)
CONTEXT = Kind(
    name="context",
    words="Context",
    named="ContextName",
    arn="ContextArn",
    summary=("ContextArn", "ContextName", "Source", "ContextType", *_TIMES),
)
KINDS = (ARTIFACT, ACTION, CONTEXT)
_SAID = (
    *("ArtifactName", "ActionName", "ContextName", "Source"),
    *("ArtifactType", "ActionType", "ContextType"),
    *("Description", "Status", "Properties", "MetadataProperties"),
)


def artifact_key(source: Document) -> str:
    """Return what an artifact of that source is stored as."""
    types = sorted(json.dumps(each, sort_keys=True) for each in source.get("SourceTypes") or ())
    return hashlib.sha256(f"{source['SourceUri']} {types}".encode()).hexdigest()[:_DIGITS]


def new_entity(kind: Kind, request: Document, name: str, arn: str, at: float) -> dict[str, Any]:
    """Return the document of an entity created ``at`` (epoch seconds)."""
    return {
        **{member: request[member] for member in _SAID if member in request},
        kind.named: name,
        kind.arn: arn,
        "CreationTime": at,
        "CreatedBy": {},
        "LastModifiedTime": at,
        "LastModifiedBy": {},
    }


def described(document: Document) -> dict[str, Any]:
    """Return what Describe answers of a document."""
    return {name: value for name, value in document.items() if name != _KEY}
