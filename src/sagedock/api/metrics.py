"""What the service publishes of its jobs in CloudWatch: names, dimensions, units.

Sources: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html (instance
metrics, once a minute) and https://docs.aws.amazon.com/sagemaker/latest/dg/training-metrics.html
(metric definitions). That the latter are published without a unit is unverified.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = [
    "CACHE_HIT",
    "CLIENT_ERRORS",
    "CONTAINER_LATENCY",
    "CPU",
    "DISK",
    "DOWNLOADING_TIME",
    "ENDPOINTS",
    "ENDPOINT_INSTANCES",
    "GPU",
    "GPU_MEMORY",
    "HOST",
    "INSTANCE_METRICS",
    "INVOCATIONS",
    "JOB",
    "LOADED_MODELS",
    "LOADING_TIME",
    "LOADING_WAIT",
    "MEMORY",
    "MODEL_LATENCY",
    "OVERHEAD_LATENCY",
    "PER_INSTANCE",
    "PREFIX",
    "PROCESSING_JOBS",
    "PUBLISHED_EVERY_S",
    "SERVER_ERRORS",
    "TRAINING_JOBS",
    "UNIT_OF_DEFINITIONS",
    "UNIT_OF_INSTANCES",
    "UNIT_OF_INVOCATIONS",
    "UNIT_OF_LATENCIES",
    "UNLOADING_TIME",
    "Metric",
    "container_dimensions",
    "host_dimension",
    "job_dimension",
    "variant_dimensions",
]

#: What the namespaces of jobs begin with, and those of two kinds.
PREFIX = "/aws/sagemaker/"
PROCESSING_JOBS = f"{PREFIX}ProcessingJobs"
TRAINING_JOBS = f"{PREFIX}TrainingJobs"
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

#: What is published of an endpoint's invocations, once a minute there: for each of them Invocations
#: is 1, the errors are 1 or 0, InvocationsPerInstance is 1 through the number of instances.
#: Source: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
ENDPOINTS = "AWS/SageMaker"
INVOCATIONS = "Invocations"
PER_INSTANCE = "InvocationsPerInstance"
CLIENT_ERRORS = "Invocation4XXErrors"
SERVER_ERRORS = "Invocation5XXErrors"
MODEL_LATENCY = "ModelLatency"
OVERHEAD_LATENCY = "OverheadLatency"
UNIT_OF_INVOCATIONS = "None"
UNIT_OF_LATENCIES = "Microseconds"
#: What an instance of an endpoint has, by EndpointName and VariantName for the one that is here.
ENDPOINT_INSTANCES = f"{PREFIX}Endpoints"


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One metric beside those of every endpoint: where it is, what it is called, and its unit."""

    name: str
    unit: str
    namespace: str = ENDPOINTS


#: Of an endpoint that serves many models: whether the one that was asked for was loaded (1 or 0);
#: how long a request waited for it, how long it was downloaded, loaded and unloaded; and how many
#: an instance has loaded. Source:
#: https://docs.aws.amazon.com/sagemaker/latest/dg/multi-model-endpoint-cloudwatch-metrics.html
CACHE_HIT = Metric(name="ModelCacheHit", unit=UNIT_OF_INVOCATIONS)
LOADING_WAIT = Metric(name="ModelLoadingWaitTime", unit=UNIT_OF_LATENCIES)
DOWNLOADING_TIME = Metric(name="ModelDownloadingTime", unit=UNIT_OF_LATENCIES)
LOADING_TIME = Metric(name="ModelLoadingTime", unit=UNIT_OF_LATENCIES)
UNLOADING_TIME = Metric(name="ModelUnloadingTime", unit=UNIT_OF_LATENCIES)
LOADED_MODELS = Metric(
    name="LoadedModelCount", unit=UNIT_OF_INVOCATIONS, namespace=ENDPOINT_INSTANCES
)
#: Of one of several containers. Sources:
#: https://docs.aws.amazon.com/sagemaker/latest/dg/inference-pipeline-logs-metrics.html and
#: https://docs.aws.amazon.com/sagemaker/latest/dg/multi-container-metrics.html
CONTAINER_LATENCY = Metric(name="ContainerLatency", unit=UNIT_OF_LATENCIES)


def job_dimension(job: str) -> Mapping[str, str]:
    """Return the dimensions of what a job's metric definitions find."""
    return {JOB: job}


def host_dimension(job: str, host: str) -> Mapping[str, str]:
    """Return the dimensions of what a host of a job uses."""
    return {HOST: f"{job}/{host}"}


def variant_dimensions(endpoint: str, variant: str) -> Mapping[str, str]:
    """Return the dimensions of what a variant of an endpoint answers."""
    return {"EndpointName": endpoint, "VariantName": variant}


def container_dimensions(endpoint: str, variant: str, container: str) -> Mapping[str, str]:
    """Return the dimensions of what one of a variant's containers answers."""
    return {**variant_dimensions(endpoint, variant), "ContainerName": container}
