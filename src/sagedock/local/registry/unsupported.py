"""What the model registry cannot do here: refused clearly, never quietly left out."""

from collections.abc import Iterator, Mapping
from typing import Any

from sagedock.api import ServiceError
from sagedock.api.registry_messages import register_elsewhere

__all__ = ["unsupported_group", "unsupported_package"]

Request = Mapping[str, Any]

_PACKAGE = (
    "SourceAlgorithmSpecification",
    "ValidationSpecification",
    "CertifyForMarketplace",
    "ManagedStorageType",
)
_CONTAINER = ("ProductId", "AdditionalS3DataSource", "IsCheckpoint", "BaseModel")
_SOURCE = ("HubAccessConfig", "ManifestS3Uri", "ETag", "ManifestEtag")


def unsupported_group(request: Request) -> ServiceError | None:
    """Return the refusal of a group that would not be here what it is on AWS, or None."""
    return (
        register_elsewhere("ManagedConfiguration") if request.get("ManagedConfiguration") else None
    )


def unsupported_package(request: Request) -> ServiceError | None:
    """Return the refusal of a package, or of its update, that could not be deployed here as on AWS,
    or None.
    """
    wishes = [name for name in _PACKAGE if request.get(name)]
    for at, specification in _specifications(request):
        for number, container in enumerate(specification["Containers"]):
            wishes += _wishes(f"{at}.Containers[{number}]", container)
    return register_elsewhere("; ".join(wishes)) if wishes else None


def _specifications(request: Request) -> Iterator[tuple[str, Request]]:
    if specification := request.get("InferenceSpecification"):
        yield "InferenceSpecification", specification
    for member in ("AdditionalInferenceSpecifications", "AdditionalInferenceSpecificationsToAdd"):
        for number, each in enumerate(request.get(member) or ()):
            yield f"{member}[{number}]", each


def _wishes(at: str, container: Request) -> Iterator[str]:
    if not container.get("Image"):
        yield f"{at} without Image"
    yield from (f"{at}.{name}" for name in _CONTAINER if container.get(name))
    for where, source in _sources(container):
        yield from (f"{at}.{where}.S3DataSource.{name}" for name in _SOURCE if source.get(name))


def _sources(container: Request) -> Iterator[tuple[str, Request]]:
    if source := (container.get("ModelDataSource") or {}).get("S3DataSource"):
        yield "ModelDataSource", source
    for number, each in enumerate(container.get("AdditionalModelDataSources") or ()):
        yield f"AdditionalModelDataSources[{number}]", each["S3DataSource"]
