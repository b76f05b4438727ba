"""A training job, as data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sagedock.contract import paths
from sagedock.errors import InvalidRequest
from sagedock.jobs.channel import Channel, FileSystemChannel, InputMode
from sagedock.jobs.distribution import InstanceGroup, distribution_hyperparameters
from sagedock.jobs.hyperparameters import Script, as_json, as_text
from sagedock.jobs.pipeline.references import Reference, text_of
from sagedock.jobs.request import Request, merged, present
from sagedock.jobs.tags import Tags, tag_list

__all__ = ["TrainingJob"]

#: The channel that carries the source where the container may not reach S3.
_CODE_CHANNEL = "code"


@dataclass(frozen=True, kw_only=True)
class TrainingJob:
    """What to train, where, and on what; the fields are SageMaker SDK v2's, units in names.

    ``inputs`` maps channel names to an S3 URI, or a channel. With a ``script`` hyperparameters are
    sent as JSON, as SDK v2's script mode does; without one, as ``str`` writes them. With
    ``instance_groups`` there is no instance_type. ``extra`` is in API casing and is merged in last,
    map by map; a None there removes a member.
    """

    name: str
    image_uri: str | Reference
    role: str
    output_path: str | Reference
    instance_type: str | Reference | None = None
    instance_count: int | Reference = 1
    instance_groups: Sequence[InstanceGroup] = ()
    volume_size_gb: int = 30
    volume_kms_key: str | None = None
    output_kms_key: str | None = None
    disable_output_compression: bool = False
    keep_alive_period_s: int | None = None
    max_run_s: int = 24 * 60 * 60
    max_wait_s: int | None = None
    max_retry_attempts: int | None = None
    use_spot_instances: bool = False
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    script: Script | None = None
    distribution: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str | Reference] = field(default_factory=dict)
    inputs: Mapping[str, str | Reference | Channel | FileSystemChannel] = field(
        default_factory=dict
    )
    input_mode: InputMode = "File"
    metric_definitions: Sequence[Mapping[str, str]] = ()
    checkpoint_s3_uri: str | None = None
    checkpoint_local_path: str | None = None
    container_entry_point: Sequence[str | Reference] = ()
    container_arguments: Sequence[str | Reference] = ()
    encrypt_inter_container_traffic: bool = False
    enable_network_isolation: bool = False
    subnets: Sequence[str] = ()
    security_group_ids: Sequence[str] = ()
    tags: Tags = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def requests(self) -> tuple[Request, ...]:
        """Return the one CreateTrainingJob request.

        Raises InvalidRequest where a hyperparameter of a script cannot be written as JSON, or the
        distribution is none that a container's launcher knows.
        """
        parameters = merged({**self._what(), **self._where(), **self._options()}, self.extra)
        return (Request(service="sagemaker", operation="CreateTrainingJob", parameters=parameters),)

    def _what(self) -> dict[str, Any]:
        algorithm = {
            "TrainingImage": self.image_uri,
            "TrainingInputMode": self.input_mode,
            "MetricDefinitions": [dict(definition) for definition in self.metric_definitions],
            "ContainerEntrypoint": [text_of(each) for each in self.container_entry_point],
            "ContainerArguments": [text_of(each) for each in self.container_arguments],
        }
        return present(
            {
                "TrainingJobName": self.name,
                "AlgorithmSpecification": present(algorithm),
                "RoleArn": self.role,
                "HyperParameters": self._hyperparameters(),
                "Environment": {n: text_of(value) for n, value in self.environment.items()},
                "InputDataConfig": self._channels(),
            }
        )

    def _where(self) -> dict[str, Any]:
        output = {
            "S3OutputPath": self.output_path,
            "KmsKeyId": self.output_kms_key,
            "CompressionType": "NONE" if self.disable_output_compression else None,
        }
        resources = {
            "InstanceType": self.instance_type,
            "InstanceCount": None if self.instance_groups else self.instance_count,
            "InstanceGroups": [group.parameters() for group in self.instance_groups],
            "VolumeSizeInGB": self.volume_size_gb,
            "VolumeKmsKeyId": self.volume_kms_key,
            "KeepAlivePeriodInSeconds": self.keep_alive_period_s,
        }
        stopping = {
            "MaxRuntimeInSeconds": self.max_run_s,
            "MaxWaitTimeInSeconds": self.max_wait_s,
        }
        network = {
            "Subnets": list(self.subnets),
            "SecurityGroupIds": list(self.security_group_ids),
        }
        return present(
            {
                "OutputDataConfig": present(output),
                "ResourceConfig": present(resources),
                "StoppingCondition": present(stopping),
                "VpcConfig": present(network),
            }
        )

    def _options(self) -> dict[str, Any]:
        checkpoints = {
            "S3Uri": self.checkpoint_s3_uri,
            "LocalPath": self.checkpoint_local_path,
        }
        return present(
            {
                "CheckpointConfig": present(checkpoints),
                "RetryStrategy": present({"MaximumRetryAttempts": self.max_retry_attempts}),
                "EnableManagedSpotTraining": self.use_spot_instances or None,
                "EnableNetworkIsolation": self.enable_network_isolation or None,
                "EnableInterContainerTrafficEncryption": self.encrypt_inter_container_traffic
                or None,
                "Tags": tag_list(self.tags),
            }
        )

    def _hyperparameters(self) -> dict[str, Any]:
        known = None if isinstance(self.instance_type, Reference) else self.instance_type
        distribution = distribution_hyperparameters(self.distribution, known)
        if self.script is None:
            if distribution:
                raise InvalidRequest(["distribution: distributes a script: give entry_point too"])
            return as_text(self.hyperparameters)
        script = self.script
        if self.enable_network_isolation:
            # The container cannot fetch from S3, so the platform brings the source as a channel.
            archive = script.submit_directory.rsplit("/", 1)[-1]
            inside = f"{paths.channel(_CODE_CHANNEL)}/{archive}"
            script = replace(script, submit_directory=inside)
        said = {**self.hyperparameters, **distribution}
        return as_json(said) | script.hyperparameters(self.name)

    def _channels(self) -> list[dict[str, Any]]:
        channels = {name: _as_channel(data) for name, data in self.inputs.items()}
        if self.script is not None and self.enable_network_isolation:
            # A program is a file, also where data is streamed.
            mode: InputMode | None = None if self.input_mode == "File" else "File"
            code = Channel(s3_data=self.script.submit_directory, input_mode=mode)
            channels.setdefault(_CODE_CHANNEL, code)
        return [channel.parameters(name) for name, channel in channels.items()]


def _as_channel(
    data: str | Reference | Channel | FileSystemChannel,
) -> Channel | FileSystemChannel:
    return Channel(s3_data=data) if isinstance(data, str | Reference) else data
