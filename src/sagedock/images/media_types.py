"""What registries call the kinds of manifests.

Source: https://github.com/opencontainers/image-spec/blob/v1.1.1/media-types.md
"""

__all__ = ["INDEX", "MANIFEST", "MANIFESTS"]

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
#: Every kind that a push sends, Docker's too. Source: BatchGetImage in the service's model of ECR.
MANIFESTS = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    MANIFEST,
    INDEX,
)
