"""What the service publishes of a training job in CloudWatch: names, dimensions, units.

Sources: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html (instance
metrics, once a minute) and https://docs.aws.amazon.com/sagemaker/latest/dg/training-metrics.html
(metric definitions). That the latter are published without a unit is unverified.
"""

from collections.abc import Mapping
from types import MappingProxyType

__all__ = [
    "CPU",
    "DISK",
    "GPU",
    "GPU_MEMORY",
    "HOST",
    "INSTANCE_METRICS",
    "JOB",
    "MEMORY",
    "PUBLISHED_EVERY_S",
    "TRAINING_JOBS",
    "UNIT_OF_DEFINITIONS",
    "UNIT_OF_INSTANCES",
    "host_dimension",
    "job_dimension",
]

#: The namespace of training jobs.
TRAINING_JOBS = "/aws/sagemaker/TrainingJobs"
#: The dimension of what metric definitions find; its value is the job's name.
JOB = "TrainingJobName"
#: The dimension of what an instance uses; its value is ``<job>/algo-<number>``.
HOST = "Host"
UNIT_OF_DEFINITIONS = "None"
UNIT_OF_INSTANCES = "Percent"
PUBLISHED_EVERY_S = 60

CPU = "CPUUtilization"
MEMORY = "MemoryUtilization"
DISK = "DiskUtilization"
GPU = "GPUUtilization"
GPU_MEMORY = "GPUMemoryUtilization"
#: Each instance metric, and whether it counts 100 for each core or GPU rather than for all.
INSTANCE_METRICS: Mapping[str, bool] = MappingProxyType(
    {CPU: True, MEMORY: False, DISK: False, GPU: True, GPU_MEMORY: True}
)


def job_dimension(job: str) -> Mapping[str, str]:
    """Return the dimensions of what a job's metric definitions find."""
    return {JOB: job}


def host_dimension(job: str, host: str) -> Mapping[str, str]:
    """Return the dimensions of what a host of a job uses."""
    return {HOST: f"{job}/{host}"}
