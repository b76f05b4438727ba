"""A batch transform job, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sagedock.jobs.pipeline.references import Reference, text_of
from sagedock.jobs.request import Request, merged, present
from sagedock.jobs.tags import Tags, tag_list

__all__ = ["SplitType", "TransformJob"]

SplitType = Literal["None", "Line", "RecordIO", "TFRecord"]


@dataclass(frozen=True, kw_only=True)
class TransformJob:
    """Which model to run over which objects. The fields are those of SageMaker SDK v2's
    ``Transformer`` and its ``transform``; ``max_payload`` is MB.

    Filters are JSONPath; ``join_source`` Input puts each record beside its answer. ``extra`` is in
    API casing and is merged in last; a None there removes a member.
    """

    name: str
    model_name: str | Reference
    data: str | Reference
    output_path: str | Reference
    instance_type: str
    instance_count: int = 1
    content_type: str | None = None
    data_type: Literal["S3Prefix", "ManifestFile"] = "S3Prefix"
    compression_type: Literal["None", "Gzip"] | None = None
    split_type: SplitType | None = None
    strategy: Literal["SingleRecord", "MultiRecord"] | None = None
    assemble_with: Literal["None", "Line"] | None = None
    accept: str | None = None
    max_concurrent_transforms: int | None = None
    max_payload: int | None = None
    input_filter: str | None = None
    output_filter: str | None = None
    join_source: Literal["None", "Input"] | None = None
    invocation_timeout_s: int | None = None
    invocation_max_retries: int | None = None
    environment: Mapping[str, str | Reference] = field(default_factory=dict)
    output_kms_key: str | None = None
    volume_kms_key: str | None = None
    tags: Tags = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def requests(self) -> tuple[Request, ...]:
        """Return the one CreateTransformJob request."""
        parameters = merged({**self._what(), **self._where()}, self.extra)
        return (
            Request(service="sagemaker", operation="CreateTransformJob", parameters=parameters),
        )

    def _what(self) -> dict[str, Any]:
        invocations = {
            "InvocationsTimeoutInSeconds": self.invocation_timeout_s,
            "InvocationsMaxRetries": self.invocation_max_retries,
        }
        processing = {
            "InputFilter": self.input_filter,
            "OutputFilter": self.output_filter,
            "JoinSource": self.join_source,
        }
        return present(
            {
                "TransformJobName": self.name,
                "ModelName": self.model_name,
                "MaxConcurrentTransforms": self.max_concurrent_transforms,
                "MaxPayloadInMB": self.max_payload,
                "BatchStrategy": self.strategy,
                "ModelClientConfig": present(invocations),
                "DataProcessing": present(processing),
                "Environment": {n: text_of(value) for n, value in self.environment.items()},
                "Tags": tag_list(self.tags),
            }
        )

    def _where(self) -> dict[str, Any]:
        source = {"S3DataSource": {"S3DataType": self.data_type, "S3Uri": self.data}}
        data = {
            "DataSource": source,
            "ContentType": self.content_type,
            "CompressionType": self.compression_type,
            "SplitType": self.split_type,
        }
        output = {
            "S3OutputPath": self.output_path,
            "Accept": self.accept,
            "AssembleWith": self.assemble_with,
            "KmsKeyId": self.output_kms_key,
        }
        resources = {
            "InstanceType": self.instance_type,
            "InstanceCount": self.instance_count,
            "VolumeKmsKeyId": self.volume_kms_key,
        }
        return {
            "TransformInput": present(data),
            "TransformOutput": present(output),
            "TransformResources": present(resources),
        }
