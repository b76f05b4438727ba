"""The channels of a job as data: what the request says, with the API's defaults filled in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sagedock.local.uris import S3Uri

__all__ = ["FileSystem", "Input", "Mode", "Share"]

Mode = Literal["File", "FastFile", "Pipe"]
DataType = Literal["S3Prefix", "ManifestFile", "AugmentedManifestFile"]


@dataclass(frozen=True, kw_only=True)
class Share:
    """Which items of a channel one host gets: those whose position leaves ``index``."""

    index: int = 0
    count: int = 1

    def takes(self, position: int) -> bool:
        """Say whether the item at ``position`` is this host's."""
        return position % self.count == self.index


@dataclass(frozen=True, kw_only=True)
class FileSystem:
    """A folder of an EFS or FSx file system."""

    id: str
    path: str
    read_only: bool


@dataclass(frozen=True, kw_only=True)
class Input:
    """One channel. ``uri`` is a prefix or a manifest in S3, None where ``file_system`` is given.

    ``hosts`` are those that have the channel. ``seed`` None leaves the order as it is.
    """

    name: str
    mode: Mode
    hosts: tuple[str, ...]
    content_type: str | None = None
    uri: S3Uri | None = None
    file_system: FileSystem | None = None
    data_type: DataType = "S3Prefix"
    sharded: bool = False
    gzipped: bool = False
    recordio: bool = False
    attributes: tuple[str, ...] = ()
    seed: int | None = None

    @classmethod
    def of(
        cls, channel: Mapping[str, Any], default_mode: Mode, groups: Mapping[str, tuple[str, ...]]
    ) -> "Input":
        """Return what one entry of InputDataConfig means, in a job with those instance groups."""
        source = channel["DataSource"].get("S3DataSource", {})
        system = channel["DataSource"].get("FileSystemDataSource")
        chosen = source.get("InstanceGroupNames") or groups
        return cls(
            name=channel["ChannelName"],
            mode=channel.get("InputMode", default_mode),
            hosts=tuple(host for name, hosts in groups.items() if name in chosen for host in hosts),
            content_type=channel.get("ContentType"),
            uri=S3Uri.parse(source["S3Uri"]) if source else None,
            file_system=_file_system(system) if system else None,
            data_type=source.get("S3DataType", "S3Prefix"),
            sharded=source.get("S3DataDistributionType") == "ShardedByS3Key",
            gzipped=channel.get("CompressionType") == "Gzip",
            recordio=channel.get("RecordWrapperType") == "RecordIO",
            attributes=tuple(source.get("AttributeNames", ())),
            seed=channel.get("ShuffleConfig", {}).get("Seed"),
        )

    def share_of(self, host: str) -> Share:
        """Return what ``host`` gets: all, or its part of a sharded channel."""
        if not self.sharded:
            return Share()
        return Share(index=self.hosts.index(host), count=len(self.hosts))


def _file_system(source: Mapping[str, Any]) -> FileSystem:
    return FileSystem(
        id=source["FileSystemId"],
        path=source["DirectoryPath"],
        read_only=source["FileSystemAccessMode"] == "ro",
    )
