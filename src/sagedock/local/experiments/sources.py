"""A trial component that the service makes of a job: its name, and what the job tells of it.

Source of the name: the SDK v2's Run (``<job>-aws-training-job``). What is told of a job that was
deleted is what was known when it was created (unverified).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sagedock.api import metrics as metric_names
from sagedock.local.experiments.component_document import metric_summary
from sagedock.local.metrics import COMPONENTS_NAMESPACE, component_dimension
from sagedock.local.platform import Platform
from sagedock.local.resources import Key

__all__ = [
    "PROCESSING",
    "TRAINING",
    "TRANSFORM",
    "JobKind",
    "metrics_of",
    "parameters_of",
    "told_by_job",
]

Document = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class JobKind:
    """One kind of job that components are made of."""

    kind: str
    source_type: str
    named: str
    status: str
    begun: str
    ended: str

    def component(self, job: str) -> str:
        """Return the name of a job's component."""
        return f"{job}-aws-{self.kind}".lower()


TRAINING = JobKind(
    kind="training-job",
    source_type="SageMakerTrainingJob",
    named="TrainingJobName",
    status="TrainingJobStatus",
    begun="TrainingStartTime",
    ended="TrainingEndTime",
)
PROCESSING = JobKind(
    kind="processing-job",
    source_type="SageMakerProcessingJob",
    named="ProcessingJobName",
    status="ProcessingJobStatus",
    begun="ProcessingStartTime",
    ended="ProcessingEndTime",
)
TRANSFORM = JobKind(
    kind="transform-job",
    source_type="SageMakerTransformJob",
    named="TransformJobName",
    status="TransformJobStatus",
    begun="TransformStartTime",
    ended="TransformEndTime",
)
_KINDS = {each.kind: each for each in (PROCESSING, TRAINING, TRANSFORM)}


def parameters_of(request: Document) -> dict[str, Any]:
    """Return the parameters and input artifacts of a job's request. The names of those that are no
    hyperparameters are unverified.
    """
    resources = _resources(request)
    said = {
        **{name: {"StringValue": value} for name, value in _hyperparameters(request)},
        **{
            f"SageMaker.{name}": _parameter(resources[name])
            for name in ("InstanceCount", "InstanceType", "VolumeSizeInGB")
            if name in resources
        },
    }
    image = (request.get("AlgorithmSpecification") or {}).get("TrainingImage") or (
        request.get("AppSpecification") or {}
    ).get("ImageUri")
    inputs = {"SageMaker.ImageUri": {"Value": image}} if image else {}
    for channel in request.get("InputDataConfig") or ():
        if source := channel["DataSource"].get("S3DataSource"):
            inputs[channel["ChannelName"]] = {"MediaType": "s3/uri", "Value": source["S3Uri"]}
    for each in request.get("ProcessingInputs") or ():
        if source := each.get("S3Input"):
            inputs[each["InputName"]] = {"MediaType": "s3/uri", "Value": source["S3Uri"]}
    return {"Parameters": said, "InputArtifacts": inputs}


def _resources(request: Document) -> Document:
    """Return the machines of a job of any kind."""
    cluster = (request.get("ProcessingResources") or {}).get("ClusterConfig")
    found: Document = (
        request.get("ResourceConfig") or request.get("TransformResources") or cluster or {}
    )
    return found


def _hyperparameters(request: Document) -> Iterator[tuple[str, str]]:
    yield from (request.get("HyperParameters") or {}).items()


def _parameter(value: str | int) -> dict[str, Any]:
    return {"NumberValue": float(value)} if isinstance(value, int) else {"StringValue": value}


def told_by_job(platform: Platform, source_arn: str) -> dict[str, Any]:
    """Return what a job tells of its component now: status, times, the model that it made."""
    _, _, _, region, _, last = source_arn.split(":", 5)
    kind, _, name = last.partition("/")
    known = _KINDS.get(kind)
    job = platform.resources.alike(Key(region=region, kind=kind, name=name))
    if known is None or job is None:
        return {}
    document = job.document
    model = (document.get("ModelArtifacts") or {}).get("S3ModelArtifacts")
    told: dict[str, Any] = {"Status": {"PrimaryStatus": document[known.status]}}
    if known.begun in document:
        told["StartTime"] = document[known.begun]
    if known.ended in document:
        told["EndTime"] = document[known.ended]
    if model:
        told["OutputArtifacts"] = {"SageMaker.ModelArtifact": {"Value": model}}
    return told


def metrics_of(platform: Platform, region: str, arn: str, source: Document) -> list[Any]:
    """Return the metrics of a component: those that were put, and those found in its job's log."""
    places: list[tuple[str, Mapping[str, str], str]] = [
        (COMPONENTS_NAMESPACE, component_dimension(arn), arn)
    ]
    job_arn: str = source.get("SourceArn", "")
    if f":{TRAINING.kind}/" in job_arn:
        job = job_arn.rpartition("/")[2]
        places.append((metric_names.TRAINING_JOBS, metric_names.job_dimension(job), job_arn))
    found = []
    for namespace, dimensions, told in places:
        for name in platform.metrics.names(region, namespace, dimensions):
            if points := platform.metrics.points(region, namespace, name, dimensions):
                found.append(metric_summary(name, told, points))
    return found
