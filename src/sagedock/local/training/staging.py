"""What a job needs on this machine before its containers start: its channels, laid out."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from sagedock.local.platform import Platform
from sagedock.local.resources import Key
from sagedock.local.training import layout
from sagedock.local.training.channels import lay_out, objects_of
from sagedock.local.training.containers import channel_folder, plan_file
from sagedock.local.training.inputs import Input, Share
from sagedock.local.training.plan import keep_lines, write_uris
from sagedock.local.training.sources import Source

__all__ = ["stage_channels", "until_stopped"]

_Item = TypeVar("_Item")


def stage_channels(
    platform: Platform, key: Key, request: Mapping[str, Any], check_stop: Callable[[], None]
) -> None:
    """Lay out every channel: folders once for all hosts or a shard for each, plans for pipes.

    ``check_stop`` is called again and again; what it raises ends the staging. Raises
    ChannelUnreadable.
    """
    source = Source(store=platform.objects, region=key.region)
    for channel in layout.inputs(request):
        check_stop()
        if channel.file_system is not None:
            continue
        if channel.mode == "Pipe":
            _write_plan(platform, key, source, channel, check_stop)
            continue
        for host in channel.hosts if channel.sharded else (None,):
            share = Share() if host is None else channel.share_of(host)
            objects = until_stopped(objects_of(source, channel, share), check_stop)
            lay_out(objects, channel_folder(platform, key, channel.name, host))


def _write_plan(
    platform: Platform, key: Key, source: Source, channel: Input, check_stop: Callable[[], None]
) -> None:
    plan = plan_file(platform, key, channel.name)
    if channel.data_type == "AugmentedManifestFile" and channel.uri is not None:
        keep_lines(source.find(channel.uri).path, plan)
    else:
        write_uris(until_stopped(source.uris(channel), check_stop), plan)


def until_stopped(items: Iterable[_Item], check_stop: Callable[[], None]) -> Iterator[_Item]:
    """Yield ``items``, with a call of ``check_stop`` before each."""
    for item in items:
        check_stop()
        yield item
