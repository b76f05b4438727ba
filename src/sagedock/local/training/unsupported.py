"""What the local SageMaker cannot carry out yet: refused clearly, never quietly left out."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sagedock.api import ServiceError, messages
from sagedock.contract import paths
from sagedock.local.training.layout import checkpoint_path

__all__ = ["unsupported"]

#: Characters that a mount's target cannot hold.
_FORBIDDEN = set(',:\\"\0')


def unsupported(request: Mapping[str, Any]) -> ServiceError | None:
    """Return the refusal of a request that would not run here as on AWS, or None."""
    wishes = [*_kinds(request)] or [*_whole(request), *_channels(request)]
    if not wishes:
        return None
    return messages.validation(
        f"The local SageMaker cannot carry out: {'; '.join(wishes)}. Leave it out locally, or run "
        "the job on AWS."
    )


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
    if request["OutputDataConfig"].get("CompressionType") == "NONE":
        wishes.append("OutputDataConfig.CompressionType NONE")
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


def _channels(request: Mapping[str, Any]) -> list[str]:
    default_mode = request["AlgorithmSpecification"].get("TrainingInputMode", "File")
    wishes = []
    for number, channel in enumerate(request.get("InputDataConfig", ())):
        at = f"InputDataConfig[{number}]"
        source = channel["DataSource"].get("S3DataSource")
        if source is None:
            wishes.append(f"{at}.DataSource other than S3DataSource")
            continue
        if channel["ChannelName"] in (".", ".."):
            wishes.append(f"{at}.ChannelName {channel['ChannelName']}")
        if source.get("InstanceGroupNames"):
            wishes.append(f"{at}.DataSource.S3DataSource.InstanceGroupNames")
        if source.get("S3DataType", "S3Prefix") != "S3Prefix":
            wishes.append(f"{at}.DataSource.S3DataSource.S3DataType {source['S3DataType']}")
        if channel.get("InputMode", default_mode) != "File":
            wishes.append(f"{at}.InputMode {channel.get('InputMode', default_mode)}")
        wishes += [
            f"{at}.{member} {channel[member]}"
            for member in ("CompressionType", "RecordWrapperType")
            if channel.get(member, "None") != "None"
        ]
    return wishes
