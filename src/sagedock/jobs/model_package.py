"""A version of a model in the model registry, as data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sagedock.jobs.model import ModelContainer
from sagedock.jobs.request import Request, merged, present
from sagedock.jobs.tags import Tags, tag_list

__all__ = ["Approval", "ModelGroup", "ModelVersion"]

Approval = Literal["Approved", "PendingManualApproval", "Rejected"]
#: The members of a model's container that a package's does not have.
_NOT_OF_PACKAGES = ("Mode", "ImageConfig", "MultiModelConfig")


@dataclass(frozen=True, kw_only=True)
class ModelGroup:
    """A group of versions of one model."""

    name: str
    description: str | None = None
    tags: Tags = ()

    def requests(self) -> tuple[Request, ...]:
        """Return the one CreateModelPackageGroup request."""
        members = {
            "ModelPackageGroupName": self.name,
            "ModelPackageGroupDescription": self.description,
            "Tags": tag_list(self.tags),
        }
        return (
            Request(
                service="sagemaker",
                operation="CreateModelPackageGroup",
                parameters=present(members),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class ModelVersion:
    """The next version of a group. The names are those of SageMaker SDK v2's ``Model.register``.

    ``metrics``, ``drift_check_baselines`` and ``extra`` are in API casing; ``extra`` is merged in
    last.
    """

    group: str
    containers: Sequence[ModelContainer]
    approval: Approval = "PendingManualApproval"
    description: str | None = None
    content_types: Sequence[str] = ()
    response_types: Sequence[str] = ()
    inference_instances: Sequence[str] = ()
    transform_instances: Sequence[str] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    drift_check_baselines: Mapping[str, Any] = field(default_factory=dict)
    domain: str | None = None
    task: str | None = None
    generated_by: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def requests(self) -> tuple[Request, ...]:
        """Return the one CreateModelPackage request."""
        specification = {
            "Containers": [_container(each) for each in self.containers],
            "SupportedContentTypes": list(self.content_types),
            "SupportedResponseMIMETypes": list(self.response_types),
            "SupportedRealtimeInferenceInstanceTypes": list(self.inference_instances),
            "SupportedTransformInstanceTypes": list(self.transform_instances),
        }
        members = {
            "ModelPackageGroupName": self.group,
            "ModelPackageDescription": self.description,
            "InferenceSpecification": present(specification),
            "ModelApprovalStatus": self.approval,
            "MetadataProperties": present({"GeneratedBy": self.generated_by}),
            "ModelMetrics": dict(self.metrics),
            "DriftCheckBaselines": dict(self.drift_check_baselines),
            "CustomerMetadataProperties": dict(self.metadata),
            "Domain": self.domain,
            "Task": self.task,
        }
        parameters = merged(present(members), self.extra)
        return (
            Request(service="sagemaker", operation="CreateModelPackage", parameters=parameters),
        )


def _container(container: ModelContainer) -> dict[str, Any]:
    members = container.parameters()
    kept = {name: value for name, value in members.items() if name not in _NOT_OF_PACKAGES}
    return present(kept)
