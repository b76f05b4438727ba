"""The inputs of ``fit``: channels, and folders of this machine to be copied to S3."""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from sagedock.jobs import Channel, FileSystemChannel
from sagedock.jobs.pipeline import Reference

__all__ = ["AnyChannel", "Inputs", "as_channels", "local_path", "moved", "problems_in_files"]

AnyChannel: TypeAlias = Channel | FileSystemChannel

#: What ``fit`` takes: one channel, named ``training`` as SDK v2 does, or several by name.
Inputs: TypeAlias = (
    str | Path | Reference | AnyChannel | Mapping[str, str | Path | Reference | AnyChannel] | None
)
_ONLY_CHANNEL = "training"


def as_channels(inputs: Inputs) -> dict[str, AnyChannel]:
    """Return the inputs as channels by name; a path is still a path."""
    if inputs is None:
        return {}
    named = inputs if isinstance(inputs, Mapping) else {_ONLY_CHANNEL: inputs}
    return {name: _as_channel(data) for name, data in named.items()}


def _as_channel(data: str | Path | Reference | AnyChannel) -> AnyChannel:
    if isinstance(data, Reference):
        return Channel(s3_data=data)
    return Channel(s3_data=str(data)) if isinstance(data, str | Path) else data


def local_path(channel: AnyChannel) -> Path | None:
    """Return the file or folder of this machine that the channel names, None for any other."""
    if isinstance(channel, FileSystemChannel):
        return None
    data = channel.s3_data
    if isinstance(data, Reference):
        return None
    if data.startswith("file://"):
        return Path(data.removeprefix("file://"))
    return None if "://" in data else Path(data)


def problems_in_files(channels: Mapping[str, AnyChannel]) -> Iterator[str]:
    """Yield a problem for each channel whose file or folder is not there, or holds no file."""
    for name, channel in channels.items():
        path = local_path(channel)
        if path is None or path.is_file():
            continue
        if not path.is_dir():
            yield (
                f"inputs[{name!r}]: {path}: no such file or folder: "
                "give an S3 URI (s3://bucket/prefix/) or a path that exists"
            )
        elif not any(found.is_file() for found in path.rglob("*")):
            yield f"inputs[{name!r}]: {path}: the folder holds no file: put the data there"


def moved(channel: AnyChannel, prefix: str) -> AnyChannel:
    """Return the channel with its data uploaded below ``prefix``, which ends with a slash.

    A manifest is named itself; any other data by the prefix.
    """
    path = local_path(channel)
    if path is None or isinstance(channel, FileSystemChannel):
        return channel
    uri = prefix if channel.s3_data_type == "S3Prefix" else prefix + path.name
    return dataclasses.replace(channel, s3_data=uri)
