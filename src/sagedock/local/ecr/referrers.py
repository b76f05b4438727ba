"""What refers to an image: signatures, lists of what it holds. Source:
https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from sagedock.local.ecr.pushed import Pushed

__all__ = ["REFERRERS_TYPE", "annotations", "artifact_type", "referrers_index", "referring"]

REFERRERS_TYPE = "application/vnd.oci.image.index.v1+json"

Descriptor = dict[str, Any]


def referring(images: Iterable[Pushed], digest: str, kinds: Iterable[str] = ()) -> Iterator[Pushed]:
    """Yield the artifacts that refer to a manifest, of ``kinds`` alone where there are any."""
    wanted = frozenset(kinds)
    for each in images:
        if each.subject == digest and (not wanted or artifact_type(each) in wanted):
            yield each


def artifact_type(artifact: Pushed) -> str:
    """Return what an artifact is: what it says, else the type of its configuration."""
    return artifact.artifact_type or artifact.config_media_type or ""


def annotations(artifact: Pushed) -> dict[str, str]:
    """Return an artifact's annotations."""
    said = json.loads(artifact.manifest).get("annotations")
    pairs = said.items() if isinstance(said, dict) else ()
    return {str(name): str(value) for name, value in pairs}


def referrers_index(artifacts: Iterable[Pushed]) -> bytes:
    """Return the index that lists artifacts."""
    listed = [_descriptor(each) for each in artifacts]
    return json.dumps(
        {"schemaVersion": 2, "mediaType": REFERRERS_TYPE, "manifests": listed}
    ).encode()


def _descriptor(artifact: Pushed) -> Descriptor:
    told, kind = annotations(artifact), artifact_type(artifact)
    return {
        "mediaType": artifact.media_type,
        "digest": artifact.digest,
        "size": len(artifact.manifest.encode()),
        **({"artifactType": kind} if kind else {}),
        **({"annotations": told} if told else {}),
    }
