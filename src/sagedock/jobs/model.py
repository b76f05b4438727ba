"""A model that serves, as data: one container, or several."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sagedock.jobs.pipeline.references import Reference, text_of
from sagedock.jobs.request import Request, merged, present
from sagedock.jobs.tags import Tags, tag_list

__all__ = ["HostedModel", "ModelContainer"]


@dataclass(frozen=True, kw_only=True)
class ModelContainer:
    """An image that serves, and its model: the S3 URI of a model.tar.gz, or of a folder, ``.../``.

    With ``mode`` MultiModel the folder holds one model.tar.gz for each model, and each request
    names its own. ``hostname`` names one of several containers. ``extra`` is in API casing and is
    merged in last; a None there removes a member.
    """

    image_uri: str | Reference
    model_data: str | Reference | None = None
    environment: Mapping[str, str | Reference] = field(default_factory=dict)
    mode: Literal["SingleModel", "MultiModel"] = "SingleModel"
    hostname: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def parameters(self) -> dict[str, Any]:
        """Return the container as a ContainerDefinition."""
        where = self.model_data if isinstance(self.model_data, str) else ""
        is_folder = where.endswith("/") and self.mode == "SingleModel"
        source = {
            "S3Uri": self.model_data,
            "S3DataType": "S3Prefix",
            "CompressionType": "None",
        }
        members = {
            "ContainerHostname": self.hostname,
            "Image": self.image_uri,
            "Mode": None if self.mode == "SingleModel" else self.mode,
            "ModelDataUrl": None if is_folder else self.model_data,
            "ModelDataSource": {"S3DataSource": source} if is_folder else None,
            "Environment": {n: text_of(value) for n, value in self.environment.items()},
        }
        return merged(present(members), self.extra)


@dataclass(frozen=True, kw_only=True)
class HostedModel:
    """What an endpoint or a transform job runs. Of several ``containers`` each gets the answer of
    the one before it; or, with ``execution`` Direct, each request names its container.
    """

    name: str
    role: str
    containers: Sequence[ModelContainer]
    execution: Literal["Serial", "Direct"] = "Serial"
    enable_network_isolation: bool = False
    subnets: Sequence[str] = ()
    security_group_ids: Sequence[str] = ()
    tags: Tags = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def requests(self) -> tuple[Request, ...]:
        """Return the one CreateModel request."""
        containers = [each.parameters() for each in self.containers]
        is_single = len(containers) == 1
        network = {
            "Subnets": list(self.subnets),
            "SecurityGroupIds": list(self.security_group_ids),
        }
        members = {
            "ModelName": self.name,
            "PrimaryContainer": containers[0] if is_single else None,
            "Containers": None if is_single else containers,
            "InferenceExecutionConfig": {"Mode": "Direct"} if self.execution == "Direct" else None,
            "ExecutionRoleArn": self.role,
            "VpcConfig": present(network),
            "EnableNetworkIsolation": self.enable_network_isolation or None,
            "Tags": tag_list(self.tags),
        }
        parameters = merged(present(members), self.extra)
        return (Request(service="sagemaker", operation="CreateModel", parameters=parameters),)
