"""A processing job, as data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sagedock.jobs.pipeline.references import Reference, text_of
from sagedock.jobs.request import Request, merged, present
from sagedock.jobs.tags import Tags, tag_list

__all__ = ["ProcessingInput", "ProcessingJob", "ProcessingOutput"]


@dataclass(frozen=True, kw_only=True)
class ProcessingInput:
    """Data that containers find in the folder ``destination``, below /opt/ml/processing/.

    The fields are those of SageMaker SDK v2's class of that name. ``source`` is an S3 URI, or a
    path of this machine that is uploaded first. ``input_name`` is ``input-1``, ``input-2``, ...
    unless given.
    """

    source: str | Reference
    destination: str
    input_name: str | None = None
    s3_data_type: Literal["S3Prefix", "ManifestFile"] = "S3Prefix"
    s3_input_mode: Literal["File", "Pipe"] = "File"
    s3_data_distribution_type: Literal["FullyReplicated", "ShardedByS3Key"] = "FullyReplicated"
    s3_compression_type: Literal["None", "Gzip"] | None = None
    app_managed: bool = False

    def member(self) -> dict[str, Any]:
        """Return the entry of ProcessingInputs."""
        source = {
            "S3Uri": self.source,
            "LocalPath": self.destination,
            "S3DataType": self.s3_data_type,
            "S3InputMode": self.s3_input_mode,
            "S3DataDistributionType": self.s3_data_distribution_type,
            "S3CompressionType": self.s3_compression_type,
        }
        return {
            "InputName": self.input_name,
            "AppManaged": self.app_managed,
            "S3Input": present(source),
        }


@dataclass(frozen=True, kw_only=True)
class ProcessingOutput:
    """The folder ``source`` of the containers, below /opt/ml/processing/, whose files are stored.

    The fields are those of SageMaker SDK v2's class of that name. ``destination`` is an S3 URI, by
    default a folder of the default bucket; ``output_name`` is ``output-1``, ``output-2``, ...
    """

    source: str
    destination: str | Reference | None = None
    output_name: str | None = None
    s3_upload_mode: Literal["EndOfJob", "Continuous"] = "EndOfJob"
    app_managed: bool = False

    def member(self) -> dict[str, Any]:
        """Return the entry of Outputs."""
        target = {
            "S3Uri": self.destination,
            "LocalPath": self.source,
            "S3UploadMode": self.s3_upload_mode,
        }
        return {
            "OutputName": self.output_name,
            "AppManaged": self.app_managed,
            "S3Output": present(target),
        }


@dataclass(frozen=True, kw_only=True)
class ProcessingJob:
    """Which program to run, over what. The fields are those of SageMaker SDK v2's ``Processor`` and
    its ``run``.

    Without an ``entrypoint`` the image's own runs; ``arguments`` stand in place of its CMD.
    References in them and in ``env`` become text. ``extra`` is in API casing and is merged in last;
    a None there removes a member.
    """

    name: str
    image_uri: str | Reference
    role: str
    instance_type: str | Reference
    instance_count: int | Reference = 1
    volume_size_in_gb: int = 30
    entrypoint: Sequence[str | Reference] = ()
    arguments: Sequence[Any] = ()
    inputs: Sequence[ProcessingInput] = ()
    outputs: Sequence[ProcessingOutput] = ()
    env: Mapping[str, str | Reference] = field(default_factory=dict)
    max_runtime_in_seconds: int | None = None
    volume_kms_key: str | None = None
    output_kms_key: str | None = None
    encrypt_inter_container_traffic: bool = False
    enable_network_isolation: bool = False
    subnets: Sequence[str] = ()
    security_group_ids: Sequence[str] = ()
    tags: Tags = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def requests(self) -> tuple[Request, ...]:
        """Return the one CreateProcessingJob request."""
        parameters = merged({**self._what(), **self._where()}, self.extra)
        return (
            Request(service="sagemaker", operation="CreateProcessingJob", parameters=parameters),
        )

    def _what(self) -> dict[str, Any]:
        application = {
            "ImageUri": self.image_uri,
            "ContainerEntrypoint": [text_of(each) for each in self.entrypoint],
            "ContainerArguments": [text_of(each) for each in self.arguments],
        }
        outputs = {
            "Outputs": [each.member() for each in self.outputs],
            "KmsKeyId": self.output_kms_key,
        }
        return present(
            {
                "ProcessingJobName": self.name,
                "RoleArn": self.role,
                "AppSpecification": present(application),
                "ProcessingInputs": [each.member() for each in self.inputs],
                "ProcessingOutputConfig": present(outputs) if self.outputs else None,
                "Environment": {name: text_of(value) for name, value in self.env.items()},
                "Tags": tag_list(self.tags),
            }
        )

    def _where(self) -> dict[str, Any]:
        cluster = {
            "InstanceType": self.instance_type,
            "InstanceCount": self.instance_count,
            "VolumeSizeInGB": self.volume_size_in_gb,
            "VolumeKmsKeyId": self.volume_kms_key,
        }
        vpc = {"Subnets": list(self.subnets), "SecurityGroupIds": list(self.security_group_ids)}
        network = {
            "EnableInterContainerTrafficEncryption": self.encrypt_inter_container_traffic or None,
            "EnableNetworkIsolation": self.enable_network_isolation or None,
            "VpcConfig": present(vpc),
        }
        limit = {"MaxRuntimeInSeconds": self.max_runtime_in_seconds}
        return present(
            {
                "ProcessingResources": {"ClusterConfig": present(cluster)},
                "NetworkConfig": present(network),
                "StoppingCondition": present(limit),
            }
        )
