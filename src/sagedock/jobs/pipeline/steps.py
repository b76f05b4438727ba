"""Steps of a pipeline: each wraps a job, or decides, fails, or calls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sagedock.errors import InvalidRequest
from sagedock.jobs.pipeline.conditions import Condition
from sagedock.jobs.pipeline.references import Join, JsonGet, Property, Reference, emitted
from sagedock.jobs.request import Request

__all__ = [
    "Cache",
    "CallbackStep",
    "ConditionStep",
    "FailStep",
    "JobStep",
    "LambdaStep",
    "PropertyFile",
    "Retry",
    "Step",
]

#: What a step of each operation is, and the member that names what it creates.
_KINDS: Mapping[str, tuple[str, str]] = {
    "CreateTrainingJob": ("Training", "TrainingJobName"),
    "CreateProcessingJob": ("Processing", "ProcessingJobName"),
    "CreateHyperParameterTuningJob": ("Tuning", "HyperParameterTuningJobName"),
    "CreateTransformJob": ("Transform", "TransformJobName"),
    "CreateModel": ("Model", "ModelName"),
    "CreateModelPackage": ("RegisterModel", "ModelPackageName"),
}


_MODEL = "output/model.tar.gz"
_TUNING = "CreateHyperParameterTuningJob"
#: How many of a tuning job's training jobs can be referred to. Source: SDK v2's TuningStep.
_TOP = 50


class _Job(Protocol):
    """What can be a step: one request."""

    def requests(self) -> tuple[Request, ...]:
        """Return the job's requests."""
        ...


@dataclass(frozen=True, kw_only=True)
class PropertyFile:
    """A JSON file that a processing job writes: ``path`` below its output ``output``."""

    name: str
    output: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Cache:
    """Results of earlier executions are used again for so long: ``P30D``, ``T16M``."""

    expire_after: str | None = None

    def definition(self) -> dict[str, Any]:
        """Return what the step has."""
        expires = {} if self.expire_after is None else {"ExpireAfter": self.expire_after}
        return {"Enabled": True, **expires}


@dataclass(frozen=True, kw_only=True)
class Retry:
    """How a step that fails for one of ``exceptions`` is tried again: SageMaker.CAPACITY_ERROR,
    SageMaker.JOB_INTERNAL_ERROR, SageMaker.RESOURCE_LIMIT, Step.SERVICE_FAULT, Step.THROTTLING.
    """

    exceptions: Sequence[str]
    interval_s: int = 1
    backoff_rate: float = 2.0
    max_attempts: int | None = None
    expire_after_minutes: int | None = None

    def definition(self) -> dict[str, Any]:
        """Return what the step has."""
        members = {
            "ExceptionType": list(self.exceptions),
            "IntervalSeconds": self.interval_s,
            "BackoffRate": self.backoff_rate,
            "MaxAttempts": self.max_attempts,
            "ExpireAfterMin": self.expire_after_minutes,
        }
        return {name: value for name, value in members.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class Step:
    """What every step has. ``depends_on`` are steps that it waits for beside those it refers to."""

    name: str
    display_name: str | None = None
    description: str | None = None
    depends_on: Sequence["Step | str"] = ()

    def property(self, path: str) -> Property:
        """Return a reference to what the step's job is described with."""
        return Property(self.name, path)

    def definition(self) -> dict[str, Any]:
        """Return the step as the definition has it."""
        members: dict[str, Any] = {"Name": self.name, "Type": self._type()}
        members["Arguments"] = emitted(self._arguments())
        if self.depends_on:
            named = [each if isinstance(each, str) else each.name for each in self.depends_on]
            members["DependsOn"] = named
        if self.display_name is not None:
            members["DisplayName"] = self.display_name
        if self.description is not None:
            members["Description"] = self.description
        return {**members, **emitted(self._members())}

    def _type(self) -> str:
        raise NotImplementedError

    def _arguments(self) -> Mapping[str, Any]:
        raise NotImplementedError

    def _members(self) -> Mapping[str, Any]:
        return {}


@dataclass(frozen=True, kw_only=True)
class JobStep(Step):
    """A job, or a model, or the registration of one: TrainingJob, ProcessingJob, TransformJob, ...

    What it creates is named by the pipeline, each time anew.
    """

    job: _Job
    property_files: Sequence[PropertyFile] = ()
    cache: Cache | None = None
    retries: Sequence[Retry] = ()

    @property
    def request(self) -> Request:
        """The request that the step is. Raises InvalidRequest for a job that is none of a step."""
        if not callable(getattr(self.job, "requests", None)):
            raise InvalidRequest(
                [
                    f"step {self.name}: job: {type(self.job).__name__} is no job: give one of "
                    "sagedock.jobs, such as what job() of an estimator, a tuner or a processor "
                    "returns"
                ]
            )
        requests = self.job.requests()
        operations = [each.operation for each in requests]
        if len(requests) != 1 or operations[0] not in _KINDS:
            raise InvalidRequest(
                [
                    f"step {self.name}: job: {type(self.job).__name__} ({', '.join(operations)}) "
                    f"can be no step: a step is one of {', '.join(_KINDS)}"
                ]
            )
        return requests[0]

    @property
    def model_data(self) -> Reference:
        """Where a training job's model is; of a tuning job, its best training job's."""
        if self.request.operation == _TUNING:
            return self.top_model_data()
        return self.property("ModelArtifacts.S3ModelArtifacts")

    def top_model_data(self, rank: int = 0) -> Join:
        """Return where the model of one of a tuning job's training jobs is: of the best one, or of
        the one that ``rank``, up to 49, are better than. An ``output_path`` that is a reference
        ends without a slash.

        Raises InvalidRequest. Source: SDK v2's ``TuningStep.get_top_model_s3_uri``.
        """
        request = self.request
        if request.operation != _TUNING:
            raise InvalidRequest([f"step {self.name}: top_model_data is of tuning jobs only"])
        if not 0 <= rank < _TOP:
            raise InvalidRequest([f"step {self.name}: rank: {rank}: give 0 to {_TOP - 1}"])
        output = request.parameters["TrainingJobDefinition"]["OutputDataConfig"]
        where = output["S3OutputPath"]
        model = "output/model/" if output.get("CompressionType") == "NONE" else _MODEL
        job = self.property(f"TrainingJobSummaries[{rank}].TrainingJobName")
        return Join([where.rstrip("/") if isinstance(where, str) else where, job, model], on="/")

    def output(self, name: str) -> Property:
        """Return where a processing job's output ``name`` is."""
        return self.property(f"ProcessingOutputConfig.Outputs['{name}'].S3Output.S3Uri")

    def json(self, file: str, path: str) -> JsonGet:
        """Return a reference to a value in one of the step's property files."""
        return JsonGet(self.name, file, path)

    def _type(self) -> str:
        return _KINDS[self.request.operation][0]

    def _arguments(self) -> Mapping[str, Any]:
        named = _KINDS[self.request.operation][1]
        return {name: each for name, each in self.request.parameters.items() if name != named}

    def _members(self) -> Mapping[str, Any]:
        members: dict[str, Any] = {}
        if self.property_files:
            members["PropertyFiles"] = [
                {
                    "PropertyFileName": each.name,
                    "OutputName": each.output,
                    "FilePath": each.path,
                }
                for each in self.property_files
            ]
        if self.cache is not None:
            members["CacheConfig"] = self.cache.definition()
        if self.retries:
            members["RetryPolicies"] = [each.definition() for each in self.retries]
        return members


@dataclass(frozen=True, kw_only=True)
class ConditionStep(Step):
    """One of two ways: ``then`` where all conditions hold, else ``otherwise``."""

    conditions: Sequence[Condition]
    then: Sequence[Step] = ()
    otherwise: Sequence[Step] = ()

    def _type(self) -> str:
        return "Condition"

    def _arguments(self) -> Mapping[str, Any]:
        return {
            "Conditions": [each.definition() for each in self.conditions],
            "IfSteps": [each.definition() for each in self.then],
            "ElseSteps": [each.definition() for each in self.otherwise],
        }


@dataclass(frozen=True, kw_only=True)
class FailStep(Step):
    """The execution fails, and says why."""

    message: Any = ""

    def _type(self) -> str:
        return "Fail"

    def _arguments(self) -> Mapping[str, Any]:
        return {"ErrorMessage": self.message}


@dataclass(frozen=True, kw_only=True)
class LambdaStep(Step):
    """A Lambda function, by its ARN; ``outputs`` are the members of its answer that others use."""

    function_arn: Any
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)

    def output(self, name: str) -> Property:
        """Return a reference to a member of the function's answer."""
        return self.property(f"OutputParameters['{name}']")

    def _type(self) -> str:
        return "Lambda"

    def _arguments(self) -> Mapping[str, Any]:
        return self.inputs

    def _members(self) -> Mapping[str, Any]:
        return {"FunctionArn": self.function_arn, "OutputParameters": _outputs(self.outputs)}


@dataclass(frozen=True, kw_only=True)
class CallbackStep(Step):
    """A message in an SQS queue, which somebody answers with its token."""

    queue_url: Any
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)

    def output(self, name: str) -> Property:
        """Return a reference to an output of the answer."""
        return self.property(f"OutputParameters['{name}']")

    def _type(self) -> str:
        return "Callback"

    def _arguments(self) -> Mapping[str, Any]:
        return self.inputs

    def _members(self) -> Mapping[str, Any]:
        return {"SqsQueueUrl": self.queue_url, "OutputParameters": _outputs(self.outputs)}


def _outputs(outputs: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"OutputName": name, "OutputType": kind} for name, kind in outputs.items()]
