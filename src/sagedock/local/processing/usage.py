"""What the containers of a processing job use, as the service publishes it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sagedock.api import metrics as names
from sagedock.local.metrics import Host, Sampler
from sagedock.local.platform import Platform
from sagedock.local.processing.layout import hosts
from sagedock.local.resources import Resource

__all__ = ["forget_usage", "measured"]


@contextmanager
def measured(platform: Platform, job: Resource, containers: Mapping[str, str]) -> Iterator[None]:
    """Publish what containers (host to id) use while they run, within the block."""
    cluster = job.request["ProcessingResources"]["ClusterConfig"]
    samplers = [
        Sampler(
            platform.engine,
            platform.metrics,
            Host(
                region=job.key.region,
                job=job.key.name,
                name=name,
                container=container,
                volume_gb=cluster["VolumeSizeInGB"],
                namespace=names.PROCESSING_JOBS,
            ),
            period_s=platform.settings.metrics_period_s,
        )
        for name, container in containers.items()
    ]
    for each in samplers:
        each.start()
    try:
        yield
    finally:
        for each in samplers:
            each.end()
        for each in samplers:
            each.join()


def forget_usage(platform: Platform, job: Resource) -> None:
    """Delete what was published of a job: its name may be used again."""
    for host in hosts(job.request):
        dimensions = names.host_dimension(job.key.name, host)
        platform.metrics.delete(job.key.region, names.PROCESSING_JOBS, dimensions)
