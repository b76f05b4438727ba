"""What a job needs on this machine before its containers start: its inputs, laid out."""

from collections.abc import Callable

from sagedock.contract import paths
from sagedock.local.processing.containers import Cluster
from sagedock.local.processing.transfers import Download, downloads
from sagedock.local.training.channels import lay_out, objects_of
from sagedock.local.training.sources import Source
from sagedock.local.training.staging import until_stopped
from sagedock.local.training.unreadable import ChannelUnreadable

__all__ = ["stage"]


def stage(cluster: Cluster, check_stop: Callable[[], None]) -> None:
    """Lay out each host's inputs, without copying them, and whatever else it is given.

    ``check_stop`` is called again and again; what it raises ends the staging. Raises
    ChannelUnreadable.
    """
    for host in cluster.hosts:
        try:
            for each in downloads(cluster.request, cluster.hosts):
                check_stop()
                _bring(cluster, each, host, check_stop)
            cluster.lay_out(host)
        except (FileExistsError, NotADirectoryError) as error:
            raise ChannelUnreadable(
                "Failed to download data. A file of an input lies where a LocalPath needs a folder"
            ) from error


def _bring(cluster: Cluster, download: Download, host: str, check_stop: Callable[[], None]) -> None:
    store, region = cluster.platform.objects, cluster.job.key.region
    uri = download.source.uri
    if uri is not None and not store.has_bucket(uri.bucket):  # it was there at the creation
        raise ChannelUnreadable(
            f"Failed to download data. ListObjectsV2 failed for {uri} nextToken:[null]: "
            "The specified bucket does not exist"
        )
    source = Source(store=store, region=region)
    objects = objects_of(source, download.source, download.source.share_of(host))
    folder = cluster.folder(host, f"{paths.PROCESSING}/{download.below}")
    lay_out(until_stopped(objects, check_stop), folder)
