"""What the platform puts into a processing container: files, variables, and the command.

Everything here is a pure function of the request. Source: the rows of ``sagedock.contract``.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sagedock.contract import network, paths, variables

__all__ = ["Command", "command", "config_files", "environment", "hosts"]

Request = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Command:
    """What a container runs; None keeps the image's own."""

    entrypoint: tuple[str, ...] | None
    arguments: tuple[str, ...] | None


def command(request: Request) -> Command:
    """Return what the container runs: the image's ENTRYPOINT and CMD, or the request's.

    An entrypoint alone drops the image's CMD; arguments alone replace it. Source:
    https://docs.aws.amazon.com/sagemaker/latest/dg/byoc-run-image.html
    """
    application = request["AppSpecification"]
    entrypoint = application.get("ContainerEntrypoint")
    arguments = application.get("ContainerArguments")
    if entrypoint is not None and arguments is None:
        arguments = ()
    return Command(
        entrypoint=None if entrypoint is None else tuple(entrypoint),
        arguments=None if arguments is None else tuple(arguments),
    )


def hosts(request: Request) -> tuple[str, ...]:
    """Return the hosts, algo-1 first; there is one unless the request says otherwise."""
    count = request["ProcessingResources"]["ClusterConfig"].get("InstanceCount", 1)
    return tuple(network.host(number) for number in range(1, count + 1))


def config_files(request: Request, host: str, arn: str) -> dict[str, bytes]:
    """Return the JSON files of one host, by path."""
    contents = {
        paths.PROCESSING_JOB.path: _job(request, arn),
        paths.PROCESSING_HOSTS.path: {
            "current_host": host,
            "hosts": sorted(hosts(request)),
        },
    }
    return {path: json.dumps(content).encode() for path, content in contents.items()}


def environment(request: Request, region: str) -> dict[str, str]:
    """Return the variables that the platform sets, the user's own last. That the region is among
    them is unverified.
    """
    return {
        variables.AWS_REGION.name: region,
        variables.AWS_DEFAULT_REGION.name: region,
        **request.get("Environment", {}),
    }


def _job(request: Request, arn: str) -> dict[str, Any]:
    """Return what the file says of the job: what was not sent is null, or empty."""
    output = request.get("ProcessingOutputConfig", {})
    return {
        "ProcessingJobArn": arn,
        "ProcessingJobName": request["ProcessingJobName"],
        "AppSpecification": {
            **_nulls("ContainerEntrypoint", "ContainerArguments"),
            **request["AppSpecification"],
        },
        "Environment": request.get("Environment", {}),
        "ProcessingInputs": request.get("ProcessingInputs", []),
        "ProcessingOutputConfig": {"Outputs": [], **_nulls("KmsKeyId"), **output},
        "ProcessingResources": {
            "ClusterConfig": {
                **_nulls("VolumeKmsKeyId"),
                **request["ProcessingResources"]["ClusterConfig"],
            }
        },
        "RoleArn": request["RoleArn"],
        "StoppingCondition": request.get("StoppingCondition", _nulls("MaxRuntimeInSeconds")),
    }


def _nulls(*names: str) -> dict[str, None]:
    return dict.fromkeys(names)
