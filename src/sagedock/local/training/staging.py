"""What a job needs on this machine before its containers start: its channels, laid out."""

from collections.abc import Callable, Mapping
from typing import Any

from sagedock.local.platform import Platform
from sagedock.local.resources import Key
from sagedock.local.training import layout
from sagedock.local.training.channels import lay_out, objects_of
from sagedock.local.training.containers import channel_folder

__all__ = ["stage_channels"]


def stage_channels(
    platform: Platform, key: Key, request: Mapping[str, Any], check_stop: Callable[[], None]
) -> None:
    """Lay out every channel, once for all hosts or a shard for each.

    ``check_stop`` is called after each; what it raises ends the staging. Raises ChannelUnreadable.
    """
    hosts = [host for group in layout.host_groups(request) for host in group.hosts]
    for channel in request.get("InputDataConfig", ()):
        source = channel["DataSource"]["S3DataSource"]
        sharded = source.get("S3DataDistributionType") == "ShardedByS3Key"
        for number, host in enumerate(hosts if sharded else (None,)):
            folder = channel_folder(platform, key, channel["ChannelName"], host)
            lay_out(objects_of(platform.objects, channel, number, len(hosts)), folder)
            check_stop()
