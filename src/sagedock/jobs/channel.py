"""One input channel of a training job: data in S3, or a folder of a file system."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sagedock.jobs.pipeline.references import Reference
from sagedock.jobs.request import merged, present

__all__ = [
    "Channel",
    "Compression",
    "Distribution",
    "FileSystemChannel",
    "FileSystemType",
    "InputMode",
    "RecordWrapping",
    "S3DataType",
]

InputMode = Literal["File", "Pipe", "FastFile"]
Distribution = Literal["FullyReplicated", "ShardedByS3Key"]
Compression = Literal["None", "Gzip"]
RecordWrapping = Literal["None", "RecordIO"]
S3DataType = Literal["S3Prefix", "ManifestFile", "AugmentedManifestFile"]
FileSystemType = Literal["EFS", "FSxLustre"]


@dataclass(frozen=True, kw_only=True)
class Channel:
    """Data that the container finds under /opt/ml/input/data/<channel name>.

    The fields are those of SageMaker SDK v2's ``TrainingInput``. ``extra`` is in API casing and
    is merged in last; a None there removes a member.
    """

    s3_data: str | Reference
    content_type: str | None = None
    distribution: Distribution = "FullyReplicated"
    compression: Compression | None = None
    record_wrapping: RecordWrapping | None = None
    s3_data_type: S3DataType = "S3Prefix"
    input_mode: InputMode | None = None
    attribute_names: Sequence[str] = ()
    instance_groups: Sequence[str] = ()
    shuffle_seed: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def parameters(self, name: str) -> dict[str, Any]:
        """Return the channel as one entry of InputDataConfig."""
        source = {
            "S3DataType": self.s3_data_type,
            "S3Uri": self.s3_data,
            "S3DataDistributionType": self.distribution,
            "AttributeNames": list(self.attribute_names),
            "InstanceGroupNames": list(self.instance_groups),
        }
        seed = None if self.shuffle_seed is None else {"Seed": self.shuffle_seed}
        members = present(
            {
                "ChannelName": name,
                "DataSource": {"S3DataSource": present(source)},
                "ContentType": self.content_type,
                "CompressionType": self.compression,
                "RecordWrapperType": self.record_wrapping,
                "InputMode": self.input_mode,
                "ShuffleConfig": seed,
            }
        )
        return merged(members, self.extra)


@dataclass(frozen=True, kw_only=True)
class FileSystemChannel:
    """A folder of an EFS or FSx for Lustre file system, mounted as the channel's folder.

    The fields are those of SageMaker SDK v2's ``FileSystemInput``. The job needs subnets and
    security groups. ``extra`` is as in ``Channel``.
    """

    file_system_id: str
    file_system_type: FileSystemType
    directory_path: str
    file_system_access_mode: Literal["ro", "rw"] = "ro"
    content_type: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def parameters(self, name: str) -> dict[str, Any]:
        """Return the channel as one entry of InputDataConfig."""
        source = {
            "FileSystemId": self.file_system_id,
            "FileSystemType": self.file_system_type,
            "DirectoryPath": self.directory_path,
            "FileSystemAccessMode": self.file_system_access_mode,
        }
        members = present(
            {
                "ChannelName": name,
                "DataSource": {"FileSystemDataSource": source},
                "ContentType": self.content_type,
                # File systems are mounted in no other mode, whatever the job's own is.
                "InputMode": "File",
            }
        )
        return merged(members, self.extra)
