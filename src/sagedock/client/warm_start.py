"""Whether a warm start fits its parents: found out before anything is uploaded."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from sagedock.api import tuning
from sagedock.jobs import Request
from sagedock.jobs.pipeline import Reference, references_in

__all__ = ["problems_of_parents"]

_NAME = "HyperParameterTuningJobName"
_IDENTICAL = "IdenticalDataAndAlgorithm"
_WORD = "warm_start_config"
_TRANSFER = "use TransferLearning where they differ"
#: What members of a channel are where they are not said; answers may say them.
_DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "CompressionType": "None",
        "RecordWrapperType": "None",
        "S3DataDistributionType": "FullyReplicated",
    }
)


def problems_of_parents(request: Request, sagemaker: Any) -> Iterator[str]:
    """Yield a line for each difference of an IdenticalDataAndAlgorithm warm start from a parent in
    data or image. What only a pipeline's execution knows is not compared; nor are parents that the
    caller may not describe.

    Raises botocore's ClientError for an absent parent. Source of the rule:
    API_HyperParameterTuningJobWarmStartConfig.
    """
    asked = request.parameters
    config = asked.get("WarmStartConfig") or {}
    for parent in config.get("ParentHyperParameterTuningJobs") or ():
        name = parent[_NAME]
        description = _described(name, sagemaker)
        if config.get("WarmStartType") != _IDENTICAL:
            continue
        pairs = zip(tuning.definitions(asked), tuning.definitions(description), strict=False)
        for mine, theirs in pairs:
            yield from _differences(name, mine, theirs)


def _described(name: Any, sagemaker: Any) -> Mapping[str, Any]:
    """Return a parent's description; nothing where it cannot be known yet, or is not shown."""
    from botocore.exceptions import ClientError

    if isinstance(name, Reference):
        return {}
    try:
        answer: Mapping[str, Any] = sagemaker.describe_hyper_parameter_tuning_job(**{_NAME: name})
    except ClientError as error:
        if error.response["Error"]["Code"] == "AccessDeniedException":
            return {}
        raise
    return answer


def _differences(name: str, mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[str]:
    said = f"{_WORD}: IdenticalDataAndAlgorithm: the parent {name}"
    images = [each["AlgorithmSpecification"].get("TrainingImage") for each in (mine, theirs)]
    if images[0] != images[1] and not [*references_in(images)]:
        yield f"{said} has the image {images[1]}, not {images[0]}: {_TRANSFER}"
    own, other = _channels(mine), _channels(theirs)
    for channel in sorted(own.keys() | other.keys()):
        if channel not in other or channel not in own:
            has = "has no" if channel not in other else "has an"
            yield f"{said} {has} input {channel!r}: {_TRANSFER}"
        elif own[channel] != other[channel] and not [*references_in(own[channel])]:
            yield f"{said} has {_shown(other[channel])} as inputs[{channel!r}], not " + (
                f"{_shown(own[channel])}: {_TRANSFER}"
            )


def _channels(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return the channels by name, without what says no more than the default."""
    return {
        each["ChannelName"]: _without_defaults(each)
        for each in definition.get("InputDataConfig") or ()
    }


def _without_defaults(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {
        name: _without_defaults(each)
        for name, each in value.items()
        if each != _DEFAULTS.get(name) and each not in (None, {}, [])
    }


def _shown(channel: Mapping[str, Any]) -> str:
    """Return a channel's URI, and what it has beside that."""
    source = channel.get("DataSource", {}).get("S3DataSource", {})
    others = {name: each for name, each in channel.items() if name != "ChannelName"}
    return str(source.get("S3Uri", others))
