"""What the platform puts into a training container: files, variables, and the command.

Everything here is a pure function of the request. Source: the rows of ``sagedock.contract``.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sagedock.contract import network, paths, signals, variables

__all__ = [
    "Command",
    "HostGroup",
    "checkpoint_path",
    "command",
    "config_files",
    "environment",
    "host_groups",
]

Request = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Command:
    """What a container runs; None keeps the image's own."""

    entrypoint: tuple[str, ...] | None
    arguments: tuple[str, ...] | None


def command(request: Request) -> Command:
    """Return ``train``, or what ContainerEntrypoint and ContainerArguments put in its place.

    Entrypoint alone drops the image's CMD; arguments alone replace ``train``.
    """
    algorithm = request["AlgorithmSpecification"]
    entrypoint = algorithm.get("ContainerEntrypoint")
    arguments = algorithm.get("ContainerArguments")
    if entrypoint is None and arguments is None:
        return Command(entrypoint=None, arguments=(signals.TRAIN_ARGUMENT,))
    return Command(
        entrypoint=None if entrypoint is None else tuple(entrypoint),
        arguments=() if arguments is None else tuple(arguments),
    )


@dataclass(frozen=True, kw_only=True)
class HostGroup:
    """The hosts of one instance group; a homogeneous cluster is one group."""

    name: str
    instance_type: str
    hosts: tuple[str, ...]


def host_groups(request: Request) -> tuple[HostGroup, ...]:
    """Return the job's hosts, by instance group."""
    resources = request["ResourceConfig"]
    groups = resources.get("InstanceGroups") or [
        {
            "InstanceGroupName": "homogeneousCluster",
            "InstanceType": resources["InstanceType"],
            "InstanceCount": resources["InstanceCount"],
        }
    ]
    names = iter(
        sorted(
            network.hosts(sum(group["InstanceCount"] for group in groups)),
            key=lambda host: int(host.rpartition("-")[2]),
        )
    )
    return tuple(
        HostGroup(
            name=group["InstanceGroupName"],
            instance_type=group["InstanceType"],
            hosts=tuple(next(names) for _ in range(group["InstanceCount"])),
        )
        for group in groups
    )


def config_files(request: Request, host: str) -> dict[str, bytes]:
    """Return the JSON files of /opt/ml/input/config for one host, by path."""
    contents = {
        paths.HYPERPARAMETERS.path: dict(request.get("HyperParameters", {})),
        paths.INPUT_DATA_CONFIG.path: _input_data_config(request),
        paths.RESOURCE_CONFIG.path: _resource_config(request, host),
    }
    if checkpoints := checkpoint_path(request):
        contents[paths.CHECKPOINT_CONFIG.path] = {
            "S3Uri": request["CheckpointConfig"]["S3Uri"],
            "LocalPath": checkpoints,
        }
    return {path: json.dumps(content).encode() for path, content in contents.items()}


def checkpoint_path(request: Request) -> str | None:
    """Return the folder that is mirrored to S3 inside the containers, or None."""
    config = request.get("CheckpointConfig")
    if config is None:
        return None
    return "/" + str(config.get("LocalPath") or paths.CHECKPOINTS.path).strip("/")


def environment(request: Request, *, arn: str, region: str, warm: bool = False) -> dict[str, str]:
    """Return the variables that the platform sets, the user's own last.

    ``warm`` says that the job runs on a warm pool.
    """
    cache = variables.SAGEMAKER_MANAGED_WARMPOOL_CACHE_DIRECTORY.name
    return {
        **({cache: paths.WARM_POOL_CACHE.path} if warm else {}),
        variables.TRAINING_JOB_NAME.name: request["TrainingJobName"],
        variables.TRAINING_JOB_ARN.name: arn,
        variables.AWS_REGION.name: region,
        variables.AWS_DEFAULT_REGION.name: region,
        **request.get("Environment", {}),
    }


def _input_data_config(request: Request) -> dict[str, Any]:
    default_mode = request["AlgorithmSpecification"].get("TrainingInputMode", "File")
    return {
        channel["ChannelName"]: _channel_config(channel, default_mode)
        for channel in request.get("InputDataConfig", ())
    }


def _channel_config(channel: Mapping[str, Any], default_mode: str) -> dict[str, Any]:
    source = channel["DataSource"].get("S3DataSource", {})
    config = {
        "TrainingInputMode": channel.get("InputMode", default_mode),
        "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
        "RecordWrapperType": channel.get("RecordWrapperType", "None"),
    }
    if "ContentType" in channel:
        config["ContentType"] = channel["ContentType"]
    return config


def _resource_config(request: Request, host: str) -> dict[str, Any]:
    groups = host_groups(request)
    own = next(group for group in groups if host in group.hosts)
    return {
        "current_host": host,
        "current_instance_type": own.instance_type,
        "current_group_name": own.name,
        "hosts": sorted(name for group in groups for name in group.hosts),
        "instance_groups": [
            {
                "instance_group_name": group.name,
                "instance_type": group.instance_type,
                "hosts": sorted(group.hosts),
            }
            for group in groups
        ],
        "network_interface_name": network.INTERFACE,
    }
