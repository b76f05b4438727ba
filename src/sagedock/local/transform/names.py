"""What a transform job is called, where, and by what its containers are known."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from sagedock.api import log_groups, states
from sagedock.local.caller import Caller
from sagedock.local.platform import Platform
from sagedock.local.resources import Key

__all__ = [
    "INSTANCE_LABEL",
    "KIND",
    "LOG_GROUP",
    "MODEL",
    "REGION_LABEL",
    "TERMINAL",
    "TRANSFORM_LABEL",
    "data_log_name",
    "instances",
    "job_folder",
    "job_labels",
    "log_name",
    "transform_job_arn",
]

KIND: states.Kind = "transform-job"
#: Beside a stored request: the model as it was when the job was created. It may be deleted then.
MODEL = "_Model"
TERMINAL = states.STATUSES[KIND].terminal

TRANSFORM_LABEL = "sagedock.transform"
REGION_LABEL = "sagedock.region"
INSTANCE_LABEL = "sagedock.instance"
LOG_GROUP = log_groups.TRANSFORM_JOBS
#: Hexadecimal digits of an EC2 instance's id.
_ID_DIGITS = 17


def transform_job_arn(caller: Caller, name: str) -> str:
    """Return the job's ARN: its name is lower-cased. Source: row 140 of the fidelity corpus."""
    return caller.arn(KIND, name.lower())


def instances(key: Key, created_s: float, count: int) -> tuple[str, ...]:
    """Return the ids of a job's instances, as EC2 writes them; the same ones at every call."""
    digests = (
        hashlib.sha256(f"{key.region}/{key.name}/{created_s}/{number}".encode()).hexdigest()
        for number in range(count)
    )
    return tuple(f"i-{digest[:_ID_DIGITS]}" for digest in digests)


def log_name(key: Key, instance: str, created_s: float, container: str | None = None) -> str:
    """Return the log stream of an instance's container, which has a name where there are several.
    Source: https://docs.aws.amazon.com/sagemaker/latest/dg/logging-cloudwatch.html
    """
    name = f"{key.name}/{instance}-{int(created_s)}"
    return name if container is None else f"{name}/{container}"


def data_log_name(key: Key, instance: str, created_s: float) -> str:
    """Return the stream of what the platform says of an instance's data; see ``log_name``."""
    return f"{log_name(key, instance, created_s)}/data-log"


def job_labels(platform: Platform, key: Key) -> Mapping[str, str]:
    """Return the labels of everything that one job has in the engine."""
    return {**platform.labels, TRANSFORM_LABEL: key.name, REGION_LABEL: key.region}


def job_folder(platform: Platform, key: Key) -> Path:
    """Return where a job keeps what it has in work."""
    return platform.transforms_folder / key.region / key.name
