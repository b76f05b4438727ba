"""CreateTrainingJob: channels, and what else is listed by name."""

from collections.abc import Iterator

from sagedock.api.rules.rule import BROKEN, Finding, Request, Rule, part, repeated
from sagedock.api.rules.sources import API, GITHUB, GUIDE

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


def _of_type(request: Request, data_type: str) -> Iterator[tuple[Request, Request]]:
    """Yield each channel whose data is of that S3DataType, with its source."""
    return (each for each in _s3_sources(request) if each[1].get("S3DataType") == data_type)


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
    augmented = _of_type(request, "AugmentedManifestFile")
    return _named([one for one, _ in augmented if _mode(request, one) != "Pipe"])


def _only_in_pipe(request: Request, member: str) -> Finding:
    """Return the finding of the first channel that asks for what only Pipe mode does."""
    for channel in _channels(request):
        # File is the default; the model has it required, and serverless jobs have none.
        mode, asked = _mode(request, channel) or "File", channel.get(member, "None")
        if mode != "Pipe" and asked != "None":
            return {"channel": channel["ChannelName"], "mode": mode, "asked": asked}
    return None


def _compressed_outside_pipe(request: Request) -> Finding:
    return _only_in_pipe(request, "CompressionType")


def _wrapped_outside_pipe(request: Request) -> Finding:
    return _only_in_pipe(request, "RecordWrapperType")


def _no_attributes(request: Request) -> Finding:
    augmented = _of_type(request, "AugmentedManifestFile")
    return _named([one for one, source in augmented if not source.get("AttributeNames")])


def _manifest_of_fast_file(request: Request) -> Finding:
    manifests = _of_type(request, "ManifestFile")
    return _named([one for one, _ in manifests if _mode(request, one) == "FastFile"])


def _on_file_systems(request: Request) -> list[Request]:
    return [
        one for one in _channels(request) if part(part(one, "DataSource"), "FileSystemDataSource")
    ]


def _file_system_outside_file(request: Request) -> Finding:
    channels = _on_file_systems(request)
    return _named([one for one in channels if _mode(request, one) in ("Pipe", "FastFile")])


def _file_system_without_vpc(request: Request) -> Finding:
    return None if request.get("VpcConfig") else _named(_on_file_systems(request))


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
        fields=("InputDataConfig",),
        finding=_compressed_outside_pipe,
        message=(
            "Invalid compression type for channel {channel}: {mode} mode only supports NONE, got "
            "{asked} instead"
        ),
        source=GITHUB + "aws/sagemaker-python-sdk/issues/716",  # seen for File; FastFile is new
        verified=True,
    ),
    Rule(
        fields=("InputDataConfig",),
        finding=_wrapped_outside_pipe,
        message=(
            "Invalid record wrapper type for channel {channel}: {mode} mode only supports NONE, "
            "got {asked} instead"
        ),
        source=API + "API_Channel.html",
        verified=False,
    ),
    Rule(
        fields=("InputDataConfig",),
        finding=_no_attributes,
        message="AttributeNames must be specified for S3DataType AugmentedManifestFile. "
        "Channels: [{names}]",
        source=GUIDE + "augmented-manifest.html",
        verified=False,
    ),
    Rule(
        fields=("InputDataConfig",),
        finding=_manifest_of_fast_file,
        message="FastFile input mode is only supported with S3DataType S3Prefix. "
        "Channels: [{names}]",
        source=GUIDE + "your-algorithms-training-algo-running-container.html",
        verified=False,
    ),
    Rule(
        fields=("InputDataConfig",),
        finding=_file_system_outside_file,
        message="FileSystemDataSource is only supported in File input mode. Channels: [{names}]",
        source=GUIDE + "your-algorithms-training-algo-running-container.html",
        verified=False,
    ),
    Rule(
        fields=("InputDataConfig", "VpcConfig"),
        finding=_file_system_without_vpc,
        message="VpcConfig must be specified for FileSystemDataSource. Channels: [{names}]",
        source=GUIDE + "model-access-training-data.html",
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
