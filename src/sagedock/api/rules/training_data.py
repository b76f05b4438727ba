"""CreateTrainingJob: channels, and what else is listed by name."""

from collections.abc import Iterator

from sagedock.api.rules.rule import BROKEN, Finding, Request, Rule, part, repeated
from sagedock.api.rules.sources import API, GITHUB

__all__ = ["RULES"]


def _channels(request: Request) -> list[Request]:
    return list(request.get("InputDataConfig") or ())


def _mode(request: Request, channel: Request) -> str | None:
    """Return a channel's input mode: its own, or the algorithm's."""
    mode = channel.get("InputMode") or part(request, "AlgorithmSpecification").get(
        "TrainingInputMode"
    )
    return None if mode is None else str(mode)


def _s3_sources(request: Request) -> Iterator[tuple[Request, Request]]:
    for channel in _channels(request):
        yield channel, part(part(channel, "DataSource"), "S3DataSource")


def _named(channels: list[Request]) -> Finding:
    return (
        {"names": ", ".join(channel["ChannelName"] for channel in channels)} if channels else None
    )


def _pipe_and_fast_file(request: Request) -> Finding:
    modes = {_mode(request, channel) for channel in _channels(request)}
    return BROKEN if {"Pipe", "FastFile"} <= modes else None


def _repeated_channels(request: Request) -> Finding:
    return repeated(channel["ChannelName"] for channel in _channels(request))


def _without_source(request: Request) -> Finding:
    return _named([one for one in _channels(request) if not any(part(one, "DataSource").values())])


def _augmented_outside_pipe(request: Request) -> Finding:
    return _named(
        [
            channel
            for channel, source in _s3_sources(request)
            if source.get("S3DataType") == "AugmentedManifestFile"
            and _mode(request, channel) != "Pipe"
        ]
    )


def _some_in_groups(request: Request) -> Finding:
    sources = {channel["ChannelName"]: source for channel, source in _s3_sources(request)}
    placed = [name for name, source in sources.items() if source.get("InstanceGroupNames")]
    others = [name for name in sources if name not in placed]
    if not placed or not others:
        return None
    return {"placed": ", ".join(placed), "others": ", ".join(others)}


def _unknown_groups(request: Request) -> Finding:
    groups = part(request, "ResourceConfig").get("InstanceGroups") or ()
    known = {group["InstanceGroupName"] for group in groups}
    asked = {
        name
        for _, source in _s3_sources(request)
        for name in source.get("InstanceGroupNames") or ()
    }
    return {"names": ", ".join(sorted(asked - known))} if asked - known else None


def _repeated_tags(request: Request) -> Finding:
    return repeated(tag["Key"] for tag in request.get("Tags") or ())


RULES: tuple[Rule, ...] = (
    Rule(
        fields=("AlgorithmSpecification.TrainingInputMode", "InputDataConfig"),
        finding=_pipe_and_fast_file,
        message="Cannot use both 'Pipe' and 'FastFile' TrainingInputMode on the same Training Job.",
        source=API + "API_Channel.html",  # words: aws-answers row 153 of the rest
        verified=True,
    ),
    Rule(
        fields=("InputDataConfig", "ResourceConfig.InstanceGroups"),
        finding=_some_in_groups,
        message=(
            "Some channels have assigned instance groups: [{placed}] while others not: [{others}]"
        ),
        source=GITHUB + "aws/sagemaker-python-sdk/issues/5225",
        verified=True,
    ),
    Rule(
        fields=("InputDataConfig", "ResourceConfig.InstanceGroups"),
        finding=_unknown_groups,
        message="Channels are assigned to instance groups that do not exist: [{names}]",
        source=API + "API_S3DataSource.html",
        verified=False,
    ),
    Rule(
        fields=("InputDataConfig",),
        finding=_repeated_channels,
        message="Channel names must be unique. Duplicate channel names: [{names}]",
        source=API + "API_Channel.html",
        verified=False,
    ),
    Rule(
        fields=("InputDataConfig",),
        finding=_without_source,
        message="A data source must be specified for channels: [{names}]",
        source=API + "API_DataSource.html",
        verified=False,
    ),
    Rule(
        fields=("InputDataConfig",),
        finding=_augmented_outside_pipe,
        message=(
            "S3DataType AugmentedManifestFile is only supported in Pipe input mode. "
            "Channels: [{names}]"
        ),
        source=API + "API_S3DataSource.html",
        verified=False,
    ),
    Rule(
        fields=("Tags",),
        finding=_repeated_tags,
        message="Tag keys must be unique. Duplicate tag keys: [{names}]",
        source=API + "API_Tag.html",
        verified=False,
    ),
)
