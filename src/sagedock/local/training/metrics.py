"""A training job's metrics: what definitions find, what containers use, what it ended with."""

import struct
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sagedock.api import metrics as names
from sagedock.local.logs import Line
from sagedock.local.metrics import Definitions, Host, LogReader, Sampler
from sagedock.local.platform import Platform
from sagedock.local.resources import Key
from sagedock.local.training.collect import LOG_GROUP
from sagedock.local.training.layout import host_groups

__all__ = ["final_metrics", "forget_metrics", "measured"]


@contextmanager
def measured(
    platform: Platform, key: Key, request: Mapping[str, Any], containers: Mapping[str, str]
) -> Iterator[None]:
    """Publish the metrics of a job whose containers (host to id) run within the block.

    After the block every stored line was looked at. It may be entered again for new containers of
    the same job, or after the server was killed.
    """
    publishers: list[LogReader | Sampler] = [
        *_readers(platform, key, request),
        *(
            Sampler(
                platform.engine,
                platform.metrics,
                _host(key, request, name, container),
                period_s=platform.settings.metrics_period_s,
            )
            for name, container in containers.items()
        ),
    ]
    for each in publishers:
        each.start()
    try:
        yield
    finally:
        for each in publishers:
            each.end()
        for each in publishers:
            each.join()


def final_metrics(
    platform: Platform, key: Key, request: Mapping[str, Any]
) -> Sequence[Mapping[str, Any]]:
    """Return the last value of each metric that was found, in the order of the definitions.

    Values are single-precision and times whole seconds, as the service answers them (aws-answers
    row 133). Of several hosts, the latest line counts.
    """
    dimensions = names.job_dimension(key.name)
    found = [
        (name, platform.metrics.last(key.region, names.TRAINING_JOBS, name, dimensions))
        for name in _expressions(request)
    ]
    return [
        {
            "MetricName": name,
            "Value": struct.unpack("f", struct.pack("f", point.value))[0],
            "Timestamp": float(point.time_ms // 1000),
        }
        for name, point in found
        if point is not None
    ]


def forget_metrics(platform: Platform, key: Key, request: Mapping[str, Any]) -> None:
    """Delete a job's metrics: its name may be used again, and they are no other job's."""
    hosts = [name for group in host_groups(request) for name in group.hosts]
    for dimensions in (
        names.job_dimension(key.name),
        *(names.host_dimension(key.name, host) for host in hosts),
    ):
        platform.metrics.delete(key.region, names.TRAINING_JOBS, dimensions)
    for stream in platform.logs.streams(key.region, LOG_GROUP, f"{key.name}/"):
        platform.metrics.forget_progress(key.region, stream.name)


def _expressions(request: Mapping[str, Any]) -> Mapping[str, str]:
    definitions = request["AlgorithmSpecification"].get("MetricDefinitions", ())
    return {each["Name"]: each["Regex"] for each in definitions}


def _readers(platform: Platform, key: Key, request: Mapping[str, Any]) -> Iterator[LogReader]:
    """Yield what applies the job's definitions to its log, if it has any."""
    if expressions := _expressions(request):
        definitions = Definitions(
            region=key.region,
            namespace=names.TRAINING_JOBS,
            dimensions=names.job_dimension(key.name),
            unit=names.UNIT_OF_DEFINITIONS,
            expressions=expressions,
            warn=lambda text: _warn(platform, key, text),
        )
        yield LogReader(platform.logs, platform.metrics, definitions, LOG_GROUP, f"{key.name}/")


def _warn(platform: Platform, key: Key, text: str) -> None:
    """Tell the job's user, in the log of its first host."""
    stream = next(iter(platform.logs.streams(key.region, LOG_GROUP, f"{key.name}/")), None)
    if stream is not None:
        line = Line(
            stream="stderr", time_s=time.time(), data=f"sagedock: {text}".encode(), consumed=0
        )
        platform.logs.write(stream, [line])


def _host(key: Key, request: Mapping[str, Any], name: str, container: str) -> Host:
    resources = request["ResourceConfig"]
    return Host(
        region=key.region,
        job=key.name,
        name=name,
        container=container,
        volume_gb=resources.get("VolumeSizeInGB"),
    )
