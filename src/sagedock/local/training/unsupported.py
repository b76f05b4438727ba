"""What the local SageMaker cannot carry out yet: refused clearly, never quietly left out."""

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sagedock.api import ServiceError, messages
from sagedock.contract import paths
from sagedock.local.training import layout
from sagedock.local.training.file_systems import FileSystemAbsent, local_folder
from sagedock.local.training.inputs import Input
from sagedock.local.training.layout import checkpoint_path

__all__ = ["unsupported"]

#: Characters that a mount's target cannot hold.
_FORBIDDEN = set(',:\\"\0')


def unsupported(
    request: Mapping[str, Any], file_systems: Mapping[str, Path]
) -> ServiceError | None:
    """Return the refusal of a request that would not run here as on AWS, or None.

    ``file_systems`` are the settings' folders for EFS and FSx.
    """
    wishes = _kinds(request) or [*_whole(request), *_channels(request, file_systems)]
    if not wishes:
        return None
    instead = "Leave it out locally, or run the job on AWS."
    return messages.not_carried_out("; ".join(wishes), instead)


def _kinds(request: Mapping[str, Any]) -> list[str]:
    """Return the kinds of job that have not even the members that are looked at below."""
    wishes = ["ServerlessJobConfig"] if request.get("ServerlessJobConfig") else []
    if request.get("ResourceConfig", {}).get("InstancePreferences"):
        wishes.append("ResourceConfig.InstancePreferences")
    return wishes


def _whole(request: Mapping[str, Any]) -> list[str]:
    wishes = []
    if "TrainingImage" not in request["AlgorithmSpecification"]:
        wishes.append("AlgorithmSpecification without TrainingImage")
    wishes += [name for name in ("ModelPackageConfig",) if request.get(name)]
    wishes += _checkpoints(request)
    return [*wishes, *_expressions(request["AlgorithmSpecification"])]


def _checkpoints(request: Mapping[str, Any]) -> Iterator[str]:
    config = request.get("CheckpointConfig")
    if config is None:
        return
    if not config["S3Uri"].startswith("s3://"):
        yield f"CheckpointConfig.S3Uri {config['S3Uri']}"
    path = (checkpoint_path(request) or "").rstrip("/")
    taken = (paths.INPUT, paths.OUTPUT, paths.MODEL, paths.RESERVED, paths.WARM_POOL_CACHE)
    is_taken = any(f"{each.path}/".startswith(f"{path}/") for each in taken)
    inside = any(path.startswith(f"{each.path}/") for each in (paths.INPUT, paths.OUTPUT))
    if is_taken or inside or {".", ".."} & set(path.split("/")) or _FORBIDDEN & set(path):
        yield f"CheckpointConfig.LocalPath {config.get('LocalPath')}"


def _expressions(algorithm: Mapping[str, Any]) -> Iterator[str]:
    """Yield the metrics' expressions that Python's ``re`` does not take."""
    for number, metric in enumerate(algorithm.get("MetricDefinitions", ())):
        try:
            re.compile(metric["Regex"])
        except (re.error, RecursionError, OverflowError) as error:
            yield (
                f"AlgorithmSpecification.MetricDefinitions[{number}].Regex {metric['Regex']!r} "
                f"({error})"
            )


def _channels(request: Mapping[str, Any], file_systems: Mapping[str, Path]) -> list[str]:
    strange = [*_strange_sources(request)]
    if strange:
        return strange
    channels = layout.inputs(request)
    pipes = [channel.name for channel in channels if channel.mode == "Pipe"]
    wishes = []
    for number, channel in enumerate(channels):
        at = f"InputDataConfig[{number}]"
        if channel.name in (".", "..") or _is_fifo_of(channel.name, pipes):
            wishes.append(f"{at}.ChannelName {channel.name}")
        if channel.mode == "Pipe" and sys.platform != "linux":
            wishes.append(f"{at}.InputMode Pipe (which needs Linux)")
        wishes += _of_file_system(at, channel, file_systems)
    return wishes


def _strange_sources(request: Mapping[str, Any]) -> Iterator[str]:
    for number, channel in enumerate(request.get("InputDataConfig", ())):
        at = f"InputDataConfig[{number}].DataSource"
        source = channel["DataSource"].get("S3DataSource")
        if source is None and "FileSystemDataSource" not in channel["DataSource"]:
            yield f"{at} other than S3DataSource and FileSystemDataSource"
        elif source is not None and source["S3DataType"] == "Converse":
            yield f"{at}.S3DataSource.S3DataType Converse"


def _is_fifo_of(name: str, pipes: list[str]) -> bool:
    """Say whether a channel is called as a FIFO of a Pipe channel is, which lies beside it."""
    return any(re.fullmatch(rf"{re.escape(pipe)}_\d+", name) for pipe in pipes)


def _of_file_system(at: str, channel: Input, file_systems: Mapping[str, Path]) -> Iterator[str]:
    if channel.file_system is not None:
        try:
            local_folder(file_systems, channel.file_system)
        except FileSystemAbsent as error:
            yield f"{at}.DataSource.FileSystemDataSource of {error}"
