"""What a processing job is called, where, and by what its containers are known."""

from collections.abc import Mapping
from pathlib import Path

from sagedock.api import log_groups, states
from sagedock.local.caller import Caller
from sagedock.local.host_logs import HostLogs
from sagedock.local.platform import Platform
from sagedock.local.resources import Key

__all__ = [
    "KIND",
    "PROCESSING_LABEL",
    "REGION_LABEL",
    "TERMINAL",
    "host_logs",
    "job_folder",
    "job_labels",
    "network_name",
    "processing_job_arn",
    "stream_name",
]

KIND: states.Kind = "processing-job"
TERMINAL = states.STATUSES[KIND].terminal

PROCESSING_LABEL = "sagedock.processing"
REGION_LABEL = "sagedock.region"


def processing_job_arn(caller: Caller, name: str) -> str:
    """Return the job's ARN: its name is lower-cased. Source: row 140 of the fidelity corpus."""
    return caller.arn(KIND, name.lower())


def job_labels(platform: Platform, key: Key) -> Mapping[str, str]:
    """Return the labels of everything that one job has in the engine."""
    return {**platform.labels, PROCESSING_LABEL: key.name, REGION_LABEL: key.region}


def job_folder(platform: Platform, key: Key) -> Path:
    """Return where a job's inputs are staged while it runs."""
    return platform.processing_folder / key.region / key.name


def network_name(platform: Platform, key: Key) -> str:
    """Return the name of the network of a job with several hosts. No job of another kind has one
    of that name: a job's name holds no underscore.
    """
    return f"{platform.network}-{key.region}-processing_{key.name}"


def host_logs(platform: Platform, key: Key) -> HostLogs:
    """Return the job's log streams."""
    return HostLogs(
        logs=platform.logs, region=key.region, group=log_groups.PROCESSING_JOBS, job=key.name
    )


def stream_name(key: Key, host: str, created_s: float) -> str:
    """Return the log stream of a host. Source:
    https://docs.aws.amazon.com/sagemaker/latest/dg/logging-cloudwatch.html
    """
    return f"{key.name}/{host}-{int(created_s)}"
