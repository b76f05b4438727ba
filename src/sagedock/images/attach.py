"""A document, attached to an image in a registry: an artifact that refers to the image's digest.

Registries that do not list what refers to an image are given the list as an index, tagged
``sha256-...``, as the specification has it. Whether one lists is asked of it: that a push was
answered with ``OCI-Subject`` does not say so (ECR once answered that, and had no such list:
https://github.com/sigstore/sigstore-js/pull/1183).

Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sagedock.errors import PushFailed
from sagedock.images.oci_registry import (
    INDEX,
    MANIFEST,
    Descriptor,
    OciRegistry,
    TagTaken,
    digest_of,
    manifests_in,
)
from sagedock.images.push import PushedImage

__all__ = ["Attached", "attach"]

#: The empty configuration. Source: https://github.com/opencontainers/image-spec/blob/v1.1.1/
#: manifest.md#guidance-for-an-empty-descriptor; without its ``data``, which ECR refuses
#: (https://github.com/aws/containers-roadmap/issues/2023).
_EMPTY = b"{}"
_EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
_TITLE = "org.opencontainers.image.title"


@dataclass(frozen=True, kw_only=True)
class Attached:
    """What was attached: the ``digest`` of the artifact's manifest; the ``tag`` of the list that
    has it where the registry lists nothing itself. ``already`` says that it was there;
    ``why_unlisted`` why no list has it, where there is one already that may not change.
    """

    digest: str
    tag: str | None
    already: bool
    why_unlisted: str = ""


def attach(
    registry: OciRegistry, pushed: PushedImage, content: bytes, *, kind: str, title: str
) -> Attached:
    """Attach a document of media type ``kind`` to an image that was pushed. The same one again
    sends nothing. Raises PushFailed, which says that the image itself is there.
    """
    try:
        return _attached(registry, pushed, content, kind, title)
    except PushFailed as error:
        raise PushFailed(
            f"{pushed.image_uri} is pushed, and {title} could not be attached to it: {error}: push "
            "again (the image is not sent again), or push with --no-sbom"
        ) from error


def _attached(
    registry: OciRegistry, pushed: PushedImage, content: bytes, kind: str, title: str
) -> Attached:
    repository = pushed.repository
    found = registry.manifest(repository, pushed.digest)
    if found is None:
        raise PushFailed(f"the registry does not have {pushed.digest} any more")
    manifest = _manifest(found[0], content, kind, title)
    digest = digest_of(manifest)
    already = registry.manifest(repository, digest) is not None
    if not already:
        for blob in (_EMPTY, content):
            registry.put_blob(repository, blob)
        registry.put_manifest(repository, digest, manifest, MANIFEST)
    if registry.referrers(repository, pushed.digest) is not None:
        return Attached(digest=digest, tag=None, already=already)
    tag = _tag(pushed.digest)
    described = {
        **_descriptor(manifest, MANIFEST),
        "artifactType": kind,
        "annotations": {_TITLE: title},
    }
    try:
        _list(registry, repository, tag, described)
    except TagTaken as error:
        return Attached(digest=digest, tag=None, already=already, why_unlisted=str(error))
    return Attached(digest=digest, tag=tag, already=already)


def _list(registry: OciRegistry, repository: str, tag: str, described: Descriptor) -> None:
    """Put an artifact into the list of a registry that keeps none itself."""
    found = registry.manifest(repository, tag)
    listed: Sequence[Descriptor] = manifests_in(found[1]) if found else []
    if any(each.get("digest") == described["digest"] for each in listed):
        return
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [*listed, described]}
    registry.put_manifest(repository, tag, _bytes(index), INDEX)


def _manifest(subject: Descriptor, content: bytes, kind: str, title: str) -> bytes:
    layer = {**_descriptor(content, kind), "annotations": {_TITLE: title}}
    return _bytes(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": kind,
            "config": _descriptor(_EMPTY, _EMPTY_TYPE),
            "layers": [layer],
            "subject": subject,
            "annotations": {_TITLE: title},
        }
    )


def _descriptor(content: bytes, kind: str) -> Descriptor:
    return {"mediaType": kind, "digest": digest_of(content), "size": len(content)}


def _bytes(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def _tag(digest: str) -> str:
    return digest.replace(":", "-")
