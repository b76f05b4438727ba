"""The inputs of ``fit``: channels in S3, and folders of this machine to be copied there."""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from sagedock.jobs import Channel

__all__ = ["Inputs", "as_channels", "local_path", "moved", "problems_in_files"]

#: What ``fit`` takes: one channel, named ``training`` as SDK v2 does, or several by name.
Inputs: TypeAlias = str | Path | Channel | Mapping[str, str | Path | Channel] | None
_ONLY_CHANNEL = "training"


def as_channels(inputs: Inputs) -> dict[str, Channel]:
    """Return the inputs as channels by name; a path is still a path."""
    if inputs is None:
        return {}
    named = inputs if isinstance(inputs, Mapping) else {_ONLY_CHANNEL: inputs}
    return {
        name: data if isinstance(data, Channel) else Channel(s3_data=str(data))
        for name, data in named.items()
    }


def local_path(channel: Channel) -> Path | None:
    """Return the file or folder of this machine that the channel names, None for a URI."""
    data = channel.s3_data
    if data.startswith("file://"):
        return Path(data.removeprefix("file://"))
    return None if "://" in data else Path(data)


def problems_in_files(channels: Mapping[str, Channel]) -> Iterator[str]:
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


def moved(channel: Channel, uri: str) -> Channel:
    """Return the channel with its data at ``uri``."""
    return dataclasses.replace(channel, s3_data=uri)
