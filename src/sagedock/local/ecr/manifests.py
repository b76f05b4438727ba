"""What a manifest says of an image."""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

__all__ = ["INDEX_TYPES", "Manifest", "NotAManifest"]

#: Manifests of several images. Sources: https://distribution.github.io/distribution/spec/manifest-v2-2/
#: and https://github.com/opencontainers/image-spec/blob/main/image-index.md
INDEX_TYPES = frozenset(
    {
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.index.v1+json",
    }
)


_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)
_NO_DIGEST = f"sha256:{'0' * 64}"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class NotAManifest(Exception):
    """The bytes are no manifest of version 2."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A manifest as it was sent. ``size`` is in bytes, of what it names; of several images it is
    that of what names them. ``config`` is the digest of the image's configuration, None where there
    are several. ``subject`` is the digest of what an artifact refers to, ``artifact_type`` what it
    says it is.
    """

    text: str
    media_type: str
    digest: str
    size: int
    config: str | None
    config_media_type: str | None
    subject: str | None = None
    artifact_type: str | None = None

    @classmethod
    def read(cls, body: bytes, media_type: str | None) -> "Manifest":
        """Return the manifest in ``body``; ``media_type`` is used where that does not say. Raises
        NotAManifest.
        """
        try:
            text = body.decode()
            said: Any = json.loads(text)
        except (ValueError, RecursionError) as error:  # UnicodeDecodeError, too
            raise NotAManifest(f"it is no JSON: {error}") from error
        if not isinstance(said, dict) or said.get("schemaVersion") != 2:
            raise NotAManifest("it is of no version 2")
        kind = str(said.get("mediaType") or media_type or "")
        config: Any = said.get("config") or {}
        if not _MEDIA_TYPE.fullmatch(kind) or not isinstance(config, dict):
            raise NotAManifest("it has no media type, or no configuration")
        if not _DIGEST.fullmatch(str(config.get("digest", _NO_DIGEST))):
            raise NotAManifest("the digest of its configuration is none")
        subject, artifact_type = said.get("subject"), said.get("artifactType")
        if subject is not None and not _is_subject(subject):
            raise NotAManifest("its subject has no digest")
        if artifact_type is not None and not _MEDIA_TYPE.fullmatch(str(artifact_type)):
            raise NotAManifest("its artifactType is no media type")
        named = (
            said.get("manifests") if kind in INDEX_TYPES else [config, *(said.get("layers") or ())]
        )
        try:
            size = sum(int(each["size"]) for each in named or ())
        except (KeyError, TypeError, ValueError) as error:
            raise NotAManifest(f"it does not tell the size of what it names: {error}") from error
        return cls(
            text=text,
            media_type=kind,
            digest=f"sha256:{hashlib.sha256(body).hexdigest()}",
            size=size,
            config=None if kind in INDEX_TYPES else config.get("digest"),
            config_media_type=config.get("mediaType"),
            subject=subject["digest"] if subject else None,
            artifact_type=artifact_type,
        )


def _is_subject(subject: object) -> bool:
    return isinstance(subject, dict) and bool(_DIGEST.fullmatch(str(subject.get("digest"))))
