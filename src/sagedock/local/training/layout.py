"""What the platform puts into a training container: files, variables, and the command.

Everything here is a pure function of the request. Source: the rows of ``sagedock.contract``.
"""

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sagedock.contract import network, paths, signals, variables
from sagedock.local.training.inputs import Input

__all__ = [
    "Command",
    "HostGroup",
    "checkpoint_path",
    "command",
    "config_files",
    "environment",
    "host_groups",
    "inputs",
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
    names = map(network.host, itertools.count(1))
    return tuple(
        HostGroup(
            name=group["InstanceGroupName"],
            instance_type=group["InstanceType"],
            hosts=tuple(next(names) for _ in range(group["InstanceCount"])),
        )
        for group in groups
    )


def inputs(request: Request, host: str | None = None) -> tuple[Input, ...]:
    """Return the job's channels, or those that one host has: groups may have their own."""
    default = request["AlgorithmSpecification"].get("TrainingInputMode", "File")
    groups = {group.name: group.hosts for group in host_groups(request)}
    found = (Input.of(each, default, groups) for each in request.get("InputDataConfig", ()))
    return tuple(each for each in found if host is None or host in each.hosts)


def config_files(request: Request, host: str) -> dict[str, bytes]:
    """Return the JSON files of /opt/ml/input/config for one host, by path."""
    contents = {
        paths.HYPERPARAMETERS.path: dict(request.get("HyperParameters", {})),
        paths.INPUT_DATA_CONFIG.path: {
            channel.name: _channel_config(channel) for channel in inputs(request, host)
        },
        paths.RESOURCE_CONFIG.path: _resource_config(request, host),
    }
    if checkpoints := checkpoint_path(request):
        contents[paths.CHECKPOINT_CONFIG.path] = {
            "S3Uri": request["CheckpointConfig"]["S3Uri"],
            "LocalPath": checkpoints,
        }
    return {path: json.dumps(content).encode() for path, content in contents.items()}


def checkpoint_path(request: Request) -> str | None:
    """Return the folder that is mirrored to S3 inside the containers, or None.

    Slashes that are doubled or at its end are taken away, as the engine does.
    """
    config = request.get("CheckpointConfig")
    if config is None:
        return None
    path = str(config.get("LocalPath") or paths.CHECKPOINTS.path)
    return "/" + "/".join(filter(None, path.split("/")))


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


def _channel_config(channel: Input) -> dict[str, str]:
    """Return what a container is told of a channel: FastFile is ``File`` to it, and file systems
    are replicated. Source: the row of INPUT_DATA_CONFIG.
    """
    config = {
        "TrainingInputMode": "Pipe" if channel.mode == "Pipe" else "File",
        "S3DistributionType": "ShardedByS3Key" if channel.sharded else "FullyReplicated",
        "RecordWrapperType": "RecordIO" if channel.recordio else "None",
    }
    return (
        config if channel.content_type is None else config | {"ContentType": channel.content_type}
    )


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
